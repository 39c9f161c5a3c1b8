"""A web server on loopback, in the process of the test that uses it."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from socket import IPPROTO_TCP, TCP_NODELAY, create_server

import anyio
import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

__all__ = ["Listener", "listening"]

_STOP_S = 2


class _Server(uvicorn.Server):
    """The test's process handles its own signals; it ends when it is told, not at the next tick."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ended = anyio.Event()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.ended.wait()

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        yield


@dataclass
class Listener:
    port: int
    transports: dict[tuple[str, int], asyncio.Transport] = field(
        default_factory=dict[tuple[str, int], asyncio.Transport]
    )
    """Connections by the client's address."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _protocol(listener: Listener) -> type[asyncio.Protocol]:
    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:
            super().connection_made(transport)
            # asyncio leaves it out for sockets of create_server, and each answer waits 40 ms.
            transport.get_extra_info("socket").setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
            listener.transports[transport.get_extra_info("peername")] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            listener.transports.pop(self.transport.get_extra_info("peername"), None)
            super().connection_lost(exc)

    return Protocol


@asynccontextmanager
async def listening(app: Starlette) -> AsyncGenerator[Listener]:
    with create_server(("127.0.0.1", 0)) as socket:
        listener = Listener(int(socket.getsockname()[1]))
        server = _Server(
            uvicorn.Config(
                app,
                http=_protocol(listener),
                lifespan="off",
                ws="websockets-sansio",
                log_config=None,
                access_log=False,
                proxy_headers=False,
                timeout_graceful_shutdown=_STOP_S,
            )
        )
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [socket])
            yield listener
            server.ended.set()
