"""Resources that change: who asked to hear of a chat or an account hears that it did.

Clients of today hold a `subscriptions/listen` stream, which the SDK serves from a bus; those of
before sent `resources/subscribe`. Both are told from the event log, one read of it for all. An
update carries no data: it says to read again.
"""

import logging
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import anyio
from mcp.server import ServerRequestContext
from mcp.server.connection import Connection
from mcp.server.subscriptions import ResourceUpdated, ServerEvent
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    EmptyResult,
    SubscribeRequestParams,
    UnsubscribeRequestParams,
)

from messengers.core.callers import Caller
from messengers.core.core import Core
from messengers.errors import MessengersError
from messengers.mcp_server.table import scope_of
from messengers.mcp_server.transports import Surface, caller_of, connection_of
from messengers.models import IdKind, encode_id
from messengers.redaction import redact
from messengers.store.rows import Row

__all__ = ["CHAT", "INSTANCE", "Updates"]

log = logging.getLogger(__name__)
CHAT = "chat://{chat}/messages"
INSTANCE = "instance://{name}"
_CHAT_URI = re.compile(r"chat://(c[0-9a-z]{1,13})/messages")
_INSTANCE_URI = re.compile(r"instance://([0-9a-z][0-9a-z_-]{0,47})")
_PAGE = 200
_MAX_URIS = 1_000
"""That one client may subscribe to."""
_SEND_S = 1.0
_REST_S = 1.0
Ctx = ServerRequestContext[Surface, Any]


class Updates:
    """The bus of `subscriptions/listen`, and the subscribers of before."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._listeners: dict[object, Callable[[ServerEvent], None]] = {}
        self._subscribed: dict[Connection, set[str]] = {}
        self._position: int | None = None
        """Up to where all were told; None while nobody listens."""

    async def publish(self, event: ServerEvent) -> None:
        """Tell every open stream; part of the SDK's bus."""
        for listener in tuple(self._listeners.values()):
            listener(event)
        await anyio.lowlevel.checkpoint()

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """A stream of today; part of the SDK's bus."""
        token = object()
        self._listeners[token] = listener
        return lambda: self._forget(token)

    def _forget(self, token: object) -> None:
        self._listeners.pop(token, None)

    async def listening(self, ctx: Ctx) -> Mapping[str, Any]:
        """The parameters of a `subscriptions/listen`, without what the caller may not hear of."""
        await self._begin()
        params = dict(ctx.params or {})
        wanted: object = params.get("notifications")
        if isinstance(wanted, dict):
            asked = cast("dict[str, object]", wanted)
            uris = asked.get("resourceSubscriptions")
            if isinstance(uris, list):
                named = [str(uri) for uri in cast("list[object]", uris)[:_MAX_URIS]]
                seen = [uri for uri in named if await self._is_visible(caller_of(ctx), uri)]
                params["notifications"] = {**asked, "resourceSubscriptions": seen}
        return params

    async def on_subscribe(self, ctx: Ctx, params: SubscribeRequestParams) -> EmptyResult:
        """`resources/subscribe` of a client of before."""
        uri = str(params.uri)
        if not await self._is_visible(caller_of(ctx), uri):
            raise MCPError(INVALID_PARAMS, "There is no such resource to subscribe to.")
        await self._begin()
        connection = connection_of(ctx)
        if connection not in self._subscribed:
            self._subscribed[connection] = set()
            connection.exit_stack.callback(self._subscribed.pop, connection, None)
        uris = self._subscribed[connection]
        if len(uris) >= _MAX_URIS:
            raise MCPError(INVALID_PARAMS, f"At most {_MAX_URIS} subscriptions are kept.")
        uris.add(uri)
        return EmptyResult()

    async def on_unsubscribe(self, ctx: Ctx, params: UnsubscribeRequestParams) -> EmptyResult:
        """`resources/unsubscribe` of a client of before."""
        self._subscribed.get(connection_of(ctx), set()).discard(str(params.uri))
        return EmptyResult()

    async def run(self) -> None:
        """Tell them what happens; never returns."""
        async with self._core.events.follow() as wakes:
            while True:
                await wakes.receive()
                if not self._listeners and not self._subscribed:
                    self._position = None
                    continue
                try:
                    while await self._tell():
                        pass
                except MessengersError as exc:
                    log.warning("updates rest: %s", redact(str(exc)))
                    await anyio.sleep(_REST_S)

    async def _begin(self) -> None:
        if self._position is None:
            self._position = await self._core.events.position()

    async def _tell(self) -> bool:
        await self._begin()
        found = await self._core.events.rows_since(self._position or 0, _PAGE)
        if not found:
            return False
        self._position = found[-1]["seq"]
        for uri in dict.fromkeys(self._uris(found)):
            await self.publish(ResourceUpdated(uri=uri))
            for connection, uris in tuple(self._subscribed.items()):
                if uri in uris:
                    await self._notify(connection, uri)
        return True

    def _uris(self, found: Sequence[Row]) -> Iterable[str]:
        for row in found:
            if row["chat_id"]:
                yield CHAT.format(chat=encode_id(IdKind.CHAT, row["chat_id"]))
            elif row["kind"].startswith("instance."):
                name = self._core.instances.name_of(row["instance_id"])
                yield INSTANCE.format(name=name)
                yield INSTANCE.format(name=row["instance_id"])

    async def _notify(self, connection: Connection, uri: str) -> None:
        """Tell one; who does not take it in time is told nothing more."""
        with anyio.move_on_after(_SEND_S) as sending:
            await connection.notify("notifications/resources/updated", {"uri": uri})
        if sending.cancelled_caught:
            self._subscribed.pop(connection, None)

    async def _is_visible(self, caller: Caller, uri: str) -> bool:
        """Whether it is a resource that changes, and exists for this caller."""
        scope = scope_of(uri)
        if scope is None or not caller.may(scope):
            return False
        try:
            if found := _CHAT_URI.fullmatch(uri):
                await self._core.chats.get(caller, found[1])
                return True
            if found := _INSTANCE_URI.fullmatch(uri):
                self._core.instances.resolve(caller, found[1])
                return True
        except MessengersError:
            return False
        return False
