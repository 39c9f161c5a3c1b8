"""What every request passes before its route: pure ASGI, from the outside in.

Log, headers, Host and Origin, key, body. The cheap refusals stand before the one that has to read:
who may not come in cannot make us hold four megabytes for him.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from time import perf_counter
from typing import TYPE_CHECKING, cast
from urllib.parse import parse_qsl, urlencode

import anyio
import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect, HTTPConnection
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from messengers.core.callers import Caller
from messengers.core.keys import Keys
from messengers.core.tickets import Tickets
from messengers.errors import InvalidInput
from messengers.settings import LOOPBACK_NAMES, Settings
from messengers.web.doors import NOWHERE, door_of
from messengers.web.headers import DATA, ONLY_HTTPS, PAGE
from messengers.web.origins import is_https
from messengers.web.refusals import refuse, refused
from messengers.wire import parse

if TYPE_CHECKING:
    from messengers.web.oauth import Issuer

__all__ = ["Bodies", "Hosts", "KeyCheck", "RequestLog", "SecurityHeaders"]

_log = structlog.get_logger(__name__)
_BODY_METHODS = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_FORM = "application/x-www-form-urlencoded"
_FAREWELL_S = 1.0
_LEAST = "messages:read"
"""The scope that a client of `/mcp` is told to ask for: each tool names its own."""
_FRAMING_BYTES = 64 * 1024
"""What a multipart body has around the file."""
_STARTS = frozenset({"http.response.start", "websocket.http.response.start"})
"""How an answer begins, to a request and to a handshake that is refused."""
_WILDCARDS = ("0.0.0.0", "::", "")  # noqa: S104 - recognised, not bound


class RequestLog:
    """One entry a request: method, the route's template, status, time. Never a query or a body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            route = scope.get("route")
            caller: Caller | None = scope.get("caller")
            log = _log.debug if 0 < status < 400 else _log.info
            log(
                "request",
                method=scope["method"],
                path=getattr(route, "path", "(no route)"),
                status=status,
                ms=round((perf_counter() - began) * 1000, 1),
                actor=caller.actor if caller else "",
            )


class SecurityHeaders:
    """The headers of a page on every page, of data on everything else.

    Where a route has chosen its own, they stay.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._public_url = settings.public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        by_https = is_https(HTTPConnection(scope), self._public_url)
        more: Mapping[str, str] = ONLY_HTTPS if by_https else {}

        async def add(message: Message) -> None:
            if message["type"] in _STARTS:
                headers = MutableHeaders(scope=message)
                is_page = headers.get("content-type", "").startswith("text/html")
                for name, value in {**(PAGE if is_page else DATA), **more}.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, add)


class Hosts:
    """Host and Origin, on every transport: against DNS rebinding and foreign pages.

    The port is asked for each time, because it is known only once something listens.
    """

    def __init__(self, app: ASGIApp, settings: Settings, port: Callable[[], int]) -> None:
        self._app = app
        self._settings = settings
        self._port = port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not hosts[0]:
            response = refused(400, "bad_request", "One Host header is expected.")
        elif hosts[0].lower() not in self._names():
            response = refused(
                421,
                "misdirected",
                "This server does not answer under this host name.",
                "The owner can allow it: MESSENGERS_ALLOWED_HOSTS.",
            )
        elif not self._is_allowed_origin(headers.getlist("origin")):
            response = refused(403, "forbidden", "Pages of this origin may not call this server.")
        else:
            await self._app(scope, receive, send)
            return
        await refuse(response, scope, receive, send)

    def _names(self) -> set[str]:
        """Host headers that mean us."""
        settings = self._settings
        names: list[str] = [*LOOPBACK_NAMES]
        if settings.host not in _WILDCARDS:
            names.append(settings.host)
        bracketed = [f"[{name}]" if ":" in name else name for name in names]
        port = self._port()
        own = {f"{name}:{port}" for name in bracketed}
        if port == 80:
            own.update(bracketed)
        allowed = {name.lower() for name in settings.allowed_hosts}
        public = settings.public_url.partition("://")[2].partition("/")[0].lower()
        return own | allowed | ({public} if public else set())

    def _is_allowed_origin(self, origins: list[str]) -> bool:
        """No Origin is no browser. Ours are the pages of every name we answer to."""
        if not origins:
            return True
        if len(origins) != 1:
            return False
        origin = origins[0].lower()
        if origin in {each.lower().rstrip("/") for each in self._settings.allowed_origins}:
            return True
        scheme, _, host = origin.partition("://")
        return scheme in ("http", "https") and host in self._names()


class KeyCheck:
    """Who asks: `scope["caller"]` for every route that is not an open door.

    The key is taken from the header only, a ticket from the query. Unknown, wrong, expired and
    revoked ones, and none, are answered alike. What goes on when a key ends, ends with it.
    """

    def __init__(
        self, app: ASGIApp, keys: Keys, tickets: Tickets, issuer: "Issuer | None" = None
    ) -> None:
        self._app = app
        self._keys = keys
        self._tickets = tickets
        self._issuer = issuer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = door_of(scope["path"]) if scope["type"] in ("http", "websocket") else None
        if door is None or door.opened_by != "key":
            await self._app(scope, receive, send)
            return
        secret = _bearer(scope)
        caller = self._keys.verify(secret, from_loopback=_is_loopback(scope)) if secret else None
        issuer = self._issuer if door.takes_oauth else None
        if caller is None and door.takes_ticket:
            scope, caller = self._by_ticket(scope)
        if caller is None and issuer is not None and secret.count(".") == 2:
            caller = await issuer.caller(secret)
        if caller is None:
            await refuse(_unauthorized(issuer), scope, receive, send)
        elif issuer is not None and not caller.granted:
            response = refused(403, "forbidden", "This token has no scope that counts here.")
            told = f'Bearer error="insufficient_scope", {issuer.challenge(_LEAST)}'
            response.headers["WWW-Authenticate"] = told
            await refuse(response, scope, receive, send)
        elif door is NOWHERE:
            response = refused(404, "not_found", "There is nothing at this address.")
            await refuse(response, scope, receive, send)
        elif door.scope and not caller.may(door.scope):
            response = refused(403, "forbidden", f"This key lacks the scope {door.scope}.")
            await refuse(response, scope, receive, send)
        else:
            scope["caller"] = caller
            await self._serve(caller, scope, receive, send)

    async def _serve(self, caller: Caller, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve for as long as the key holds: when it ends, its client has left.

        Whatever streams listens for that, and puts its things away, which a cancelled one need not.
        """
        is_open = has_ended = False

        async def listen() -> Message:
            nonlocal has_ended
            with self._keys.held(caller):
                return await receive()
            has_ended = True
            return {"type": f"{scope['type']}.disconnect"}

        async def watch(message: Message) -> None:
            nonlocal is_open
            await send(message)
            is_open = message["type"] == "http.response.start" or message.get("more_body", False)

        await self._app(scope, listen, watch)
        if has_ended and is_open:
            with anyio.move_on_after(_FAREWELL_S):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _by_ticket(self, scope: Scope) -> tuple[Scope, Caller | None]:
        """Whose ticket the query shows, and the request without it."""
        asked = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        shown = [value for name, value in asked if name == "ticket"]
        caller = self._tickets.take(shown[0], scope["path"]) if len(shown) == 1 else None
        if caller is None or (caller.local and not _is_loopback(scope)):
            return scope, None
        rest = urlencode([each for each in asked if each[0] != "ticket"])
        return {**scope, "query_string": rest.encode("ascii")}, caller


def _bearer(scope: Scope) -> str:
    """The key or token of a request, from its one header; empty without."""
    given = Headers(scope=scope).getlist("authorization")
    scheme, _, secret = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    return secret.strip() if scheme.lower() == "bearer" else ""


def _unauthorized(issuer: "Issuer | None") -> Response:
    """The same for every key that does not hold, and none."""
    more = f", {issuer.challenge(_LEAST)}" if issuer else ""
    return refused(
        401,
        "unauthorized",
        "A key is needed, and none that holds was given.",
        "Send `Authorization: Bearer …`; `messengers keys create` makes a key.",
        **{"WWW-Authenticate": f'Bearer realm="messengers"{more}'},
    )


class Bodies:
    """Bodies within their limit, and JSON that is strictly JSON: its value as `scope["json"]`."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._max_bytes = settings.request_max_bytes
        self._max_upload_bytes = settings.media_max_bytes + _FRAMING_BYTES

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in _BODY_METHODS:
            await self._app(scope, receive, send)
            return
        try:
            refusal, again = await self._judge(scope, receive)
        except ClientDisconnect:
            return
        if refusal is None:
            await self._app(scope, again, send)
        else:
            await refusal(scope, receive, send)

    async def _judge(self, scope: Scope, receive: Receive) -> tuple[Response | None, Receive]:
        """What refuses the body, if anything, and where to read it once more."""
        kind = door_of(scope["path"]).body
        limit = self._max_upload_bytes if kind == "any" else self._max_bytes
        too_large = refused(413, "too_large", f"A body may have {limit} bytes.")
        headers = Headers(scope=scope)
        if _declared(headers) > limit:
            return too_large, receive
        if kind == "any":
            # The route reads it piece by piece, and counts.
            return None, receive
        body = await _read(receive, limit)
        if body is None:
            return too_large, receive
        try:
            fits = _check(scope, kind, headers.get("content-type", ""), body)
        except InvalidInput as exc:
            return refused(400, "invalid_json", exc.cause, exc.remedy), receive
        if not fits:
            wanted = {"form": f"This route takes {_FORM}.", "none": "This route takes no body."}
            cause = wanted.get(kind, "This route takes application/json.")
            return refused(415, "unsupported_media_type", cause), receive
        return None, _replay(body, receive)


def _check(scope: Scope, kind: str, content_type: str, body: bytes) -> bool:
    """Whether the body is of its route's kind; JSON is read and kept."""
    if not body:
        return True
    given = content_type.partition(";")[0].strip().lower()
    if kind == "json" and given == "application/json":
        scope["json"] = parse(body)
        return True
    return kind == "form" and given == _FORM


def _declared(headers: Headers) -> int:
    length = headers.get("content-length", "")
    return int(length) if length.isascii() and length.isdigit() else 0


async def _read(receive: Receive, limit: int) -> bytes | None:
    """The whole body; None when it is longer than allowed, whatever it said of itself.

    Raises:
        ClientDisconnect: the rest never came, and nobody waits for an answer.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += cast("bytes", message.get("body", b""))
        if len(body) > limit:
            return None
        if not message.get("more_body", False):
            return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    """What was read, once more; after it the connection's own events."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def _is_loopback(scope: Scope) -> bool:
    """Whether the peer itself is on this machine. What a proxy says about others is not asked."""
    client = scope.get("client")
    try:
        return client is not None and ip_address(client[0]).is_loopback
    except ValueError:
        return False
