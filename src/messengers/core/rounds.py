"""What has a batch go on: its messages are let go in order, as many at once as may be under way.

That is one, each when the one before is settled, unless the messenger knows a key for each, so that
several calls may be open, and nothing depends on how the last one went or when it left.

Where a batch stands is read from its rows each time, so that a process that was killed goes on
where the last one stopped: what it had let go is the outbox's to end, and nobody is let go twice.
"""

import logging
from dataclasses import dataclass

import anyio
from anyio.abc import TaskGroup
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import Access
from messengers.core.batches import Batches
from messengers.core.drafts import Drafts
from messengers.core.events import Events
from messengers.core.gates import at_once
from messengers.core.instances import Instances
from messengers.core.opt_outs import OptOuts
from messengers.core.outbox import Outbox
from messengers.errors import MessengersError
from messengers.models import Instance
from messengers.store import Store, chats
from messengers.store import batches as rows
from messengers.store.rows import Row, all_rows, first_row, one_row

__all__ = ["OPTED_OUT", "Rounds"]

log = logging.getLogger(__name__)
_NAP_S = 30.0
"""The longest sleep until a time of day: the clock may jump."""
_MINUTE_MS = 60_000
OPTED_OUT = "opted out"
_FAILED = "A message failed or is in doubt, and the rest was not to be sent then."
_TOO_LATE = "Nothing could be sent for a day, so the batch was paused."


@dataclass(frozen=True, slots=True)
class _Step:
    """What is to be done next."""

    draft: str = ""
    """Wait until this one is settled."""
    chats: tuple[int, ...] = ()
    """The lanes of what was let go."""
    wait_ms: int = 0
    more: bool = True
    """False: nothing, until somebody wakes the batch."""


class Rounds:
    """Works on each running batch."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        instances: Instances,
        access: Access,
        drafts: Drafts,
        outbox: Outbox,
        opt_outs: OptOuts,
        batches: Batches,
        per_minute: int,
        tasks: TaskGroup,
    ) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._instances = instances
        self._access = access
        self._drafts = drafts
        self._outbox = outbox
        self._opt_outs = opt_outs
        self._batches = batches
        self._per_minute = per_minute
        self._tasks = tasks
        self._busy: dict[int, anyio.Event] = {}
        """The batches at work; setting one has it look again at what its state is."""
        batches.wake = self.wake

    async def wake_all(self) -> None:
        """See to every running batch: after a start, and after a passing fault of the disk."""
        for row in await self._store.rows(rows.running):
            self.wake(row["id"])

    def wake(self, batch: int) -> None:
        """See to a batch."""
        if batch in self._busy:
            self._busy[batch].set()
            return
        self._busy[batch] = anyio.Event()
        self._tasks.start_soon(self._work, batch)

    async def _work(self, batch: int) -> None:
        try:
            while True:
                self._busy[batch] = anyio.Event()
                more = await self._step(batch)
                if not more and not self._busy[batch].is_set():
                    return
        except MessengersError as exc:
            log.warning("batch %s rests: %s", batch, exc)  # the sweep wakes it
        finally:
            del self._busy[batch]

    async def _step(self, batch: int) -> bool:
        """The next message, or the wait before it. False: there is nothing to do now."""
        row = await self._store.row(rows.get, batch=batch)
        if row is None or row["state"] != "running":
            return False
        entry = self._instances.registry.entry(row["instance_id"])
        instance = None if entry.removed else entry.instance
        width = 0 if entry.removed else self._width(row)
        step = await self._events.write(lambda conn: self._advance(conn, batch, instance, width))
        for chat in step.chats:
            self._outbox.wake(chat)
        if step.draft:
            await self._settled(batch, step.draft)
        elif step.wait_ms:
            with anyio.move_on_after(step.wait_ms / 1000):
                await self._busy[batch].wait()
        return step.more

    async def _settled(self, batch: int, draft: str) -> None:
        """Wait for a draft's end, or until the batch is woken: what was let go may wait again."""
        async with anyio.create_task_group() as tasks:

            async def woken() -> None:
                await self._busy[batch].wait()
                tasks.cancel_scope.cancel()

            tasks.start_soon(woken)
            await self._drafts.settled(draft, _NAP_S)
            tasks.cancel_scope.cancel()

    def _advance(
        self, conn: Connection, batch: int, instance: Instance | None, width: int
    ) -> _Step:
        """All that is decided between two messages, in one unit; `width` may be under way."""
        row = first_row(conn, rows.get, batch=batch)
        if row is None or row["state"] != "running":
            return _Step(more=False)
        parts = all_rows(conn, rows.under_way, batch=batch)
        # The lanes of those that an earlier process let go are woken too.
        lanes = dict[str, int]((part["draft"], part["chat_id"]) for part in parts)
        if instance is None and not lanes:
            self._batches.drop(conn, batch, "The instance was removed.")
            return _Step(more=False)
        wait_ms = 0
        while instance is not None and len(lanes) < width:
            part = first_row(conn, rows.next_held, batch=batch)
            if (part is None and lanes) or not self._goes_on(conn, row, part) or part is None:
                break
            wait_ms = self._wait_ms(conn, row, len(lanes))
            if wait_ms > 0:
                break
            if self._let_go(conn, part, instance):
                lanes[part["draft"]] = part["chat_id"]
        first = next(iter(lanes), "")
        more = bool(first) or wait_ms > 0
        return _Step(first, tuple(lanes.values()), wait_ms, more)

    def _width(self, batch: Row) -> int:
        """How many may be under way."""
        if batch["delay_ms"] or batch["on_failure"] == "abort":
            return 1
        provider = self._instances.provider_for_parsing(batch["instance_id"])
        return at_once(provider.capabilities())

    def _goes_on(self, conn: Connection, batch: Row, part: Row | None) -> bool:
        """Whether the batch neither ends nor pauses, by what became of its last message."""
        key = batch["id"]
        if batch["on_failure"] == "abort" and first_row(conn, rows.failed, batch=key):
            self._batches.drop(conn, key, _FAILED, "aborted")
            return False
        late = first_row(conn, rows.unskipped, batch=key)
        if late is not None:
            rows.skip(conn, key, late["draft"], late["error"])
            self._batches.move(conn, key, ("running",), "paused", _TOO_LATE)
            return False
        if part is None:
            self._batches.move(conn, key, ("running",), "done")
        return part is not None

    def _wait_ms(self, conn: Connection, batch: Row, under_way: int) -> int:
        """How long until the next may leave, beside those under way; 0 or less: now."""
        now = to_ms(self._clock.now())
        if batch["send_at"] > now:
            return min(batch["send_at"] - now, int(_NAP_S * 1000))
        last = one_row(conn, rows.last_left, batch=batch["id"])["at"]
        # One that left in time to come did so before the clock was set back: long ago.
        pause_ms = last + batch["delay_ms"] - now if last and last <= now else 0
        return max(pause_ms, self._over_the_minute_ms(conn, batch, under_way, now))

    def _over_the_minute_ms(self, conn: Connection, batch: Row, under_way: int, now: int) -> int:
        """How long until the instance's batches have sent less than they may in a minute."""
        span = {"since": now - _MINUTE_MS, "now": now, "limit": self._per_minute}
        left = all_rows(conn, rows.left_since, instance=batch["instance_id"], **span)
        if len(left) + under_way < self._per_minute:
            return 0
        return int(left[-1]["claimed_at"]) + _MINUTE_MS - now if left else 1

    def _let_go(self, conn: Connection, part: Row, instance: Instance) -> bool:
        """The next draft into the outbox; False: the owner decided against it since."""
        place = one_row(conn, chats.get, chat=part["chat_id"])
        chat = chats.chat_of(place, instance.name, instance.provider)
        verdict = self._access.judge(chat, instance)
        why = verdict.why if verdict.refused else ""
        why = OPTED_OUT if self._opt_outs.holds(conn, place) else why
        if why:
            self._drafts.drop(conn, part["draft"], why)
            rows.skip(conn, part["batch_id"], part["draft"], why)
            return False
        self._drafts.release(conn, part["draft"])
        return True
