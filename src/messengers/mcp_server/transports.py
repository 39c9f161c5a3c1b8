"""How MCP reaches the server: streamable HTTP, the older SSE pair, byte streams. Who asks, on each.

All share one lifespan. The private names of the SDK that this takes stand in this file only, each
held by a test; everything else of the SDK is its public face.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

import anyio
from mcp.server import ServerRequestContext
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.connection import Connection
from mcp.server.mcpserver import MCPServer
from mcp.server.runner import serve_dual_era_loop
from mcp.server.sse import SseServerTransport
from mcp.server.subscriptions import ListenHandler
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.inbound import (
    MCP_METHOD_HEADER,
    MCP_NAME_HEADER,
    NAME_BEARING_METHODS,
    decode_header_value,
)
from mcp.types import HEADER_MISMATCH, SubscribeRequestParams, UnsubscribeRequestParams
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from messengers.core.callers import Caller
from messengers.core.core import Core
from messengers.errors import Unauthorized
from messengers.mcp_server.channel import push
from messengers.mcp_server.frames import Frames, Incoming, Outgoing
from messengers.mcp_server.sessions import MOST, Sessions
from messengers.models import Preset, Toolset
from messengers.wire import fault

if TYPE_CHECKING:
    from messengers.mcp_server.updates import Updates

__all__ = ["CALLER", "Surface", "Transports", "caller_of", "connection_of"]

CALLER: ContextVar[Caller | None] = ContextVar("caller", default=None)
"""Set by a transport around the serving of one connection or request."""

_CLIENT_MAX = 64
_RETRY = b"retry: 3000\r\n"
"""Milliseconds: a daemon that is started anew answers by then."""
_IDLE_S = 1800.0
"""How long an HTTP session that says nothing stays open."""
_NO_REBINDING_CHECK = TransportSecuritySettings(enable_dns_rebinding_protection=False)
"""Host and Origin are checked once for every route, before any of them (`web/middleware.py`)."""


@dataclass(frozen=True, slots=True)
class Surface:
    """What the server's lifespan gives to every request."""

    core: Core
    preset: Preset
    """Of a caller that no transport has named: the in-process client."""
    toolsets: frozenset[Toolset]
    """Of the same."""
    form_s: float
    """How long a form waits for the owner."""
    updates: "Updates"
    """Who is told that a resource changed."""


def connection_of(ctx: ServerRequestContext[Surface, Any]) -> Connection:
    """The connection of a client of before, which outlives its requests."""
    return ctx.session._connection  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - a request's session is gone with it


def caller_of(ctx: ServerRequestContext[Surface, Any]) -> Caller:
    """The authenticated caller of a request, with the name its client gave itself.

    Raises:
        Unauthorized: it came over HTTP and nothing authenticated it. The routes make that
            impossible; this is what keeps a forgotten one from serving as the owner's.
    """
    request: object = ctx.request
    if isinstance(request, HTTPConnection):
        scope = cast("HTTPConnection[Any]", request).scope
        caller = cast("Caller | None", scope.get("caller"))
        if caller is None:
            raise Unauthorized("This request carries no key.")
    else:
        caller = CALLER.get() or _unnamed(ctx.lifespan_context)
    params = ctx.session.client_params
    return _named(caller, params.client_info.name if params is not None else "")


@lru_cache(maxsize=256)
def _named(caller: Caller, client: str) -> Caller:
    printable = "".join(char for char in client if char.isprintable())
    return replace(caller, client=printable[:_CLIENT_MAX])


def _unnamed(surface: Surface) -> Caller:
    return Caller("stdio", preset=surface.preset, toolsets=surface.toolsets, local=True)


class Transports:
    """All ways to one server. Routes and sessions work while `run` is entered."""

    def __init__(
        self,
        server: MCPServer[Surface],
        max_bytes: int,
        *,
        idle_s: float = _IDLE_S,
        most_sessions: int = MOST,
    ) -> None:
        self._server = server
        self._low = server._lowlevel_server  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - the loop needs it, and MCPServer has no face for it
        server.streamable_http_app(
            streamable_http_path="/mcp",
            transport_security=_NO_REBINDING_CHECK,
            max_request_body_size=max_bytes,
            session_idle_timeout=idle_s,
        )
        self._manager = server.session_manager
        self._streamable = Sessions(self._manager.handle_request, most_sessions)
        self._sse = SseServerTransport("/messages/", _NO_REBINDING_CHECK, max_bytes)
        self._max_bytes = max_bytes
        self._sessions: set[Frames] = set()

    @property
    def routes(self) -> list[BaseRoute]:
        """`/mcp` for today's clients, `/sse` with `/messages/` for older ones.

        They expect `scope["caller"]`.
        """
        return [
            Route("/mcp", endpoint=_Bound(self._streamable)),
            Route("/sse", endpoint=_Bound(self._serve_sse), methods=["GET"]),
            Mount("/messages/", app=_Bound(self._sse.handle_post_message)),
        ]

    @asynccontextmanager
    async def run(self) -> AsyncGenerator[None]:
        """Enter the server's lifespan; leaving cuts what still runs."""
        async with self._manager.run(), anyio.create_task_group() as tasks:
            updates = self._state.updates
            self._low.add_request_handler(
                "resources/subscribe", SubscribeRequestParams, updates.on_subscribe
            )
            self._low.add_request_handler(
                "resources/unsubscribe", UnsubscribeRequestParams, updates.on_unsubscribe
            )
            tasks.start_soon(updates.run)
            yield
            tasks.cancel_scope.cancel()

    async def serve(self, frames: Frames, caller: Caller) -> None:
        """Serve one byte stream until its client leaves."""
        token = CALLER.set(caller)
        self._sessions.add(frames)
        try:
            async with frames.open() as (incoming, outgoing), anyio.create_task_group() as tasks:
                if caller.channel:
                    tasks.start_soon(push, self._state.core, caller, frames)
                await self._converse(incoming, outgoing)
                tasks.cancel_scope.cancel()
        finally:
            self._sessions.discard(frames)
            CALLER.reset(token)

    async def drain(self) -> None:
        """End the open `subscriptions/listen` streams, and wait for the calls of byte streams.

        Without the first, a server asked to stop waits for clients that listen forever.
        """
        entry = self._low.get_request_handler("subscriptions/listen")
        if entry is not None and isinstance(entry.handler, ListenHandler):
            entry.handler.close()
        for frames in list(self._sessions):
            await frames.answered()

    @property
    def _state(self) -> Surface:
        return cast("Surface", self._manager._lifespan_state)  # noqa: SLF001  # pyright: ignore[reportPrivateUsage] - entering the lifespan a second time would be another state

    async def _converse(self, incoming: Incoming, outgoing: Outgoing) -> None:
        await serve_dual_era_loop(
            self._low,
            incoming,
            outgoing,
            lifespan_state=self._state,
            init_options=self._low.create_initialization_options(),
        )

    async def _serve_sse(self, scope: Scope, receive: Receive, send: Send) -> None:
        hinting = _with_retry(send)
        async with self._sse.connect_sse(scope, receive, hinting) as (incoming, outgoing):
            await self._converse(incoming, outgoing)


class _Bound:
    """An MCP route with its caller bound: to the request's context and to the SDK's sessions.

    The SDK ties a session to a credential by `scope["user"]`: another key's use of it is answered
    like an unknown session.
    """

    def __init__(self, app: ASGIApp | Callable[[Scope, Receive, Send], Any]) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        caller = cast("Caller", scope["caller"])
        mismatch = _header_mismatch(scope)
        if mismatch:
            body = fault(HEADER_MISMATCH, mismatch, scope.get("json"))
            await Response(body, 400, media_type="application/json")(scope, receive, send)
            return
        # The key itself goes no further than the check.
        principal = AccessToken(token="", client_id=caller.actor, scopes=[caller.preset])
        token = CALLER.set(caller)
        try:
            await self._app({**scope, "user": AuthenticatedUser(principal)}, receive, send)
        finally:
            CALLER.reset(token)


def _with_retry(send: Send) -> Send:
    """When to come back after a cut, for the clients of `/sse` that do so by themselves.

    A field of the stream's first event, which is the SDK's `endpoint`: an event of its own would
    reach clients that expect JSON in each. `/mcp` needs none: there a client repeats its call.
    """
    hint = _RETRY

    async def hinting(message: Message) -> None:
        nonlocal hint
        if message["type"] == "http.response.body" and hint:
            message, hint = {**message, "body": hint + message.get("body", b"")}, b""
        await send(message)

    return hinting


def _header_mismatch(scope: Scope) -> str:
    """Routing headers that say something else than the body, in any protocol version.

    What stands in front of us may have judged the headers. The SDK checks them for its newest
    version only.
    """
    body: object = scope.get("json")
    if not isinstance(body, dict):
        return ""
    message = cast("dict[str, object]", body)
    headers = Headers(scope=scope)
    method = message.get("method")
    said = headers.get(MCP_METHOD_HEADER)
    if said is not None and said != method:
        return f"The header {MCP_METHOD_HEADER} contradicts the body."
    name = headers.get(MCP_NAME_HEADER)
    field = NAME_BEARING_METHODS.get(str(method))
    if name is None or field is None:
        return ""
    params = message.get("params")
    meant = cast("dict[str, object]", params).get(field) if isinstance(params, dict) else None
    if decode_header_value(name) != meant:
        return f"The header {MCP_NAME_HEADER} contradicts the body."
    return ""
