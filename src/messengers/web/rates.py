"""How often who asks is answered: those without a key by where they come from, others by their key.

Pure ASGI, in two places: before the key check, so that guessing is slow, and behind it.
"""

import math
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from messengers.core.allowance import Standing
from messengers.core.limits import Limits
from messengers.web.doors import door_of
from messengers.web.refusals import refuse, refused

__all__ = ["KeyRates", "PeerRates", "peer_of"]

_FAILED = frozenset({401, 403, 404})
"""What somebody hears who guesses keys, signatures, tokens or addresses."""
_PROVEN = frozenset({"key", "signature", "owner"})
"""How doors are opened where whoever has no proof fails at once, and is counted then."""
_IPV6_CUSTOMER = 64
"""Bits of an IPv6 address that belong to one household."""


class PeerRates:
    """Before the key check: nobody tries too much, and nobody without a key asks too often.

    A key, signature or owner's login that holds is heard from any address: nobody guesses one, and
    strangers behind the same proxy, or pages in the owner's browser, must not be able to lock the
    others out. Who fails too often hears nothing else.
    """

    def __init__(self, app: ASGIApp, limits: Limits, trusted_proxies: Sequence[str]) -> None:
        self._app = app
        self._limits = limits
        self._trusted = tuple(ip_network(each, strict=False) for each in trusted_proxies)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        peer = peer_of(scope, self._trusted)
        if door_of(scope["path"]).opened_by not in _PROVEN:
            standing = self._limits.barred(peer)
            if not standing.wait_s:
                standing = self._limits.visit(peer)
            if standing.wait_s:
                await refuse(_too_often(standing), scope, receive, send)
                return
        await self._app(scope, receive, self._watched(peer, scope, receive, send))

    def _watched(self, peer: str, scope: Scope, receive: Receive, send: Send) -> Send:
        """Counts what failed, and puts another answer in the place of one too many."""
        is_refused = False

        async def watch(message: Message) -> None:
            nonlocal is_refused
            if is_refused:
                return
            start = message["type"] == "http.response.start"
            if start and message["status"] in _FAILED and "caller" not in scope:
                standing = self._limits.failed(peer)
                is_refused = standing.wait_s > 0
                if is_refused:
                    await _too_often(standing)(scope, receive, send)
                    return
            await send(message)

        return watch


class KeyRates:
    """Behind the key check: each key has its rate, and every answer says what is left of it."""

    def __init__(self, app: ASGIApp, limits: Limits) -> None:
        self._app = app
        self._limits = limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = scope.get("caller")
        if caller is None:
            await self._app(scope, receive, send)
            return
        standing = self._limits.request(caller)
        if standing.wait_s:
            await refuse(_too_often(standing), scope, receive, send)
            return

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_headers(standing))
            await send(message)

        await self._app(scope, receive, tell)


_Network = IPv4Network | IPv6Network


def peer_of(scope: Scope, trusted: Sequence[_Network] = ()) -> str:
    """Where a request comes from: the peer, or whom a trusted proxy names as the last before it."""
    client = scope.get("client")
    peer = str(client[0]) if client else ""
    if trusted:
        named = Headers(scope=scope).getlist("x-forwarded-for")
        for each in reversed(",".join(named).split(",")):
            if not _is_in(peer, trusted) or not each.strip():
                break
            peer = each.strip()
    return _place(peer)


def _is_in(peer: str, networks: Sequence[_Network]) -> bool:
    try:
        address = ip_address(peer)
    except ValueError:
        return False
    return any(address in network for network in networks)


def _place(peer: str) -> str:
    """An address, or of a newer one the network of one customer."""
    try:
        address = ip_address(peer.partition("%")[0])
    except ValueError:
        return "nowhere"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(IPv6Network((address, _IPV6_CUSTOMER), strict=False).network_address)
    return str(address)


def _too_often(standing: Standing) -> Response:
    headers = {"Retry-After": str(math.ceil(standing.wait_s)), **_headers(standing)}
    return refused(429, "rate_limited", "Too many requests.", "Wait, then ask again.", **headers)


def _headers(standing: Standing) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(standing.limit),
        "X-RateLimit-Remaining": str(standing.remaining),
        "X-RateLimit-Reset": str(math.ceil(standing.reset_s)),
    }
