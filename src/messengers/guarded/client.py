"""Requests to addresses that somebody named, each bounded in where, how long and how much.

Nothing of the machine is trusted or given: no proxy of the environment, no cookie, no redirect
that was not looked at, no compression that could unfold.
"""

import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING

import anyio

from messengers.errors import InvalidInput, Uncertain
from messengers.guarded.hosts import WEB_PORTS, AllowedHosts
from messengers.guarded.replies import Reply, unreachable
from messengers.urls import SafeUrl

if TYPE_CHECKING:
    from httpcore2 import AsyncNetworkBackend

    from messengers.guarded.connections import Lookup
    from messengers.guarded.exchanges import Exchanges

__all__ = ["Guard"]

_CONNECT_S = 5.0
_DEADLINE_S = 30.0
_HOPS = 3


class Guard:
    """The one client for addresses that a user, an agent or a message names."""

    def __init__(
        self,
        private: AllowedHosts | None = None,
        *,
        lookup: "Lookup | None" = None,
        network: "AsyncNetworkBackend | None" = None,
        tls: ssl.SSLContext | None = None,
        proxy: SafeUrl | None = None,
        connect_s: float = _CONNECT_S,
    ) -> None:
        """`private`: what the owner allowed of an inner network, or on other ports.

        `proxy` carries connections to the addresses that were looked at here.
        `connect_s`: within that time a connection stands, and at its end every failure of one is
        told. `lookup`, `network` and `tls` stand for the system's resolver, its connections and its
        certificates.
        """
        self._private = private or AllowedHosts()
        self._lookup = lookup
        self._network = network
        self._tls = tls
        self._proxy = proxy
        self._connect_s = connect_s
        self._opening = anyio.Lock()
        self._opened: Exchanges | None = None

    async def fetch(
        self,
        url: SafeUrl,
        *,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        within: AllowedHosts | None = None,
        deadline_s: float = _DEADLINE_S,
    ) -> Reply:
        """What stands at an address, after at most three redirects, each judged as the first.

        `headers` go to the origin of `url` only, and with `within` no redirect leads beyond it.

        Raises:
            InvalidInput: the address or one it leads to cannot be used, it answered with a refusal,
                or the answer is too large or compressed.
            Unreachable: blocked, unknown, refused or too slow, which all look alike.
        """
        try:
            with anyio.fail_after(deadline_s):
                return await self._followed(url, headers or {}, max_bytes, within)
        except (TimeoutError, Uncertain) as exc:
            raise unreachable() from exc

    async def post(
        self,
        url: SafeUrl,
        content: bytes,
        headers: Mapping[str, str],
        *,
        max_bytes: int = 65_536,
        deadline_s: float = _DEADLINE_S,
    ) -> Reply:
        """Deliver to an address; its answer, cut at `max_bytes`, whatever it is. Follows nothing.

        Raises:
            InvalidInput: the address cannot be used; nothing was sent.
            Unreachable: certain that nothing was sent.
            Uncertain: it may have been delivered; no answer came in time.
        """
        self._check_port(url)
        exchanges = await self._exchanges()
        try:
            with anyio.fail_after(deadline_s):
                return await exchanges.post(url, headers, content, max_bytes)
        except TimeoutError as exc:
            raise Uncertain("The address did not answer in time.") from exc

    async def check(self, url: SafeUrl) -> None:
        """Look where an address leads now, and connect to nothing.

        Raises InvalidInput and Unreachable as `fetch` does, and as late.
        """
        self._check_port(url)
        if not await (await self._exchanges()).connections.may_reach(url.host, url.port):
            raise unreachable()

    async def aclose(self) -> None:
        """End what is connected."""
        if self._opened is not None:
            await self._opened.aclose()

    async def _followed(
        self,
        url: SafeUrl,
        headers: Mapping[str, str],
        max_bytes: int,
        within: AllowedHosts | None,
    ) -> Reply:
        exchanges, at = await self._exchanges(), url
        for _ in range(_HOPS + 1):
            self._check_port(at)
            reply = await exchanges.get(at, headers if at.origin == url.origin else {}, max_bytes)
            if not reply.is_redirect:
                return reply.require_success()
            at = reply.next_url
            if within is not None and not within.holds(at.host, at.port):
                raise InvalidInput("That address leads to another host.", "Use another.")
        raise InvalidInput("That address leads on too often.", "Give the one it leads to.")

    def _check_port(self, url: SafeUrl) -> None:
        if url.port not in WEB_PORTS and not self._private.holds(url.host, url.port):
            raise InvalidInput(
                "Only ports 80 and 443 are connected to.",
                "The owner can allow a host's other port with MESSENGERS_PRIVATE_HOSTS.",
            )

    async def _exchanges(self) -> "Exchanges":
        """Made for the first request, in a thread: most daemons never need it."""
        async with self._opening:
            if self._opened is None:
                self._opened = await anyio.to_thread.run_sync(self._open)
            return self._opened

    def _open(self) -> "Exchanges":
        from httpcore2 import AnyIOBackend

        from messengers.guarded.connections import Connections, looked_up
        from messengers.guarded.exchanges import Exchanges

        lookup, network = self._lookup or looked_up, self._network or AnyIOBackend()
        connections = Connections(self._private, lookup, network, self._proxy, self._connect_s)
        return Exchanges(connections, self._tls)
