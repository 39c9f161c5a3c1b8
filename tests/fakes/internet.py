"""An internet of this machine: names with addresses, and real servers on loopback behind them."""

import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import anyio
import httpcore2
from anyio.abc import ByteStream, SocketAttribute
from anyio.streams.tls import TLSListener
from httpcore2 import AnyIOBackend

from messengers.guarded import AllowedHosts, Guard
from messengers.urls import SafeUrl

__all__ = ["PUBLIC", "Answer", "Internet", "Server", "saying", "serving"]

PUBLIC = "93.184.216.34"
Answer = Callable[[ByteStream], Awaitable[None]]


class Server:
    """A TCP server on loopback that counts who comes, and answers as it is told."""

    def __init__(self) -> None:
        self.connections = 0
        self.requests: list[bytes] = []
        self.answer: Answer = saying(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
        self.port = 0

    async def serve(self, stream: ByteStream) -> None:
        self.connections += 1
        async with stream:
            request = b""
            while not _is_whole(request):
                try:
                    request += await stream.receive()
                except (anyio.EndOfStream, anyio.BrokenResourceError):
                    return
            self.requests.append(request)
            try:
                await self.answer(stream)
            except anyio.BrokenResourceError:
                return


def _is_whole(request: bytes) -> bool:
    head, mark, body = request.partition(b"\r\n\r\n")
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(mark) and len(body) >= (int(length[0].split(b":")[1]) if length else 0)


def saying(*chunks: bytes) -> Answer:
    """These bytes, in order."""

    async def answer(stream: ByteStream) -> None:
        for chunk in chunks:
            await stream.send(chunk)

    return answer


class Internet(httpcore2.AsyncNetworkBackend):
    """Which name has which addresses, and which server answers at one.

    A loopback address leads to `server` whatever the port: a guard that lets one through is seen.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self._network: httpcore2.AsyncNetworkBackend = AnyIOBackend()
        self.names: dict[str, Sequence[str]] = {}
        self.lookups: list[str] = []
        self.tried: list[tuple[str, int]] = []
        self.silent: set[str] = set()

    async def lookup(self, host: str, port: int) -> Sequence[str]:
        self.lookups.append(host)
        if host in self.names:
            return self.names[host]
        if ":" in host or host.replace(".", "").isdigit():
            return [host]
        if host == "localhost" or host.endswith(".localhost"):
            return ["::1", "127.0.0.1"]
        raise OSError("Name or service not known")

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 — the interface is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.tried.append((host, port))
        if host in self.silent:
            with anyio.move_on_after(timeout):
                await anyio.sleep_forever()
            raise httpcore2.ConnectTimeout
        return await self._network.connect_tcp("127.0.0.1", self.server.port, timeout)

    def guard(
        self,
        *private: str,
        tls: ssl.SSLContext | None = None,
        proxy: SafeUrl | None = None,
        connect_s: float = 0.3,
    ) -> Guard:
        return Guard(
            AllowedHosts(private),
            lookup=self.lookup,
            network=self,
            tls=tls,
            proxy=proxy,
            connect_s=connect_s,
        )


@asynccontextmanager
async def serving(secured: ssl.SSLContext | None = None) -> AsyncGenerator[Server]:
    """A server that runs."""
    made = Server()
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        made.port = listener.extra(SocketAttribute.local_port)  # noqa: S610 — not django's
        if secured is None:
            tasks.start_soon(listener.serve, made.serve)
        else:
            tls = TLSListener(listener, secured, standard_compatible=False)
            tasks.start_soon(tls.serve, made.serve)
        yield made
        tasks.cancel_scope.cancel()
