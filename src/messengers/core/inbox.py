"""What arrives: durable first, understood after, one chat's events in order.

The provider's acknowledgement waits for the first commit only. A worker per chat translates the
stored events and applies them; what cannot be understood is tried again with growing pauses and
then kept as a dead letter, and never blocks the next.
"""

import logging
from collections.abc import Sequence

import anyio
from anyio.abc import TaskGroup
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.events import Events
from messengers.core.happenings import Happenings
from messengers.core.instances import Instances
from messengers.providers.base import Happening, MessageSeen
from messengers.redaction import redact
from messengers.store import Store, inbound
from messengers.store.rows import Row

__all__ = ["Inbox"]

log = logging.getLogger(__name__)
_BATCH = 100
_PAUSES_S = (0.1, 0.5, 2.0)
"""Before the second, third and fourth attempt; after them a dead letter."""


class Inbox:
    """Takes events from providers and brings them into the store."""

    def __init__(
        self, store: Store, clock: Clock, events: Events, instances: Instances, tasks: TaskGroup
    ) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._instances = instances
        self._tasks = tasks
        self._happenings = Happenings(events, clock)
        self._busy: set[tuple[str, str]] = set()
        self._again: set[tuple[str, str]] = set()

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
        added = await self._store.write(lambda conn: inbound.add(conn, values))
        if added:
            self._wake((instance_id, chat_key))
        return added

    async def resume(self) -> None:
        """Go on with what an earlier process stored and did not finish."""
        for row in await self._store.rows(inbound.todo_chats):
            self._wake((row["instance_id"], row["chat_key"]))

    def _wake(self, lane: tuple[str, str]) -> None:
        if lane in self._busy:
            self._again.add(lane)
            return
        self._busy.add(lane)
        self._tasks.start_soon(self._work, lane)

    async def _work(self, lane: tuple[str, str]) -> None:
        instance_id, chat_key = lane
        try:
            while True:
                self._again.discard(lane)
                rows = await self._store.rows(
                    inbound.take, instance=instance_id, chat=chat_key, limit=_BATCH
                )
                for row in rows:
                    await self._understand(row)
                if not rows and lane not in self._again:
                    return
        except Exception as exc:  # noqa: BLE001 - the outermost loop; the sweep wakes the lane
            log.warning("inbound work of %s rests: %s", instance_id, redact(repr(exc)))
        finally:
            self._busy.discard(lane)

    async def _understand(self, row: Row) -> None:
        """Translate and apply one event, or keep it as a dead letter."""
        for pause_s in (*_PAUSES_S, None):
            try:
                await self._apply(row)
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
        await self._store.write(
            lambda conn: inbound.postpone(conn, row, error[:500], now, dead=dead)
        )

    async def _apply(self, row: Row) -> None:
        provider = self._instances.provider_for_parsing(row["instance_id"])
        happenings = provider.translate(row["kind"], row["payload"])
        if await self._store.write(lambda conn: self._commit(conn, row, happenings)):
            self._events.announce()
            for happening in happenings:
                if isinstance(happening, MessageSeen):
                    self._instances.heard(row["instance_id"], happening.sent_at)

    def _commit(self, conn: Connection, row: Row, happenings: Sequence[Happening]) -> bool:
        if not inbound.finish(conn, row["id"]):
            return False
        for happening in happenings:
            self._happenings.apply(conn, row["instance_id"], happening)
        return True
