"""Live events: the log as it grows, read and put into words once for all who follow.

Who comes back after a cut reads the log from his cursor until he has reached its end, and hears of
what is new from then on. What is new waits for him in a short queue; one that is full belongs to
somebody who does not keep up: he is cut, so that he costs no memory, and told so.
"""

import logging
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import anyio
import orjson
from sqlalchemy import SelectBase

from messengers.core.callers import Caller
from messengers.core.chats import Chats
from messengers.core.event_types import Kinds, chosen_types
from messengers.core.events import Events
from messengers.core.instances import Instances
from messengers.core.names import fold_phone
from messengers.errors import InvalidInput, NotReady
from messengers.models import Chat, Event, Message
from messengers.redaction import redact, redact_texts
from messengers.store import Store, chats, messages
from messengers.store import events as rows
from messengers.store.rows import Row

__all__ = ["Feed", "Following", "Notice", "Selection"]

log = logging.getLogger(__name__)
_QUEUE = 100
_PAGE = 200
_FOLLOWERS_MAX = 2_000
_BEAT_S = 10.0
"""A vanished client is found by it; see `sockets.py`."""
_REST_S = 1.0
_GROUPS = frozenset({"group", "channel", "thread"})
_KINDS = {"private": frozenset({"dm"}), "groups": _GROUPS, "all": None}
Ending = Literal["", "slow", "stopping"]


@dataclass(frozen=True, eq=False)
class Notice:
    """One event with what it is about, as it is now."""

    seq: int
    instance_id: str
    event: Event
    chat: Chat | None = None
    message: Message | None = None

    @cached_property
    def body(self) -> bytes:
        """The event as JSON, in the form of Standard Webhooks; encoded once for everybody."""
        event, data = self.event, dict(self.event.data)
        if self.chat is not None:
            data["chat"] = self.chat.model_dump(mode="json", include=_CHAT, exclude_defaults=True)
        if self.message is not None:
            data["message"] = self.message.model_dump(mode="json", exclude_defaults=True)
        told = {"type": event.kind, "timestamp": event.at, "id": event.id}
        if event.instance:
            told["instance"] = event.instance
        return orjson.dumps({**told, "data": redact_texts(data)}, option=orjson.OPT_UTC_Z)

    def concerns(self, numbers: frozenset[str]) -> bool:
        """Whether its chat or the message's sender has one of these numbers, if it has a chat."""
        sender = self.message.sender.phone if self.message else ""
        return self.chat is None or not numbers.isdisjoint((self.chat.phone, sender))


_CHAT = {"id", "native_id", "kind", "name", "phone", "username", "parent"}
"""What does not change with every message: the rest is in the message itself."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which events somebody wants and may see; empty fields do not filter."""

    types: frozenset[str] = frozenset()
    instances: frozenset[str] | None = None
    """Ids; None: all, and what concerns no instance."""
    chat: int | None = None
    kinds: Kinds = "all"
    numbers: frozenset[str] = frozenset()
    """E.164; only what concerns these people, beside what concerns no chat."""

    def fits(self, row: Row) -> bool:
        """Whether a row of the log is wanted, as far as it tells."""
        of_chats = _KINDS[self.kinds]
        return (
            (not self.types or row["kind"] in self.types)
            and (self.instances is None or row["instance_id"] in self.instances)
            and (self.chat is None or row["chat_id"] == self.chat)
            and (of_chats is None or row["chat_id"] is None or row["chat_kind"] in of_chats)
        )

    def takes(self, notice: Notice) -> bool:
        """Whether what a fitting row tells of is wanted too."""
        return not self.numbers or notice.concerns(self.numbers)


class Following:
    """One who follows. Its work is done within `scope`, which is cancelled when it is cut.

    No timer and no stream of its own: a thousand of them wake for one event.
    """

    def __init__(self, feed: "Feed", selection: Selection, position: int) -> None:
        self._feed = feed
        self.selection = selection
        self.scope = anyio.CancelScope()
        self.ending: Ending = ""
        """Why it was cut; empty while it goes on."""
        self._position = position
        self._waiting: deque[Notice] = deque()
        self._news = anyio.Event()
        self._live = False
        self._sending_since: int | None = None

    @property
    def position(self) -> int:
        """The seq up to which everything that is wanted was received: where to resume."""
        if self._live and not self._waiting and not self.ending:
            self._position = max(self._position, self._feed.position)
        return self._position

    async def poll(self) -> Sequence[Notice]:
        """What is there already, perhaps nothing."""
        if self._live:
            return self._taken()
        found, reached, at_end = await self._feed.page(self.selection, self._position)
        self._position = reached
        if at_end:
            self._live = self._feed.attach(self)
        return found

    async def receive(self) -> Sequence[Notice]:
        """What happened next, in order; nothing when it is time for a sign of life."""
        while not self._live:
            if found := await self.poll():
                return found
        if not self._waiting:
            self._news = anyio.Event()
            await self._news.wait()
        return self._taken()

    def _taken(self) -> Sequence[Notice]:
        taken = tuple(self._waiting)
        self._waiting.clear()
        if taken:
            self._position = max(self._position, taken[-1].seq)
        return taken

    async def give(self, sending: Awaitable[None]) -> None:
        """Pass something on. Whoever does not take it for two beats is cut."""
        self._sending_since = self._feed.beats
        await sending
        self._sending_since = None

    def offer(self, row: Row, notice: Notice) -> None:
        """Queue what is wanted. Whoever left no room for it does not keep up."""
        if notice.seq <= self._position or not self.selection.fits(row):
            return
        if not self.selection.takes(notice):
            return
        if len(self._waiting) == _QUEUE:
            self.cut("slow")
            return
        self._waiting.append(notice)
        self._news.set()

    def beat(self) -> None:
        """It is time for a sign of life; for what was given two beats ago the time is up."""
        since = self._sending_since
        if since is not None and self._feed.beats - since >= 2:
            self.cut("slow")
        self._news.set()

    def cut(self, why: Ending) -> None:
        """End it; what is queued is dropped, the position stays where it got to."""
        if not self.ending:
            self.ending = why
            self._waiting.clear()
            self._feed.drop(self)
            self.scope.cancel()


class Feed:
    """The log for all who follow it."""

    def __init__(self, store: Store, events: Events, instances: Instances, chats: Chats) -> None:
        self._store = store
        self._events = events
        self._instances = instances
        self._chats = chats
        self._all: set[Following] = set()
        self._live: set[Following] = set()
        self._closed = False
        self.beats = 0
        self.position = 0
        """Up to where those who are live were told."""

    def __len__(self) -> int:
        return len(self._all)

    def select(
        self,
        caller: Caller,
        *,
        types: Collection[str] = (),
        instance: str = "",
        chat: int | None = None,
        kinds: Kinds = "all",
        numbers: Collection[str] = (),
    ) -> Selection:
        """What the caller asks for, among what he may see.

        Raises:
            InvalidInput: a type or number that is none.
            NotFound: no such instance for him.
        """
        visible = self._instances.visible(caller, instance)
        folded = {fold_phone(number) for number in numbers}
        if "" in folded:
            raise InvalidInput(
                "One of the numbers is no phone number.", "Write them like +491701234567."
            )
        return Selection(
            types=chosen_types(types),
            instances=None if visible is None else frozenset(visible),
            chat=chat,
            kinds=kinds,
            numbers=frozenset(folded),
        )

    @asynccontextmanager
    async def follow(self, selection: Selection, after: int) -> AsyncGenerator[Following]:
        """Follow from a position on.

        Raises:
            NotReady: there are too many already, or Messengers stops.
        """
        if self._closed or len(self._all) >= _FOLLOWERS_MAX:
            raise NotReady("No more streams are served now.", "Come back in a moment.")
        following = Following(self, selection, after)
        self._all.add(following)
        try:
            yield following
        finally:
            self.drop(following)

    def close(self) -> None:
        """Messengers stops: everybody is told to come back."""
        self._closed = True
        for following in tuple(self._all):
            following.cut("stopping")

    def attach(self, following: Following) -> bool:
        """Tell it what is new from now on, if it has reached what the others were told."""
        if self._live and following.position < self.position:
            return False
        if not self._live:
            self.position = following.position
        self._live.add(following)
        # Something may have been committed since it read the log's end.
        self._events.announce()
        return True

    def drop(self, following: Following) -> None:
        """Tell it nothing any more."""
        self._live.discard(following)
        self._all.discard(following)

    async def page(self, selection: Selection, after: int) -> tuple[Sequence[Notice], int, bool]:
        """What is wanted of the log after a position, its reach, and whether that is the end."""
        end = await self._events.position()
        found = await self._events.rows_since(
            after,
            _PAGE,
            types=selection.types or None,
            instances=selection.instances,
            chat=selection.chat,
            kinds=_KINDS[selection.kinds],
        )
        is_end = len(found) < _PAGE
        last = found[-1]["seq"] if found else after
        notices = [each for each in await self._told(found) if selection.takes(each)]
        return notices, max(last, end) if is_end else last, is_end

    async def one(self, seq: int) -> Notice | None:
        """One event of the log; None when it is gone."""
        found = await self._events.rows_since(seq - 1, 1)
        told = await self._told([row for row in found if row["seq"] == seq])
        return told[0] if told else None

    async def run(self) -> None:
        """Tell those who are live what is new; never returns."""
        async with self._events.follow() as wakes:
            while True:
                try:
                    while self._live and await self._tell():
                        pass
                except Exception as exc:  # noqa: BLE001 - the outermost loop; it reads again
                    log.warning("live events rest: %s", redact(repr(exc)))
                    await anyio.sleep(_REST_S)
                    continue
                await wakes.receive()

    async def beat(self) -> None:
        """Now and then, a sign of life for those who hear of nothing; never returns."""
        while True:
            await anyio.sleep(_BEAT_S)
            self.beats += 1
            for following in tuple(self._all):
                following.beat()

    async def _tell(self) -> bool:
        """One page of what is new, read once for all; False when there is nothing."""
        found = await self._events.rows_since(self.position, _PAGE)
        wanted = [row for row in found if any(each.selection.fits(row) for each in self._live)]
        notices = {notice.seq: notice for notice in await self._told(wanted)}
        for row in found:
            self.position = row["seq"]
            if notice := notices.get(row["seq"]):
                for following in tuple(self._live):
                    following.offer(row, notice)
        return bool(found)

    async def _told(self, found: Sequence[Row]) -> list[Notice]:
        """Rows of the log with the chats and messages they are about.

        Without those about what access rules keep back, also where that was told before the rule.
        """
        about = await self._by_key(messages.many, "messages", found, "message_id")
        places = await self._by_key(chats.many, "chats", found, "chat_id")
        told: list[Notice] = []
        for row in found:
            name = self._instances.name_of(row["instance_id"])
            chat, message = places.get(row["chat_id"]), about.get(row["message_id"])
            if (chat and chat["hidden"]) or (message and message["withheld"]):
                continue
            notice = Notice(
                row["seq"],
                row["instance_id"],
                rows.event_of(row, name),
                self._chats.of_row(chat) if chat and name else None,
                messages.message_of(message, name) if message and name else None,
            )
            told.append(notice)
        return told

    async def _by_key(
        self, stmt: SelectBase, what: str, found: Sequence[Row], column: str
    ) -> dict[int | None, Row]:
        keys = sorted({row[column] for row in found if row[column]})
        if not keys:
            return {}
        return {row["id"]: row for row in await self._store.rows(stmt, **{what: keys})}
