"""One request and its answer, as httpcore carries them: no cookie, no proxy, no redirect."""

import ssl
from collections.abc import Mapping
from contextlib import aclosing

import httpcore2

from messengers.errors import InvalidInput, Uncertain
from messengers.guarded.connections import Connections
from messengers.guarded.replies import Reply, unreachable
from messengers.urls import SafeUrl

__all__ = ["Exchanges"]

_MAX_CONNECTIONS = 10
_NOTHING_LEFT = httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.LocalProtocolError
_LOST = httpcore2.NetworkError, httpcore2.TimeoutException, httpcore2.ProtocolError


class Exchanges:
    """Requests over guarded connections, each over one of its own.

    None is kept for the next: its address is looked at for each request anew.
    """

    def __init__(self, connections: Connections, tls: ssl.SSLContext | None) -> None:
        self.connections = connections
        self._pool = httpcore2.AsyncConnectionPool(
            # httpcore would make one for each connection.
            ssl_context=tls or httpcore2.default_ssl_context(),
            max_connections=_MAX_CONNECTIONS,
            max_keepalive_connections=0,
            network_backend=connections,
        )

    async def get(self, url: SafeUrl, headers: Mapping[str, str], max_bytes: int) -> Reply:
        """An answer whole and as it is. Raises InvalidInput: too large or compressed."""
        return await self._once("GET", url, headers, None, max_bytes)

    async def post(
        self, url: SafeUrl, headers: Mapping[str, str], content: bytes, max_bytes: int
    ) -> Reply:
        """An answer of which only the beginning is kept; of a compressed one only its head."""
        return await self._once("POST", url, headers, content, max_bytes)

    async def aclose(self) -> None:
        """End what is connected."""
        await self._pool.aclose()

    async def _once(
        self,
        method: str,
        url: SafeUrl,
        headers: Mapping[str, str],
        content: bytes | None,
        max_bytes: int,
    ) -> Reply:
        place = httpcore2.URL(
            scheme=url.scheme.encode(),
            host=url.host.encode(),
            port=url.port,
            target=url.target.encode(),
        )
        sent = {
            "Host": url.origin.partition("://")[2],
            "User-Agent": "Messengers",
            "Accept-Encoding": "identity",
            "Connection": "close",
            **headers,
        }
        try:
            async with self._pool.stream(
                method, place, headers=list(sent.items()), content=content
            ) as answer:
                told = {
                    name.decode("ascii").lower(): value.decode("latin-1")
                    for name, value in answer.headers
                }
                whole = method == "GET" and answer.status == 200
                body = await _body(answer, told, max_bytes, whole=whole)
                return Reply(answer.status, told, body, url)
        except _NOTHING_LEFT as exc:
            raise unreachable() from exc
        except _LOST as exc:
            raise Uncertain("The address did not answer.", "It may have what was sent.") from exc


async def _body(
    answer: httpcore2.Response, headers: Mapping[str, str], max_bytes: int, *, whole: bool
) -> bytes:
    """The bytes as they came; counted while they come, for no length that is claimed binds."""
    if headers.get("content-encoding", "identity").lower() not in ("", "identity"):
        if whole:
            raise InvalidInput("The answer is compressed, though nothing was asked to be.")
        return b""
    claimed = headers.get("content-length", "")
    if whole and claimed.isdigit() and int(claimed) > max_bytes:
        raise _too_large(max_bytes)
    body = bytearray()
    async with aclosing(answer.aiter_stream()) as chunks:
        async for chunk in chunks:
            body += chunk
            if len(body) > max_bytes:
                break
    if whole and len(body) > max_bytes:
        raise _too_large(max_bytes)
    return bytes(body[:max_bytes])


def _too_large(max_bytes: int) -> InvalidInput:
    return InvalidInput(f"The answer is larger than {max_bytes:,} bytes.", "Choose a smaller one.")
