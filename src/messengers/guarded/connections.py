"""Connections to checked addresses: the name is resolved once, every answer is looked at.

The pool above keeps the name for Host, TLS and its own order, so one connection never serves
another host; only the address is ours.
"""

import logging
import re
import socket
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import TypeVar

import anyio
import httpcore2

from messengers.guarded.addresses import is_public
from messengers.guarded.hosts import AllowedHosts
from messengers.urls import SafeUrl

__all__ = ["Connections", "Lookup", "looked_up"]


T = TypeVar("T")
log = logging.getLogger(__name__)
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]
"""(host, port) → every address it has. Raises OSError."""
_ATTEMPTS = 3
_MAX_HEAD = 8_192
_CARRIES = re.compile(rb"HTTP/1\.[01] 2[0-9][0-9] ")


async def looked_up(host: str, port: int) -> Sequence[str]:
    """What the system's resolver says."""
    found = await anyio.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(place[0]) for *_, place in found]


class Connections(httpcore2.AsyncNetworkBackend):
    """What a connection pool gets its connections from."""

    def __init__(
        self,
        private: AllowedHosts,
        lookup: Lookup,
        network: httpcore2.AsyncNetworkBackend,
        proxy: SafeUrl | None,
        connect_s: float,
    ) -> None:
        self._private = private
        self._lookup = lookup
        self._network = network
        self._proxy = proxy
        self._connect_s = connect_s

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 — the interface is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """A connection to a public address of that host, or ConnectError.

        Whatever the cause, an error comes at the same moment: how long it took tells nothing about
        a network that the asker cannot see.
        """
        return await self._within_time(host, port, self._connected)

    async def may_reach(self, host: str, port: int) -> bool:
        """Whether a connection would be tried now; a no comes when that of a connection would."""
        try:
            await self._within_time(host, port, self._checked)
        except httpcore2.ConnectError:
            return False
        return True

    async def _within_time(
        self, host: str, port: int, attempt: Callable[[str, int], Awaitable[T]]
    ) -> T:
        with anyio.move_on_after(self._connect_s):
            try:
                return await attempt(host, port)
            except (OSError, httpcore2.NetworkError, httpcore2.TimeoutException) as exc:
                log.warning("%s:%d was not reached: %s", host, port, exc)
                await anyio.sleep_forever()
        raise httpcore2.ConnectError

    async def _connected(self, host: str, port: int) -> httpcore2.AsyncNetworkStream:
        failure: Exception = httpcore2.ConnectError("there is nothing to connect to")
        for address in (await self._checked(host, port))[:_ATTEMPTS]:
            try:
                return await self._carried(address, port, self._connect_s / _ATTEMPTS)
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as exc:
                failure = exc
        raise httpcore2.ConnectError("nothing answers there") from failure

    async def _carried(
        self, address: str, port: int, within_s: float
    ) -> httpcore2.AsyncNetworkStream:
        """A line to a checked address; a proxy only carries it and chooses nothing."""
        if self._proxy is None:
            return await self._network.connect_tcp(address, port, within_s)
        stream = await self._network.connect_tcp(self._proxy.host, self._proxy.port, within_s)
        place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        await stream.write(f"CONNECT {place} HTTP/1.1\r\nHost: {place}\r\n\r\n".encode(), within_s)
        head = b""
        while b"\r\n\r\n" not in head and len(head) < _MAX_HEAD:
            chunk = await stream.read(_MAX_HEAD, within_s)
            head += chunk
            if not chunk:
                break
        if _CARRIES.match(head) is None or not head.endswith(b"\r\n\r\n"):
            await stream.aclose()
            raise httpcore2.ConnectError("the proxy does not carry it")
        return stream

    async def _checked(self, host: str, port: int) -> Sequence[str]:
        """Where a host may be connected to. Raises OSError: nowhere.

        One address that is not public refuses them all: a name of the internet has none.
        """
        addresses = await self._lookup(host, port)
        if not addresses:
            raise OSError("it has no address")
        if not self._private.holds(host, port) and not all(map(is_public, addresses)):
            raise OSError("an address of it is not public; private_hosts can allow it")
        return addresses

    async def sleep(self, seconds: float) -> None:
        await anyio.sleep(seconds)
