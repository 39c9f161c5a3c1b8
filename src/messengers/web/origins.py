"""Whether a browser's request comes from a page of ours."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection, Request

__all__ = ["is_https", "is_local", "is_own_origin", "is_own_page"]


def is_own_origin(headers: Headers, public_url: str = "") -> bool:
    """No Origin is no browser page, and passes.

    Any other must be the host that was asked, or `public_url`'s when a proxy stands in front.
    """
    origins = headers.getlist("origin")
    if not origins:
        return True
    hosts = headers.getlist("host")
    if len(origins) != 1 or len(hosts) != 1:
        return False
    scheme, _, host = origins[0].partition("://")
    if scheme not in ("http", "https") or not host:
        return False
    return host == hosts[0].lower() or (bool(public_url) and origins[0] == _origin_of(public_url))


def is_own_page(request: Request) -> bool:
    """Sent by a page of ours: browsers tell with every POST, so silence is no excuse."""
    return (
        "origin" in request.headers
        and is_own_origin(request.headers)
        and request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    )


def is_local(request: Request) -> bool:
    """From this machine, by a name of it, and not passed on by a proxy for somebody else."""
    forwarded = {"forwarded", "x-forwarded-for", "x-real-ip"} & set(request.headers)
    peer = request.client.host if request.client else ""
    return not forwarded and _is_loopback(peer) and _is_loopback(request.url.hostname or "")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_https(request: HTTPConnection, public_url: str = "") -> bool:
    """Whether the browser came by https: to us, or to the proxy that `public_url` names."""
    host = request.headers.get("host", "").lower()
    return request.url.scheme in ("https", "wss") or _origin_of(public_url) == f"https://{host}"


def _origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
