"""Socket Mode: a connection that goes out from here and brings events.

https://docs.slack.dev/apis/events-api/using-socket-mode. Each is stored before it is acknowledged;
one that is not comes again. Slack ends a connection every few hours and says so before: the next
one is opened then, and the old one read to its end.
"""

import logging
from collections.abc import Mapping
from typing import Any, cast

import anyio
import orjson
from aiohttp import ClientWebSocketResponse, WSMessage, WSMsgType

from messengers.clock import Clock
from messengers.errors import BadCredentials, PlatformRefused, Unreachable
from messengers.models import Health
from messengers.providers.base import Sink
from messengers.providers.slack.failures import DEAD, told
from messengers.providers.slack.intake import Account, Intake
from messengers.providers.slack.states import CONFLICT
from messengers.providers.slack.wire import Json, Refused, Wire

__all__ = ["Stream", "socket_address"]

log = logging.getLogger(__name__)
_HELLO_S = 10.0
_FAREWELL_S = 30.0
"""How long a connection that was told to leave is still read."""
_SHORT_S = 5.0
"""One that ends sooner without a word is a fault, and no reason to open the next at once."""
_CONFLICT_PAUSES_S = (5.0, 15.0, 60.0)
_WHERE = "Basic Information, App-Level Tokens: make one with connections:write and enter it."


class Stream:
    """Receives for one account until it is cancelled."""

    def __init__(
        self, wire: Wire, app_token: str, intake: Intake, sink: Sink, clock: Clock
    ) -> None:
        self._wire = wire
        self._app_token = app_token
        self._intake = intake
        self._sink = sink
        self._clock = clock

    async def follow(self, account: Account, connected: Health) -> None:
        """Receive. Raises BadCredentials, PlatformRefused or Unreachable when that is over."""
        socket = await self._alone(account)
        async with anyio.create_task_group() as tasks:
            while True:
                self._report(connected)
                leaving = anyio.Event()
                tasks.start_soon(self._serve, socket, leaving, connected)
                await leaving.wait()
                socket, _ = await self._open()

    def _report(self, connected: Health) -> None:
        now = self._clock.now()
        self._sink.report(connected.model_copy(update={"last_transport_at": now}))

    async def _alone(self, account: Account) -> ClientWebSocketResponse:
        """The only connection of the app, once no other program has one."""
        conflicts = 0
        while True:
            socket, hello = await self._open()
            app = str(hello.get("connection_info", {}).get("app_id", ""))
            if account.app and app and account.app != app:
                await socket.close()
                raise BadCredentials("The two tokens belong to different apps.", _WHERE)
            if int(hello.get("num_connections") or 1) <= 1:
                return socket
            await socket.close()
            self._sink.report(CONFLICT)
            await anyio.sleep(_CONFLICT_PAUSES_S[min(conflicts, len(_CONFLICT_PAUSES_S) - 1)])
            conflicts += 1

    async def _open(self) -> tuple[ClientWebSocketResponse, Json]:
        """A connection that has greeted."""
        address = await socket_address(self._wire, self._app_token)
        with told(changes=False):
            socket = await self._wire.socket(address)
        with anyio.move_on_after(_HELLO_S):
            hello = _frame(await socket.receive())
            if hello.get("type") == "hello":
                return socket, hello
            if hello.get("reason") == "too_many_websockets":
                self._sink.report(CONFLICT)
        await socket.close()
        raise Unreachable("Slack opened a connection and ended it.", "It is tried again.")

    async def _serve(
        self, socket: ClientWebSocketResponse, leaving: anyio.Event, connected: Health
    ) -> None:
        """Read one connection to its end."""
        began = self._clock.monotonic_s()
        scope = anyio.CancelScope()
        try:
            with scope:
                async for message in socket:
                    frame = _frame(message)
                    if frame.get("type") == "disconnect":
                        _require_socket_mode(frame)
                        leaving.set()
                        scope.deadline = min(scope.deadline, anyio.current_time() + _FAREWELL_S)
                    elif "envelope_id" in frame:
                        await self._take(socket, frame)
                        self._report(connected)
        finally:
            with anyio.CancelScope(shield=True):
                await socket.close()
        if not leaving.is_set() and self._clock.monotonic_s() - began < _SHORT_S:
            raise Unreachable("Slack ended the connection.", "It is tried again.")
        leaving.set()

    async def _take(self, socket: ClientWebSocketResponse, frame: Json) -> None:
        """Store, then acknowledge."""
        kind, body = str(frame.get("type")), frame.get("payload")
        if isinstance(body, Mapping):
            event = await self._intake.delivered(kind, cast("Json", body))
            if event is not None:
                await self._sink.ingest(event.event_key, event.chat_key, event.kind, event.payload)
        try:
            await socket.send_str(orjson.dumps({"envelope_id": frame["envelope_id"]}).decode())
        except (ConnectionError, RuntimeError):
            log.info("an envelope was not acknowledged; it comes again")


async def socket_address(wire: Wire, app_token: str) -> str:
    """Where the next connection may be opened, once. Raises BadCredentials for the app's token."""
    with told(changes=False):
        try:
            opened = await wire.ask("apps.connections.open", token=app_token)
        except Refused as exc:
            if exc.why in (*DEAD, "missing_scope", "not_allowed_token_type"):
                what = "Slack does not accept the app-level token."
                raise BadCredentials(what, _WHERE) from exc
            raise
    return str(opened["url"])


def _frame(message: WSMessage) -> dict[str, Any]:
    """What was said; nothing of what is no JSON."""
    if message.type is not WSMsgType.TEXT:
        return {}
    try:
        frame: object = orjson.loads(message.data)
    except ValueError:
        return {}
    return cast("dict[str, Any]", frame) if isinstance(frame, dict) else {}


def _require_socket_mode(frame: Json) -> None:
    if frame.get("reason") == "link_disabled":
        raise PlatformRefused(
            "Socket Mode was switched off for this app.", "Switch it on in the app's settings."
        )
