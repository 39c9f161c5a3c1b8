"""`/events`: what happens, as Server-Sent Events, from a cursor on.

Written by hand over ASGI: a library that encodes for each client, keeps a task for its pings and
patches the server to learn of its end costs more than it gives. Each event's bytes are made once
for everybody, and one send carries all that wait.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import cast, get_args

import anyio
import orjson
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from messengers.core.callers import Caller
from messengers.core.chats import chat_key
from messengers.core.core import Core
from messengers.core.event_types import Kinds
from messengers.core.feed import Following, Notice, Selection
from messengers.errors import InvalidInput
from messengers.models import IdKind, decode_id, encode_id

__all__ = ["routes"]

_log = structlog.get_logger(__name__)
_FAREWELL_S = 60.0
"""For a client that does not read now: it may still hear why, and the server notices its end."""
_RETRY = b"retry: 3000\n"
"""Milliseconds: a daemon that is started anew answers by then."""
_KNOWN = frozenset({"types", "instance", "chat", "chats", "numbers", "after"})
_KINDS: tuple[Kinds, ...] = get_args(Kinds)
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx would hold events back to fill a buffer
]


def routes(core: Core) -> list[Route]:
    """`/events`, for keys with the scope read."""
    return [Route("/events", _Events(core), methods=["GET"])]


class _Events:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method == "HEAD":
            await Response(headers={"content-type": "text/event-stream"})(scope, receive, send)
            return
        caller = cast("Caller", scope["caller"])
        selection = await self._selection(caller, request)
        after, gap = await self._start(request)
        async with self._core.feed.follow(selection, after) as following:
            await _Stream(following, send).run(receive, gap)

    async def _selection(self, caller: Caller, request: Request) -> Selection:
        asked = _parameters(request)
        instance = asked.get("instance", "")
        chat = None
        if asked.get("chat"):
            chat = chat_key(await self._core.chats.find(caller, asked["chat"], instance))
        kinds = asked.get("chats") or "all"
        if kinds not in _KINDS:
            raise InvalidInput("chats does not fit.", f"It is one of {', '.join(_KINDS)}.")
        return self._core.feed.select(
            caller,
            types=_list(asked, "types"),
            instance=instance,
            chat=chat,
            kinds=kinds,
            numbers=_list(asked, "numbers"),
        )

    async def _start(self, request: Request) -> tuple[int, str]:
        """The position to go on from, and why it is not the one that was asked for, if so."""
        events = self._core.events
        end = await events.position()
        cursor = request.headers.get("last-event-id") or request.query_params.get("after", "")
        if not cursor:
            return end, ""
        after = 0 if cursor == _cursor(0) else decode_id(IdKind.EVENT, cursor)
        if after is None:
            raise InvalidInput("The cursor is no event id.", "Send the id of the last event.")
        if after > end:
            return end, "unknown"
        oldest = await events.oldest()
        if after + 1 < oldest:
            return oldest - 1, "too_old"
        return after, ""


class _Stream:
    """One client, from the first byte to the last."""

    def __init__(self, following: Following, send: Send) -> None:
        self._following = following
        self._send = send
        self._told = following.position

    async def run(self, receive: Receive, gap: str) -> None:
        start = {"type": "http.response.start", "status": 200, "headers": _HEADERS}
        await self._send(start)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_until_gone, receive, tasks.cancel_scope)
            with self._following.scope:
                await self._carry(gap)
            await self._end()
            tasks.cancel_scope.cancel()

    async def _carry(self, gap: str) -> None:
        """Everything that is wanted, until the feed cuts or the client leaves."""
        opened = _frame("stream.open", self._told, {"cursor": _cursor(self._told)})
        await self._write(_RETRY + opened)
        if gap:
            data = {"reason": gap, "cursor": _cursor(self._told)}
            await self._write(_frame("stream.gap", self._told, data))
        while True:
            notices = await self._following.receive()
            position = notices[-1].seq if notices else self._following.position
            if notices:
                await self._write(b"".join(map(_encoded, notices)))
            else:
                # A sign of life, which takes the client's cursor past what it did not want.
                moves = position != self._told
                await self._write(f"id: {_cursor(position)}\n\n".encode() if moves else b":\n\n")
            self._told = position

    async def _write(self, data: bytes) -> None:
        """The server writes a body whole or, until there is room for it, not at all."""
        message = {"type": "http.response.body", "body": data, "more_body": True}
        await self._following.give(self._send(message))

    async def _end(self) -> None:
        """The reason, and the cursor of the last thing that was sent."""
        reason = self._following.ending
        if reason == "slow":
            _log.warning("An event stream was cut: its client does not keep up.")
        data = {"reason": reason, "cursor": _cursor(self._told)}
        farewell = _RETRY + _frame("stream.end", self._told, data)
        with anyio.move_on_after(_FAREWELL_S):
            await self._send({"type": "http.response.body", "body": farewell, "more_body": False})


async def _until_gone(receive: Receive, scope: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


@lru_cache(maxsize=128)
def _encoded(notice: Notice) -> bytes:
    head = f"id: {_cursor(notice.seq)}\nevent: {notice.event.kind}\ndata: "
    return b"".join((head.encode(), notice.body, b"\n\n"))


def _frame(kind: str, position: int, data: Mapping[str, str]) -> bytes:
    text = orjson.dumps(data).decode()
    return f"id: {_cursor(position)}\nevent: {kind}\ndata: {text}\n\n".encode()


def _cursor(seq: int) -> str:
    return encode_id(IdKind.EVENT, seq)


def _parameters(request: Request) -> dict[str, str]:
    """The query; what it names twice or wrongly is refused, not dropped."""
    items = request.query_params.multi_items()
    for name, _ in items:
        if name not in _KNOWN:
            raise InvalidInput(
                "There is no such parameter.", f"There are {', '.join(sorted(_KNOWN))}."
            )
    if len(dict(items)) < len(items):
        raise InvalidInput("A parameter was given twice.", "Put commas between its values.")
    return dict(items)


def _list(asked: Mapping[str, str], name: str) -> list[str]:
    return [part.strip() for part in asked.get(name, "").split(",") if part.strip()]
