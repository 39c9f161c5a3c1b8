"""One engine's socket: frames, the Noise handshake, pairing or login, then stanzas in order."""

import base64
import secrets
import time
from contextlib import suppress

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from tests.fakes.whatsapp_web import incoming
from tests.fakes.whatsapp_web.devices import Companion
from tests.fakes.whatsapp_web.nodes import SERVER, Node, decode, encode
from tests.fakes.whatsapp_web.noise import Noise
from tests.fakes.whatsapp_web.wire import Proto
from tests.fakes.whatsapp_web.world import World

__all__ = ["Connection"]

_QR_CODES = 6
_PROLOGUE_BYTES = 4
_ANSWER_S = 20


class Connection:
    """A `Line` of the world for as long as its socket is open."""

    def __init__(self, world: World, socket: WebSocket) -> None:
        self._world = world
        self._socket = socket
        self._buffer = b""
        self._noise: Noise | None = None
        self._opened = False
        self._sending = anyio.Lock()
        self._questions: dict[str, anyio.Event] = {}
        self._answers: dict[str, Node] = {}
        self._payload: Proto = None
        self.companion: Companion | None = None

    @property
    def client_static(self) -> bytes:
        return self._noise.client_static if self._noise else b""

    @property
    def pairing(self) -> Proto:
        """What the engine said of itself when it asked to be linked."""
        return self._payload.devicePairingData

    @property
    def port(self) -> int:
        return self._socket.client.port if self._socket.client else 0

    async def run(self) -> None:
        await self._socket.accept()
        try:
            while self._socket.application_state is WebSocketState.CONNECTED:
                data = await self._socket.receive_bytes()
                with self._world.watched():
                    await self._feed(data)
        except WebSocketDisconnect:
            pass
        finally:
            self._hang_up()

    async def send(self, node: Node) -> None:
        """Does nothing once the engine is gone."""
        async with self._sending:
            if self._noise and self._socket.application_state is WebSocketState.CONNECTED:
                await self._write(self._noise.seal(encode(node)))

    async def close(self) -> None:
        async with self._sending:
            if self._socket.application_state is WebSocketState.CONNECTED:
                with suppress(WebSocketDisconnect):
                    await self._socket.close()

    async def ask(self, iq: Node) -> Node:
        """Sends a query and waits for the engine's answer; TimeoutError after 20 s."""
        waiting = self._questions[iq["id"]] = anyio.Event()
        await self.send(iq)
        with anyio.fail_after(_ANSWER_S):
            await waiting.wait()
        return self._answers.pop(iq["id"])

    async def _write(self, frame: bytes) -> None:
        with suppress(WebSocketDisconnect):
            await self._socket.send_bytes(len(frame).to_bytes(3, "big") + frame)

    async def _feed(self, data: bytes) -> None:
        if self._noise is None:
            if data[:2] == b"ED":  # routing information, which some engines send first
                data = data[7 + int.from_bytes(data[4:7], "big") :]
            self._noise = Noise(self._world.authority, data[:_PROLOGUE_BYTES])
            data = data[_PROLOGUE_BYTES:]
        self._buffer += data
        while len(self._buffer) >= 3:
            end = 3 + int.from_bytes(self._buffer[:3], "big")
            if len(self._buffer) < end:
                return
            frame, self._buffer = self._buffer[3:end], self._buffer[end:]
            await self._take(self._noise, frame)

    async def _take(self, noise: Noise, frame: bytes) -> None:
        if not noise.client_static and self._payload is None:
            if not self._opened:
                self._opened = True
                await self._write(noise.greet(frame))
                return
            self._payload = noise.finish(frame)
            await self._begin()
            return
        if self.companion and not self.companion.linked:
            return  # its engine has forgotten who it is, and names itself with an empty address
        node = decode(noise.open(frame))
        self._world.records.stanzas.append(node)
        if node.tag == "iq" and node.get("type") in {"result", "error"}:
            self._answers[node["id"]] = node
            if waiting := self._questions.pop(node["id"], None):
                waiting.set()
        elif self.companion or node.tag == "iq":
            with self._world.watched():
                await incoming.take(self._world, self, self.companion, node)

    async def _begin(self) -> None:
        faults = self._world.faults
        if faults.outdated:
            await self._refuse(reason=405)
        elif self._payload.HasField("devicePairingData"):
            await self._offer_codes()
        elif faults.login_refusal:
            await self._refuse(**faults.login_refusal)
        else:
            await self._log_in()

    async def _refuse(self, **attrs: str | int | None) -> None:
        self._world.records.counts["refusals"] += 1
        await self.send(Node("failure", {"location": "fake", **attrs}))
        await self.close()

    async def _offer_codes(self) -> None:
        self._world.records.counts["registrations"] += 1
        refs = [
            f"{base64.b64encode(secrets.token_bytes(24)).decode()}@{number}"
            for number in range(_QR_CODES)
        ]
        self._world.refs.update(dict.fromkeys(refs, self))
        codes = Node("pair-device", None, [Node("ref", None, ref) for ref in refs])
        attrs = {"from": SERVER, "type": "set", "id": self._world.stanza_id(), "xmlns": "md"}
        await self.send(Node("iq", attrs, [codes]))

    async def _log_in(self) -> None:
        world = self._world
        jid = f"{self._payload.username}:{self._payload.device}@{SERVER}"
        companion = world.companion(jid)
        if companion is None:
            await self._refuse(reason=401)
            return
        seconds_banned = companion.account.banned_until_s - time.monotonic()
        if seconds_banned > 0:
            await self._refuse(reason=402, code=101, expire=int(seconds_banned) + 1)
            return
        if older := world.lines.pop(companion, None):
            await older.send(Node("stream:error", None, [Node("conflict", {"type": "replaced"})]))
            await older.close()
        self.companion = companion
        world.lines[companion] = self
        companion.online = True
        world.records.counts["logins"] += 1
        await self._hand_over(companion)

    async def _hand_over(self, companion: Companion) -> None:
        """The greeting, and what came while the device was away."""
        attrs = {
            "t": int(time.time()),
            "lid": companion.lid,
            "display_name": companion.account.name,
            "props": 27,
            "creation": 1_600_000_000,
            "location": "fake",
        }
        await self.send(Node("success", attrs))
        waiting, companion.waiting = companion.waiting, []
        kinds = {"message": 0, "receipt": 0, "notification": 0}
        for node in waiting:
            kinds[node.tag] += 1
        preview = Node("offline_preview", {"count": len(waiting), "appdata": 0, **kinds})
        await self.send(Node("ib", {"from": SERVER}, [preview]))
        for node in waiting:
            await self._world.deliver(companion, node)
        done = Node("offline", {"count": len(waiting)})
        await self.send(Node("ib", {"from": SERVER}, [done]))

    def _hang_up(self) -> None:
        world = self._world
        world.refs = {ref: line for ref, line in world.refs.items() if line is not self}
        companion = self.companion
        if companion and world.lines.get(companion) is self:
            del world.lines[companion]
            companion.online = False
            # What it did not confirm comes again, before what is newer.
            companion.waiting[:0] = companion.unconfirmed.values()
            companion.unconfirmed.clear()
