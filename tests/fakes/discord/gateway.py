"""A connection to the gateway: what bots may send there, and what they are sent away for.

Source: https://docs.discord.com/developers/events/gateway
"""

import json
import zlib
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, cast

import anyio
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.fakes.discord.intents import PRIVILEGED, Intent
from tests.fakes.discord.people import Json
from tests.fakes.discord.sessions import Session

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.fakes.discord.server import FakeDiscord

__all__ = ["Connection"]

_FRAMES_A_MINUTE = 120
_FRAME_MAX_BYTES = 4096
_ALL_INTENTS = (1 << 26) - 1
_NORMAL = {1000, 1001}
# Of the bot itself, not of its account.
_FAULTS = {4001, 4002, 4003, 4005, 4008, 4010, 4012, 4013}
_ROUGHLY = 1.5
"""How many intervals a heartbeat may be late."""


class _Away(Exception):
    """The bot is sent away with this code."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Connection:
    def __init__(self, discord: "FakeDiscord", socket: WebSocket) -> None:
        self.session: Session | None = None
        self.is_frozen = False
        """It is open and dead: nothing is answered, not even heartbeats."""
        self.heartbeats = 0
        self._is_closed = False
        self._discord = discord
        self._socket = socket
        self._out, self._queue = anyio.create_memory_object_stream[Json | int | None](1 << 20)
        self._deflate = zlib.compressobj() if self._asked("compress") == "zlib-stream" else None
        self._frames: deque[float] = deque(maxlen=_FRAMES_A_MINUTE)
        self._beaten_at = anyio.current_time()

    def _asked(self, name: str) -> str | None:
        return self._socket.query_params.get(name)

    async def run(self) -> None:
        await self._socket.accept()
        self._discord.connections.append(self)
        with self._out, self._queue:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._write)
                tasks.start_soon(self._watch)
                try:
                    await self._talk()
                finally:
                    self._leave()
                    tasks.cancel_scope.cancel()

    async def _talk(self) -> None:
        try:
            self._check_dialect()
            self.send({"op": 10, "d": {"heartbeat_interval": self._discord.heartbeat_ms}})
            while (text := await self._next()) is not None:
                self._receive(text)
        except _Away as away:
            self._send_away(away.code)
            while await self._next() is not None:
                pass

    def _check_dialect(self) -> None:
        if self._asked("v") != "10":
            raise _Away(4012)
        if self._asked("encoding") != "json":
            raise _Away(4002)
        if self._asked("compress") not in {None, "zlib-stream"}:
            raise _Away(4002)

    async def _next(self) -> str | None:
        """None at the end. Who says goodbye has no session any more."""
        message = await self._socket.receive()
        if message["type"] != "websocket.disconnect":
            return message.get("text") or ""
        if message["code"] in _NORMAL and self.session and not self._is_closed:
            self._forget(self.session)
        return None

    def _send_away(self, code: int) -> None:
        self._discord.records.closes.append(code)
        if code in _FAULTS:
            self._discord.records.mistakes.append(f"gateway: sent away with {code}")
        self.close(code)

    def send(self, frame: Json) -> None:
        """Never waits; nothing leaves a frozen connection."""
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            if not self.is_frozen:
                self._out.send_nowait(frame)

    def close(self, code: int | None) -> None:
        """After what was sent before; None cuts the connection without a word."""
        self._is_closed = True
        self._leave()
        if code is None:
            self._discord.cut_line(self._socket)
            return
        with suppress(anyio.ClosedResourceError, anyio.BrokenResourceError):
            self._out.send_nowait(code)

    async def _write(self) -> None:
        with suppress(WebSocketDisconnect, RuntimeError):  # it is gone by itself
            async for frame in self._queue:
                if isinstance(frame, int):
                    await self._socket.close(frame)
                    return
                text = json.dumps(frame) if frame is not None else ""
                if self._deflate is None:
                    await self._socket.send_text(text)
                    continue
                data = self._deflate.compress(text.encode())
                await self._socket.send_bytes(data + self._deflate.flush(zlib.Z_SYNC_FLUSH))

    async def _watch(self) -> None:
        """Who is not heard of for too long is gone; its session stays."""
        limit_s = self._discord.heartbeat_ms / 1000 * _ROUGHLY
        while (left := self._beaten_at + limit_s - anyio.current_time()) > 0:  # noqa: ASYNC110 — a deadline moves
            await anyio.sleep(left)
        self.close(4000)

    def _leave(self) -> None:
        if self in self._discord.connections:
            self._discord.connections.remove(self)
        if self.session and self.session.line is self:
            self.session.line = None

    def _forget(self, session: Session) -> None:
        session.bot.sessions.pop(session.id, None)

    def _receive(self, text: str) -> None:
        if self.is_frozen:
            return
        now = anyio.current_time()
        if len(self._frames) == _FRAMES_A_MINUTE and now - self._frames[0] < 60:
            raise _Away(4008)
        self._frames.append(now)
        if len(text.encode()) > _FRAME_MAX_BYTES:
            raise _Away(4002)
        try:
            frame = cast("Json", json.loads(text))
            code, data = frame["op"], frame.get("d")
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise _Away(4002) from error
        known: dict[int, Callable[[Json], None]] = {
            2: self._identify,
            3: self._present,
            4: self._move,
            6: self._resume,
            8: self._ask_members,
        }
        if code == 1:
            self._beat()
        elif code not in known:
            raise _Away(4001)
        elif not isinstance(data, dict):
            raise _Away(4002)
        else:
            if code not in {2, 6} and self.session is None:
                raise _Away(4003)
            known[code](cast("Json", data))

    def _beat(self) -> None:
        self.heartbeats += 1
        self._beaten_at = anyio.current_time()
        self.send({"op": 11})

    def _identify(self, data: Json) -> None:
        if self.session:
            raise _Away(4005)
        try:
            token, intents = data["token"], int(data["intents"])
            shard, _properties = data.get("shard", [0, 1]), data["properties"]
        except (KeyError, TypeError, ValueError) as error:
            raise _Away(4002) from error
        bot = self._discord.bots.get(str(token).removeprefix("Bot "))
        if bot is None or bot.revoked:
            raise _Away(4004)
        if refusal := self._discord.refusal_of(bot):
            raise _Away(refusal)
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            raise _Away(4010)
        if intents & ~_ALL_INTENTS:
            raise _Away(4013)
        if Intent(intents) & PRIVILEGED & ~bot.enabled:
            raise _Away(4014)
        may_begin = self._discord.may_identify(bot)
        if bot.revoked:
            raise _Away(4004)
        if not may_begin:
            self.send({"op": 9, "d": False})
            return
        self.session = self._discord.begin(bot, Intent(intents), (shard[0], shard[1]))
        self.session.line = self
        self._discord.welcome(self.session)

    def _resume(self, data: Json) -> None:
        if self.session:
            raise _Away(4005)
        bot = self._discord.bots.get(str(data.get("token")).removeprefix("Bot "))
        if bot is None or bot.revoked:
            raise _Away(4004)
        session = bot.sessions.get(str(data.get("session_id")))
        if session is None:
            self.send({"op": 9, "d": False})
            return
        seq = data.get("seq")
        if not isinstance(seq, int) or seq > session.seq:
            self._forget(session)
            raise _Away(4007)
        if session.line:
            session.line.close(4000)
        self.session, session.line = session, self
        self._discord.resumes.append(session)
        for frame in session.missed(seq):
            self.send(frame)
        session.dispatch("RESUMED", {})

    def _present(self, data: Json) -> None:
        assert self.session
        self.session.bot.status = str(data.get("status"))

    def _move(self, data: Json) -> None:
        """Voice is not there."""
        self._discord.records.unhandled.append(f"gateway voice state {data}")

    def _ask_members(self, data: Json) -> None:
        assert self.session
        self._discord.tell_members(self.session, data)
