"""The one ordered log of what happened, and the bus that wakes whoever follows it.

Events are written in the transaction of what they tell and announced after its commit. Followers
keep a position (the seq) and read the log from there, so a slow one loses nothing and a wake-up
carries no data.
"""

from collections.abc import (
    AsyncGenerator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.callers import Caller
from messengers.models import Event
from messengers.store import Store
from messengers.store import events as rows
from messengers.store.rows import Row

__all__ = ["Events", "Signal"]

T = TypeVar("T")
_AT_ONCE = 2_000
"""Events that one unit of work forgets."""


@dataclass(frozen=True, slots=True)
class Signal:
    """Something not worth storing: typing, presence."""

    instance_id: str
    chat_key: str
    kind: str
    data: str


class Events:
    """Record, follow, read."""

    def __init__(self, store: Store, clock: Clock, names: Callable[[str], str]) -> None:
        self._store = store
        self._clock = clock
        self._names = names
        self._followers: set[MemoryObjectSendStream[None]] = set()
        self._listeners: set[Callable[[Signal], None]] = set()

    def record(
        self,
        conn: Connection,
        kind: str,
        *,
        instance_id: str = "",
        chat_id: int | None = None,
        message_id: int | None = None,
        data: Mapping[str, object] | None = None,
    ) -> int:
        """Append within a unit of work; returns the seq."""
        at = to_ms(self._clock.now())
        return rows.append(conn, at, kind, instance_id, chat_id, message_id, data or {})

    def record_all(self, conn: Connection, told: Iterable[tuple[str, Row]]) -> None:
        """Append, within a unit of work, an event of a kind about each of some stored messages."""
        rows.append_all(conn, to_ms(self._clock.now()), told)

    async def write(self, unit: Callable[[Connection], T]) -> T:
        """Run a unit that records events; followers wake once it is committed.

        Also when the caller is cancelled meanwhile: the events are there all the same.
        """
        return await self._store.write(unit, self.announce)

    def announce(self) -> None:
        """Wake the followers: something was committed."""
        for follower in tuple(self._followers):
            try:
                follower.send_nowait(None)
            except anyio.WouldBlock:
                continue  # it is awake already and reads from its own position

    @asynccontextmanager
    async def follow(self) -> AsyncGenerator[MemoryObjectReceiveStream[None]]:
        """A stream of wake-ups. Read the position before entering: nothing is missed then."""
        send, receive = anyio.create_memory_object_stream[None](1)
        self._followers.add(send)
        try:
            with send, receive:
                yield receive
        finally:
            self._followers.discard(send)

    async def position(self) -> int:
        """The seq of the newest event; 0 without any."""
        row = await self._store.row(rows.last_seq)
        return int(row["seq"] or 0) if row else 0

    async def oldest(self) -> int:
        """The seq of the oldest event still kept; 0 without any."""
        row = await self._store.row(rows.oldest)
        return int(row["seq"] or 0) if row else 0

    async def expire(self, days: int) -> None:
        """Forget what is older and was told to every endpoint; in small steps, for others write."""
        at = to_ms(self._clock.now() - timedelta(days=days))
        while await self._store.write(lambda conn: rows.forget(conn, at, _AT_ONCE)) == _AT_ONCE:
            pass

    async def since(
        self,
        caller: Caller,
        seq: int,
        limit: int = 200,
        *,
        chat_id: int | None = None,
        instance_id: str = "",
        kind: str = "",
    ) -> list[tuple[int, Event]]:
        """Events after `seq` that the caller may see, oldest first, with their seqs."""
        instances = {instance_id} if instance_id else caller.instances
        if instances is not None and caller.instances is not None:
            instances &= caller.instances
        found = await self.rows_since(
            seq,
            limit,
            types=(kind,) if kind else None,
            instances=None if instances is None else tuple(instances),
            chat=chat_id,
        )
        return [(row["seq"], rows.event_of(row, self._names(row["instance_id"]))) for row in found]

    async def rows_since(
        self,
        seq: int,
        limit: int,
        *,
        types: Collection[str] | None = None,
        instances: Collection[str] | None = None,
        chat: int | None = None,
        kinds: Collection[str] | None = None,
    ) -> Sequence[Row]:
        """Rows of the log after `seq`, oldest first; None does not filter."""
        stmt = rows.after(
            types=types is not None,
            instances=instances is not None,
            chat=chat is not None,
            kinds=kinds is not None,
        )
        params = {"types": types, "instances": instances, "chat": chat, "kinds": kinds}
        given = {name: value for name, value in params.items() if value is not None}
        lists = {n: list(v) if isinstance(v, Collection) else v for n, v in given.items()}
        return await self._store.rows(stmt, seq=seq, limit=limit, **lists)

    async def of_message(self, message: int) -> list[Event]:
        """The history of one message, oldest first."""
        found = await self._store.rows(rows.of_message, message=message)
        return [rows.event_of(row, self._names(row["instance_id"])) for row in found]

    async def wait(self, ready: Callable[[], Awaitable[T | None]], timeout_s: float) -> T | None:
        """Ask `ready` now and after every commit until it gives something or time is up."""
        async with self.follow() as wakes:
            with anyio.move_on_after(timeout_s):
                while True:
                    result = await ready()
                    if result is not None:
                        return result
                    await wakes.receive()
        return None

    def listen(self, listener: Callable[[Signal], None]) -> Callable[[], None]:
        """Hear signals; returns how to stop."""
        self._listeners.add(listener)
        return lambda: self._listeners.discard(listener)

    def signal(self, instance_id: str, chat_key: str, kind: str, data: str) -> None:
        """Pass on what is not stored."""
        for listener in tuple(self._listeners):
            listener(Signal(instance_id, chat_key, kind, data))
