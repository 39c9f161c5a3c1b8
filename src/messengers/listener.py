"""Where stdio clients arrive: greeted, then served as MCP until they leave."""

import secrets
import socket

import anyio
import orjson
import structlog
from anyio.abc import ByteStream, SocketListener, SocketStream, TaskGroup, TaskStatus

from messengers.app import App
from messengers.core.keys import read_local_key
from messengers.hello import Welcome, proves, welcome
from messengers.mcp_server.frames import Frames

__all__ = ["Listener"]

_HELLO_S = 10.0
_HELLO_MAX_BYTES = 64 * 1024
_SOON_S = 0.001
_log = structlog.get_logger(__name__)


class Listener:
    """One listening socket and the clients that came through it.

    `needs_proof` is for a port, which every user of the machine can connect to.
    """

    def __init__(self, bound: socket.socket, app: App, *, needs_proof: bool) -> None:
        self._bound = bound
        self._app = app
        self._needs_proof = needs_proof
        self._accepting = anyio.CancelScope()
        self._clients: TaskGroup | None = None

    async def serve(
        self, stopping: anyio.Event, *, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED
    ) -> None:
        """Take clients until `close`, and serve them until they leave or `cut`."""

        async def client(stream: SocketStream) -> None:
            async with stream:
                try:
                    await self._client(stream, stopping)
                except Exception:  # noqa: BLE001 - the outermost loop of one client: no other may feel it
                    _log.exception("A client's session broke.")

        async with anyio.create_task_group() as self._clients:
            with self._accepting:
                async with await SocketListener.from_socket(self._bound) as listener:
                    task_status.started()
                    await listener.serve(client, self._clients)

    def close(self) -> None:
        """Take no more clients."""
        _end(self._accepting)

    def cut(self) -> None:
        """End the sessions that are left."""
        if self._clients is not None:
            _end(self._clients.cancel_scope)

    async def _client(self, stream: SocketStream, stopping: anyio.Event) -> None:
        try:
            with anyio.fail_after(_HELLO_S):
                greeted, rest = await self._greet(stream)
                await stream.send(greeted.answer)
        except (TimeoutError, anyio.EndOfStream, anyio.BrokenResourceError):
            _log.debug("A client left without a hello.")
            return
        if greeted.is_older:
            _log.info("A newer version takes over.")
            stopping.set()
        if greeted.caller is not None:
            frames = Frames(stream, self._app.core.settings.request_max_bytes, rest)
            await self._app.transports.serve(frames, greeted.caller)

    async def _greet(self, stream: ByteStream) -> tuple[Welcome, bytes]:
        settings = self._app.core.settings
        nonce = secrets.token_urlsafe(32)
        if self._needs_proof:
            await stream.send(orjson.dumps({"messengers": 1, "nonce": nonce}) + b"\n")

        def is_proven(proof: str) -> bool:
            return not self._needs_proof or proves(read_local_key(settings.home), nonce, proof)

        line, rest = await _first_line(stream)
        return welcome(line, settings, is_proven), rest


def _end(scope: anyio.CancelScope) -> None:
    """Cancel what waits for a socket, from a timer of the event loop.

    Timers come after what the sockets brought in the same turn. Cancelled before it, a wait that
    is over already is ended a second time, and the loop logs an InvalidStateError.
    """
    scope.deadline = anyio.current_time() + _SOON_S


async def _first_line(stream: ByteStream) -> tuple[bytes, bytes]:
    """The hello and what came with it. A line without end is no hello."""
    buffer = b""
    while b"\n" not in buffer and len(buffer) <= _HELLO_MAX_BYTES:
        buffer += await stream.receive(_HELLO_MAX_BYTES)
    line, _, rest = buffer.partition(b"\n")
    return line, rest
