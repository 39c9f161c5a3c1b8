"""Reading: one chat's transcript, the inbox across chats, one message, what comes next."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import anyio

from messengers.clock import from_ms, to_ms
from messengers.core.access import is_closed
from messengers.core.backfill import Backfill
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import ChatFilter, Chats, chat_key
from messengers.core.events import Events
from messengers.core.feed import Feed, Notice
from messengers.core.instances import Instances
from messengers.core.pages import ChatMessages, Page, check_limit
from messengers.errors import InvalidInput, NotFound
from messengers.models import Chat, Event, IdKind, Message, decode_id
from messengers.store import Store
from messengers.store import messages as rows
from messengers.store import withheld as kept_back
from messengers.store.rows import Row

__all__ = ["History", "MessageDetail", "Waited"]

_END_OF_TIME = 2**62
_MAX_WAIT_S = 300
_MOST_FETCHES = 3
"""Of a messenger, for one page."""


@dataclass(frozen=True, slots=True)
class MessageDetail:
    """Everything of one message."""

    message: Message
    chat: Chat
    history: tuple[Event, ...]
    """Each change of its state with its time, oldest first."""


@dataclass(frozen=True, slots=True)
class Waited:
    """What came while waiting; empty when the time was up."""

    items: tuple[ChatMessages, ...]
    cursor: str
    """For the next call, so that nothing between the two is missed."""
    gap: bool = False
    """The cursor was older than the log: read the chats to catch up."""


class History:
    """The stored messages."""

    def __init__(
        self,
        store: Store,
        events: Events,
        instances: Instances,
        chats: Chats,
        feed: Feed,
        backfill: Backfill,
    ) -> None:
        self._store = store
        self._events = events
        self._feed = feed
        self._instances = instances
        self._chats = chats
        self._backfill = backfill

    def of_row(self, row: Row) -> Message:
        """The domain form of a stored message."""
        return rows.message_of(row, self._instances.by_id(row["instance_id"]).name)

    async def read(
        self,
        caller: Caller,
        chat: Chat,
        limit: int = 30,
        since: datetime | None = None,
        until: datetime | None = None,
        around: str = "",
        cursor: str = "",
    ) -> Page[Message]:
        """Messages of one chat, oldest to newest; the cursor leads to older ones.

        The messenger is asked for what of them the store may lack. The owner also reads what his
        access rules keep from agents.
        """
        check_limit(limit, 200)
        self._instances.resolve(caller, chat.instance)
        if since and until and since >= until:
            raise InvalidInput("since is not before until.", "Swap them.")
        if around:
            return await self._around(caller, chat, limit, around)
        scope = f"read {chat.id} {since} {until}"
        position = self._store.cursors.decode(scope, cursor) if cursor else None
        withheld = caller.actor == OWNER.actor
        stmt = rows.page(since=since is not None, older=position is not None, withheld=withheld)
        params: dict[str, object] = {"until": _until(until)}
        if since:
            params["since"] = to_ms(since)
        if position:
            params |= {"at": position[0], "id": position[1]}
        params |= {"chat": chat_key(chat), "limit": limit + 1}
        found = await self._store.rows(stmt, **params)
        for _ in range(_MOST_FETCHES):
            lowest = to_ms(since) if since else 0
            if len(found) > limit:
                lowest = found[limit - 1]["sent_at"]
            if not await self._backfill.reach(chat, lowest, limit + 1):
                break
            found = await self._store.rows(stmt, **params)
        page = self._page(scope, found, limit)
        if withheld or chat.kind == "dm":
            return page
        lowest = found[limit - 1]["sent_at"] if page.cursor else params.get("since", 0)
        highest = position[0] if position else params["until"]
        return await self._counted(page, chat, lowest, highest)

    async def since(self, chat: Chat) -> datetime | None:
        """When the oldest stored message of a chat was sent."""
        row = await self._store.row(rows.oldest_of_chat, chat=chat_key(chat))
        return from_ms(row["sent_at"]) if row and row["sent_at"] is not None else None

    def _page(self, scope: str, found: Sequence[Row], limit: int) -> Page[Message]:
        """Newest-first rows, one more than asked for where there is more, as a page."""
        kept = found[:limit]
        cursor = ""
        if len(found) > limit:
            last = kept[-1]
            cursor = self._store.cursors.encode(scope, (last["sent_at"], last["id"]))
        return Page(tuple(self.of_row(row) for row in reversed(kept)), cursor)

    async def _counted(
        self, page: Page[Message], chat: Chat, lowest: object, highest: object
    ) -> Page[Message]:
        """The page, with how many messages of its time (ms) access rules keep from agents."""
        span = {"since": lowest, "until": highest}
        row = await self._store.row(kept_back.between, chat=chat_key(chat), **span)
        return replace(page, left_out=row["number"] if row else 0)

    async def _around(self, caller: Caller, chat: Chat, limit: int, around: str) -> Page[Message]:
        key = decode_id(IdKind.MESSAGE, around.strip()) or 0
        middle = await self._store.row(rows.get, message=key)
        here = middle is not None and middle["chat_id"] == chat_key(chat)
        if middle is None or not here or middle["sent_at"] is None or is_closed(caller, middle):
            raise NotFound("No such message in this chat.", "Take the id from search_messages.")
        at, message = middle["sent_at"], middle["id"]
        place = {"chat": chat_key(chat), "until": _END_OF_TIME, "at": at, "id": message}
        withheld = caller.actor == OWNER.actor
        stmt = rows.page(since=False, older=False, newer=True, withheld=withheld)
        newer = await self._store.rows(stmt, limit=(limit + 1) // 2, **place)
        stmt = rows.page(since=False, older=True, withheld=withheld)
        older = await self._store.rows(stmt, limit=limit - len(newer) + 1, **place)
        scope = f"read {chat.id} None None"
        return self._page(scope, [*reversed(newer), *older], limit)

    async def recent(
        self,
        caller: Caller,
        since: datetime,
        instance: str = "",
        *,
        unread_only: bool = False,
        mentions_me: bool = False,
        per_chat: int = 5,
        limit: int = 60,
        cursor: str = "",
    ) -> Page[ChatMessages]:
        """The newest messages of every chat that moved since a time, newest chat first.

        At most `limit` messages in all; a chat is never cut in two.
        """
        check_limit(limit, 200)
        if not 1 <= per_chat <= 20:
            raise InvalidInput("per_chat must be from 1 to 20.", "Use read_messages for more.")
        chosen = ChatFilter(instance=instance, unread_only=unread_only, active_since=since)
        page = await self._chats.list(caller, chosen, limit=20, cursor=cursor)
        taken: list[ChatMessages] = []
        count = 0
        for chat in page.items:
            found = await self._newest(chat, since, unread_only, mentions_me, min(per_chat, limit))
            if count and count + len(found) > limit:
                rest = self._chats.cursor_after(caller, chosen, taken[-1].chat)
                return Page(tuple(taken), rest)
            if found:
                taken.append(ChatMessages(chat, found))
                count += len(found)
        return Page(tuple(taken), page.cursor)

    async def _newest(
        self, chat: Chat, since: datetime, unread: bool, mentions: bool, per_chat: int
    ) -> tuple[Message, ...]:
        stmt = rows.newest_of_chats(mentions=mentions)
        limit = min(per_chat, chat.unread) if unread else per_chat
        found = await self._store.rows(
            stmt, chat=chat_key(chat), since=to_ms(since), per_chat=limit
        )
        kept = [row for row in found if not unread or row["direction"] == "in"]
        return tuple(self.of_row(row) for row in reversed(kept))

    async def get(self, caller: Caller, message: str) -> MessageDetail:
        """One message by id, with its history."""
        row = await self.row(caller, message)
        chat = await self._chats.get(caller, f"{self.of_row(row).chat}")
        events = await self._events.of_message(row["id"])
        return MessageDetail(self.of_row(row), chat, tuple(events))

    async def row(self, caller: Caller, message: str) -> Row:
        """The stored row of a message id that the caller may see."""
        key = decode_id(IdKind.MESSAGE, message.strip())
        row = await self._store.row(rows.get, message=key) if key is not None else None
        if row is None or is_closed(caller, row):
            raise NotFound("No such message.", "Take the id from an answer, e.g. m3k9.")
        return row

    async def wait(
        self,
        caller: Caller,
        chat: str = "",
        instance: str = "",
        timeout_s: float = 30,
        cursor: str = "",
    ) -> Waited:
        """Block until messages arrive or the time is up. Without a cursor: from now on."""
        if not 0 <= timeout_s <= _MAX_WAIT_S:
            raise InvalidInput(f"timeout_s must be from 0 to {_MAX_WAIT_S}.", "Call again after.")
        place = await self._chats.find(caller, chat, instance) if chat else None
        chosen = self._instances.resolve(caller, instance) if instance else None
        scope = f"wait {place.id if place else ''} {self._instances.visible(caller, instance)}"
        start = await self._events.position()
        gap = False
        if cursor:
            start = int(self._store.cursors.decode(scope, cursor)[0])
            gap = start + 1 < await self._events.oldest()
        selection = self._feed.select(
            caller,
            types=("message.received",),
            instance=chosen.id if chosen else "",
            chat=chat_key(place) if place else None,
        )
        async with self._feed.follow(selection, start) as following:
            arrived = await following.poll()
            with following.scope, anyio.move_on_after(timeout_s):
                while not arrived:
                    arrived = await following.receive()
            position = following.position
        items = await self._of_notices(caller, arrived)
        return Waited(items, self._store.cursors.encode(scope, (position,)), gap)

    async def _of_notices(
        self, caller: Caller, arrived: Sequence[Notice]
    ) -> tuple[ChatMessages, ...]:
        by_chat: dict[str, list[Message]] = {}
        for notice in arrived:
            if notice.message is not None:
                by_chat.setdefault(notice.event.chat, []).append(notice.message)
        found = await self._chats.many(caller, by_chat)
        return tuple(ChatMessages(chat, tuple(by_chat[chat.id])) for chat in found)


def _until(moment: datetime | None) -> int:
    return to_ms(moment) if moment else _END_OF_TIME
