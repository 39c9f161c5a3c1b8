"""The way an engine is sent to the fake: an HTTP CONNECT proxy that knows WhatsApp's hosts only.

Any other host is refused, so that no test can reach the real world by accident.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import anyio
from anyio import TypedAttributeProvider
from anyio.abc import ByteReceiveStream, ByteSendStream, SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

__all__ = ["Proxy"]

_HEAD_MAX_BYTES = 65_536
_CHUNK_BYTES = 262_144
_LOST = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError, OSError)


class Proxy:
    """`connects` lists what was asked for; `cut` breaks one connection without a goodbye."""

    def __init__(self) -> None:
        self._target_port = 0
        self._tunnels: dict[int, anyio.CancelScope] = {}
        self.connects: list[str] = []
        self.port = 0

    @asynccontextmanager
    async def running(self, target_port: int) -> AsyncGenerator[None]:
        """In front of the server on that port."""
        self._target_port = target_port
        async with (
            await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
            anyio.create_task_group() as tasks,
        ):
            self.port = _local_port(listener)
            tasks.start_soon(listener.serve, self._serve)
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()

    def cut(self, port: int) -> bool:
        """Breaks the tunnel whose end at the server has this port."""
        scope = self._tunnels.get(port)
        if scope is not None:
            scope.cancel()
        return scope is not None

    def cut_all(self) -> None:
        for scope in list(self._tunnels.values()):
            scope.cancel()

    async def _serve(self, client: SocketStream) -> None:
        async with client:
            try:
                reader = BufferedByteReceiveStream(client)
                head = await reader.receive_until(b"\r\n\r\n", _HEAD_MAX_BYTES)
                method, target, *_ = head.decode("latin-1").split(" ")
                self.connects.append(target)
                host = target.rpartition(":")[0]
                if method != "CONNECT" or not host.endswith((".whatsapp.com", ".whatsapp.net")):
                    await client.send(b"HTTP/1.1 502 Not one of WhatsApp's hosts\r\n\r\n")
                    return
                await self._tunnel(client)
            except (*_LOST, anyio.IncompleteRead, anyio.DelimiterNotFound):
                return

    async def _tunnel(self, client: SocketStream) -> None:
        server = await anyio.connect_tcp("127.0.0.1", self._target_port)
        port = _local_port(server)
        async with server:
            await client.send(b"HTTP/1.1 200 Connected\r\n\r\n")
            try:
                async with anyio.create_task_group() as tasks:
                    self._tunnels[port] = tasks.cancel_scope
                    tasks.start_soon(_pump, client, server, tasks.cancel_scope)
                    tasks.start_soon(_pump, server, client, tasks.cancel_scope)
            finally:
                del self._tunnels[port]
                await anyio.aclose_forcefully(server)
                await anyio.aclose_forcefully(client)


def _local_port(end: TypedAttributeProvider) -> int:
    return int(end.extra(SocketAttribute.local_port))  # noqa: S610 — no Django here


async def _pump(
    source: ByteReceiveStream, target: ByteSendStream, tunnel: anyio.CancelScope
) -> None:
    try:
        while True:
            await target.send(await source.receive(_CHUNK_BYTES))
    except _LOST:
        tunnel.cancel()
