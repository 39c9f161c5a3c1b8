"""The ways a client reaches the server: in memory, a unix socket, streamable HTTP, the older SSE.

Each way is the product's own transport, with a real client at the other end.
"""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import uvicorn
from anyio.abc import SocketStream
from mcp.client._transport import Transport
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from starlette.applications import Starlette
from starlette.middleware import Middleware

from messengers.core.callers import OWNER, Caller
from messengers.core.core import Core
from messengers.mcp_server.frames import Frames
from messengers.mcp_server.server import build_server
from messengers.mcp_server.transports import Transports
from messengers.models import Preset, Toolset
from messengers.sockets import bind_tcp
from messengers.web.middleware import Bodies, KeyCheck

__all__ = ["WAYS", "Way"]

MAX_BYTES = 4 * 1024 * 1024
Toolsets = Sequence[Toolset]
Way = Callable[[Core, Preset, Toolsets, Path], AbstractAsyncContextManager[Transport]]


@asynccontextmanager
async def unix(
    core: Core, preset: Preset, toolsets: Toolsets, folder: Path
) -> AsyncGenerator[Transport]:
    """What `messengers stdio` pumps into."""
    transports = Transports(build_server(core), MAX_BYTES)
    path = folder / "s.sock"
    left = anyio.Event()

    async def serve(stream: SocketStream) -> None:
        async with stream:
            caller = Caller("stdio", preset=preset, toolsets=frozenset(toolsets), local=True)
            await transports.serve(Frames(stream, MAX_BYTES), caller)
        left.set()

    async with (
        transports.run(),
        await anyio.create_unix_listener(path) as listener,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(listener.serve, serve)
        async with await anyio.connect_unix(path) as stream:
            yield Frames(stream, MAX_BYTES).open()
        await left.wait()
        tasks.cancel_scope.cancel()


@asynccontextmanager
async def listening(
    core: Core,
    preset: Preset,
    toolsets: Toolsets = (),
    *,
    idle_s: float = 1800,
    most_sessions: int = 500,
) -> AsyncGenerator[tuple[str, dict[str, str]]]:
    """The MCP routes behind the key check on a loopback port: base URL and headers."""
    transports = Transports(
        build_server(core), MAX_BYTES, idle_s=idle_s, most_sessions=most_sessions
    )
    guards = [
        Middleware(KeyCheck, keys=core.keys, tickets=core.tickets),
        Middleware(Bodies, settings=core.settings),
    ]
    app = Starlette(routes=transports.routes, middleware=guards)
    config = uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    name = f"test {preset} {id(config)}"
    _, secret = await core.keys.create(OWNER, name, preset, toolsets=toolsets)
    with bind_tcp("127.0.0.1", 0, must=True) as bound:
        async with transports.run(), anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [bound])
            yield (
                f"http://127.0.0.1:{bound.getsockname()[1]}",
                {"Authorization": f"Bearer {secret}"},
            )
            await transports.drain()
            server.should_exit = True


@asynccontextmanager
async def http(
    core: Core, preset: Preset, toolsets: Toolsets, _: Path
) -> AsyncGenerator[Transport]:
    async with (
        listening(core, preset, toolsets) as (url, headers),
        httpx2.AsyncClient(headers=headers, timeout=20) as client,
    ):
        yield streamable_http_client(f"{url}/mcp", http_client=client)


@asynccontextmanager
async def sse(core: Core, preset: Preset, toolsets: Toolsets, _: Path) -> AsyncGenerator[Transport]:
    async with listening(core, preset, toolsets) as (url, headers):
        yield sse_client(f"{url}/sse", headers=headers)


WAYS: dict[str, Way] = {"unix": unix, "http": http, "sse": sse}
