"""The daemon: the only process that opens the store, connects to messengers and serves.

It ends when it is told to: by the owner, by a signal, or by a newer version that takes its place.
"""

import os
import signal
import socket
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import orjson
import structlog
import uvicorn
from anyio.abc import ByteStream
from starlette.types import ASGIApp

from messengers import __version__
from messengers.app import App, open_app
from messengers.core.callers import Caller
from messengers.errors import Forbidden
from messengers.home import CONTROL_SOCKET, DAEMON_FILE, MCP_SOCKET
from messengers.listener import Listener
from messengers.mcp_server.frames import Frames
from messengers.settings import Settings, unknown_variables
from messengers.sockets import bind_tcp, bind_unix
from messengers.watchdog import watched

__all__ = ["Mode", "serve"]

_STREAMS_S = 2
"""How long open HTTP streams and calls of stdio clients may take once the daemon ends."""
_FRAME_MAX_BYTES = 256 * 1024
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Mode:
    """How the process was started."""

    by_client: bool = False
    """A stdio client started it: then a taken port is no reason not to."""
    stream: ByteStream | None = None
    """Standard input and output, served in this process; the daemon ends with it."""
    ready: Callable[[str], None] = lambda _: None
    """Told the address once everything answers."""


async def serve(settings: Settings, mode: Mode) -> None:
    """Run until told to stop. The caller holds the lock of the home.

    Raises:
        Forbidden: it would listen beyond this machine without a key.
        AlreadyRunning: the port that was asked for is taken.
        StorageUnavailable: the data directory cannot be used.
    """
    for sentence in unknown_variables():
        _log.warning(sentence)
    stopping = anyio.Event()
    async with open_app(settings, stop=stopping.set) as app:
        if not settings.is_loopback and not app.core.keys.any_hold():
            raise Forbidden(
                f"Listening on {settings.host} opens Messengers to others, and there is no key.",
                "Make one first: `messengers keys create NAME`.",
            )
        with ExitStack() as open_sockets:
            open_sockets.enter_context(watched(app.core.clock))
            ears = _open(settings, mode, app, open_sockets)
            await _run(app, mode, ears, stopping)
        _log.info("Ending what is under way.")
    _log.info("Stopped.")


@dataclass(frozen=True, slots=True)
class _Ears:
    """What the daemon listens on."""

    web: socket.socket
    control: socket.socket
    clients: Listener


def _open(settings: Settings, mode: Mode, app: App, stack: ExitStack) -> _Ears:
    """All sockets, and the record of them; what was made goes again when the stack closes."""
    must = settings.port_is_explicit and not mode.by_client
    web = stack.enter_context(bind_tcp(settings.host, settings.port, must=must))
    app.core.address.listens(web.getsockname()[1])
    control_path = settings.socket_path(CONTROL_SOCKET)
    control = stack.enter_context(bind_unix(control_path))
    stack.callback(_remove, control_path)
    stdio_port, clients_path = 0, None
    if settings.socket == "tcp":
        clients = stack.enter_context(bind_tcp("127.0.0.1", 0, must=True))
        stdio_port = clients.getsockname()[1]
    else:
        clients_path = settings.socket_path(MCP_SOCKET)
        clients = stack.enter_context(bind_unix(clients_path))
        stack.callback(_remove, clients_path)
    record = {
        "pid": os.getpid(),
        "version": __version__,
        "host": settings.host,
        "port": app.core.address.port,
        "url": app.core.address.local,
        "stdio_port": stdio_port,
        "socket": str(clients_path or ""),
        "control": str(control_path),
        "settings": settings.model_dump(mode="json"),
    }
    _write_private(settings.home / DAEMON_FILE, orjson.dumps(record, option=orjson.OPT_INDENT_2))
    stack.callback(_remove, settings.home / DAEMON_FILE)
    return _Ears(web, control, Listener(clients, app, needs_proof=bool(stdio_port)))


async def _run(app: App, mode: Mode, ears: _Ears, stopping: anyio.Event) -> None:
    web, control = _server(app.web), _server(app.control)
    async with anyio.create_task_group() as around:
        around.start_soon(_watch_signals, stopping)
        async with anyio.create_task_group() as servers:
            servers.start_soon(web.serve, [ears.web])
            servers.start_soon(control.serve, [ears.control])
            await servers.start(ears.clients.serve, stopping)
            if mode.stream is not None:
                servers.start_soon(_serve_here, app, mode.stream, stopping)
            url = app.core.address.local
            _log.info("Ready.", url=url, pid=os.getpid(), version=__version__)
            mode.ready(url)
            await stopping.wait()
            _log.info("Stopping.")
            # New clients are refused, streams say farewell, calls under way get a moment, then
            # everything is cut.
            web.should_exit = control.should_exit = True
            ears.clients.close()
            app.core.feed.close()
            with anyio.move_on_after(_STREAMS_S):
                await app.transports.drain()
            ears.clients.cut()
            servers.cancel_scope.deadline = anyio.current_time() + _STREAMS_S + 1
        around.cancel_scope.cancel()


async def _serve_here(app: App, stream: ByteStream, stopping: anyio.Event) -> None:
    settings = app.core.settings
    toolsets = frozenset(settings.toolsets)
    caller = Caller("stdio", preset=settings.preset, toolsets=toolsets, local=True)
    try:
        await app.transports.serve(Frames(stream, settings.request_max_bytes), caller)
    finally:
        stopping.set()


async def _watch_signals(stopping: anyio.Event) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as received:
        async for number in received:
            if stopping.is_set():
                # Asked twice: the store is made for being cut at any moment.
                os._exit(128 + number)
            stopping.set()


class _Server(uvicorn.Server):
    """One of several in this process, so none of them handles its signals."""

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


def _server(app: ASGIApp) -> _Server:
    return _Server(
        uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            # Whoever sets X-Forwarded-For is not thereby on this machine.
            proxy_headers=False,
            ws="websockets-sansio",
            ws_max_size=_FRAME_MAX_BYTES,
            timeout_graceful_shutdown=_STREAMS_S,
        )
    )


def _write_private(file: Path, data: bytes) -> None:
    """As a whole or not at all: a client reads it at any moment."""
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(descriptor, "wb") as stream:
        stream.write(data)
    part.replace(file)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink(missing_ok=True)
