"""What arrives: durable first, understood after, one chat's events in order.

The provider's acknowledgement waits for the first commit only. One worker translates what is
stored, in the order it came, and applies all it finds in one unit of work. A lane (the events of
one chat) in which something fails gets a worker of its own: what cannot be understood is tried
again with growing pauses and then kept as a dead letter, and never blocks the next.

Lanes are held in memory: one process owns the store, and what it leaves at a crash is still new.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence

import anyio
from anyio.abc import TaskGroup
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import Access
from messengers.core.events import Events
from messengers.core.happenings import Happenings
from messengers.core.instances import Instances
from messengers.errors import StorageUnavailable
from messengers.models import IdKind, encode_id
from messengers.providers.base import Happening, HistorySeen, MessageSeen
from messengers.redaction import redact
from messengers.store import Store, inbound
from messengers.store.rows import Row

__all__ = ["Inbox"]

log = logging.getLogger(__name__)
_BATCH = 200
"""Events applied at once, or messages in them, as history comes by the hundreds in one event: the
writer is theirs for about 30 ms."""
_PAUSES_S = (0.1, 0.5, 2.0)
"""Before the second, third and fourth attempt; after them a dead letter."""
_REST_S = 5.0
"""After a fault of the disk, which is no event's: what waits is tried again in its order."""

_Lane = tuple[str, str]
_Understood = tuple[Row, Sequence[Happening]]


class Inbox:
    """Takes events from providers and brings them into the store."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        instances: Instances,
        access: Access,
        tasks: TaskGroup,
    ) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._instances = instances
        self._tasks = tasks
        self._happenings = Happenings(events, clock, access)
        self._news = anyio.Event()
        self._troubled: set[_Lane] = set()
        self._again: set[_Lane] = set()

    async def ingest(
        self, instance_id: str, event_key: str, chat_key: str, kind: str, payload: bytes
    ) -> bool:
        """Store one event; returns once it is durable, False for a duplicate."""
        values: dict[str, object] = {
            "instance_id": instance_id,
            "event_key": event_key,
            "chat_key": chat_key,
            "kind": kind,
            "payload": payload,
            "received_at": to_ms(self._clock.now()),
        }
        return await self._store.write(lambda conn: inbound.add(conn, values), self._wake)

    def _wake(self) -> None:
        self._news.set()

    async def work(self) -> None:
        """Understand what is stored, from what an earlier process left on; never returns."""
        after = 0
        while True:
            news = self._news = anyio.Event()
            try:
                rows = await self._store.rows(inbound.todo, after=after, limit=_BATCH)
                if rows:
                    after = rows[-1]["id"]
                    await self._understand(rows)
                else:
                    await news.wait()
            except Exception as exc:  # noqa: BLE001 - the outermost loop; it looks again
                log.warning("inbound work rests: %s", redact(repr(exc)))
                after = 0
                # An event that could be stored is a sign that the fault is over.
                with anyio.move_on_after(_REST_S):
                    await news.wait()

    async def _understand(self, rows: Sequence[Row]) -> None:
        """Translate all and apply them in one unit; where one fails, its lane is worked apart."""
        understood: list[_Understood] = []
        weight = 0
        for row in rows:
            lane = _lane_of(row)
            if lane in self._troubled:
                self._again.add(lane)
                continue
            try:
                happenings = self._translate(row)
            except Exception:  # noqa: BLE001 - its lane's worker finds it again and says so
                self._work_apart(lane)
                continue
            understood.append((row, happenings))
            weight += sum(1 for _ in _messages_of(happenings))
            if weight >= _BATCH:
                await self._apply_all(understood)
                understood, weight = [], 0
        await self._apply_all(understood)

    async def _apply_all(self, understood: Sequence[_Understood]) -> None:
        try:
            await self._apply(understood)
        except StorageUnavailable:
            raise  # no event's fault
        except Exception:  # noqa: BLE001 - which of them it was is found one by one
            for row, _ in understood:
                self._work_apart(_lane_of(row))

    def _work_apart(self, lane: _Lane) -> None:
        if lane not in self._troubled:
            self._troubled.add(lane)
            self._tasks.start_soon(self._work_lane, lane)

    async def _work_lane(self, lane: _Lane) -> None:
        """One event after the other, until the lane is empty. Nothing of it is passed by before."""
        instance_id, chat_key = lane
        while True:
            self._again.discard(lane)
            try:
                rows = await self._store.rows(
                    inbound.todo_of_lane, instance=instance_id, chat=chat_key, limit=_BATCH
                )
                for row in rows:
                    await self._try(row)
            except Exception as exc:  # noqa: BLE001 - the outermost loop; it looks again
                log.warning("inbound work of %s rests: %s", instance_id, redact(repr(exc)))
                await anyio.sleep(_REST_S)
                continue
            if not rows and lane not in self._again:
                self._troubled.discard(lane)
                return

    async def revive(self, rows: Sequence[Row]) -> None:
        """Have dead letters tried again, each before all that waits in its lane."""
        keys = [row["id"] for row in rows]
        await self._store.write(lambda conn: inbound.revive(conn, keys))
        for row in rows:
            lane = _lane_of(row)
            self._again.add(lane)
            self._work_apart(lane)

    async def _try(self, row: Row) -> None:
        """Translate and apply one event, or keep it as a dead letter."""
        for pause_s in (*_PAUSES_S, None):
            try:
                await self._apply([(row, self._translate(row))])
            except StorageUnavailable:
                raise  # not the event's fault, and no attempt at it
            except Exception as exc:  # noqa: BLE001 - the outermost loop of inbound work
                error = redact(f"{type(exc).__name__}: {exc}")
                log.warning("inbound event %s of %s: %s", row["id"], row["kind"], error)
                await self._postpone(row, error, dead=pause_s is None)
            else:
                return
            if pause_s is not None:
                await anyio.sleep(pause_s)

    async def _postpone(self, row: Row, error: str, *, dead: bool) -> None:
        now = to_ms(self._clock.now())

        def unit(conn: Connection) -> None:
            inbound.postpone(conn, row, error[:500], now, dead=dead)
            if dead:
                letter = encode_id(IdKind.DEAD_LETTER, row["id"])
                data = {"letter": letter, "kind": row["kind"]}
                self._events.record(conn, "inbound.dead", instance_id=row["instance_id"], data=data)

        await self._events.write(unit)

    def _translate(self, row: Row) -> Sequence[Happening]:
        provider = self._instances.provider_for_parsing(row["instance_id"])
        return provider.translate(row["kind"], row["payload"])

    async def _apply(self, understood: Sequence[_Understood]) -> None:
        """All in one unit of work, then tell. What another worker was faster with is left out."""
        if not understood:
            return
        done = await self._events.write(lambda conn: self._commit(conn, understood))
        for row, happenings in done:
            for message in _messages_of(happenings):
                self._instances.heard(row["instance_id"], message.sent_at)

    def _commit(self, conn: Connection, understood: Sequence[_Understood]) -> list[_Understood]:
        fresh = inbound.finish(conn, [row["id"] for row, _ in understood])
        done = [each for each in understood if each[0]["id"] in fresh]
        self._happenings.apply_all(
            conn,
            [
                (row["instance_id"], happening, row["received_at"])
                for row, happenings in done
                for happening in happenings
            ],
        )
        return done


def _messages_of(happenings: Iterable[Happening]) -> Iterator[MessageSeen]:
    for happening in happenings:
        if isinstance(happening, MessageSeen):
            yield happening
        elif isinstance(happening, HistorySeen):
            yield from happening.messages


def _lane_of(row: Row) -> _Lane:
    return row["instance_id"], row["chat_key"]
