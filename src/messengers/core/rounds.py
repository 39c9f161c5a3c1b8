"""What has a batch go on: one message after the other, each let go when the one before is settled.

Where a batch stands is read from its rows each time, so that a process that was killed goes on
where the last one stopped: what it had let go is the outbox's to end, and nobody is let go twice.
"""

import logging

import anyio
from anyio.abc import TaskGroup
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import judge
from messengers.core.batches import Batches
from messengers.core.chats import Chats
from messengers.core.drafts import Drafts
from messengers.core.events import Events
from messengers.core.instances import Instances
from messengers.core.opt_outs import OptOuts
from messengers.core.outbox import Outbox
from messengers.errors import MessengersError
from messengers.store import Store, chats
from messengers.store import batches as rows
from messengers.store.rows import Row, first_row, one_row

__all__ = ["OPTED_OUT", "Rounds"]

log = logging.getLogger(__name__)
_NAP_S = 30.0
"""The longest sleep until a time of day: the clock may jump."""
_MINUTE_MS = 60_000
OPTED_OUT = "opted out"
_FAILED = "A message failed or is in doubt, and the rest was not to be sent then."
_TOO_LATE = "Nothing could be sent for a day, so the batch was paused."


class Rounds:
    """Works on each running batch."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        instances: Instances,
        chats: Chats,
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
        self._chats = chats
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
        part = await self._store.row(rows.next_part, batch=batch)
        if part is None or part["state"] == "held":
            if await self._rests(row, part):
                return False
            if part is None or not await self._may_go(row):
                return True
            if not await self._events.write(lambda conn: self._let_go(conn, batch, part)):
                return True
        await self._outbox.wake_draft(part["draft"])
        await self._drafts.settled(part["draft"], _NAP_S)
        return True

    async def _rests(self, row: Row, part: Row | None) -> bool:
        """Between two messages: whether the batch ends or pauses, by what became of the last."""
        batch, asked = row["id"], {"batch": row["id"]}
        if self._instances.registry.entry(row["instance_id"]).removed:
            await self._events.write(
                lambda conn: self._batches.drop(conn, batch, "The instance was removed.")
            )
            return True
        if row["on_failure"] == "abort" and await self._store.row(rows.failed, **asked):
            await self._events.write(
                lambda conn: self._batches.drop(conn, batch, _FAILED, "aborted")
            )
            return True
        late = await self._store.row(rows.unskipped, **asked)
        if late is not None:
            await self._events.write(lambda conn: self._pause(conn, batch, late))
            return True
        if part is None:
            await self._events.write(
                lambda conn: self._batches.move(conn, batch, ("running",), "done")
            )
        return part is None

    def _pause(self, conn: Connection, batch: int, late: Row) -> None:
        rows.skip(conn, batch, late["draft"], late["error"])
        self._batches.move(conn, batch, ("running",), "paused", _TOO_LATE)

    async def _may_go(self, batch: Row) -> bool:
        """Wait until the next may leave. False: look again first."""
        now = to_ms(self._clock.now())
        if batch["send_at"] > now:
            await self._nap(batch["id"], min(batch["send_at"] - now, _NAP_S * 1000))
            return False
        last = await self._store.row(rows.last_left, batch=batch["id"])
        # After the clock was set back the last one left just now, not in time to come.
        since = now - min(last["at"], now) if last and last["at"] else batch["delay_ms"]
        wait_ms = max(batch["delay_ms"] - since, await self._over_the_minute(batch, now))
        return wait_ms <= 0 or not await self._nap(batch["id"], wait_ms)

    async def _over_the_minute(self, batch: Row, now: int) -> int:
        """How long until the instance's batches have sent less than they may in a minute."""
        span = {"since": now - _MINUTE_MS, "now": now, "limit": self._per_minute}
        left = await self._store.rows(rows.left_since, instance=batch["instance_id"], **span)
        if len(left) < self._per_minute:
            return 0
        return int(left[-1]["claimed_at"]) + _MINUTE_MS - now

    async def _nap(self, batch: int, wait_ms: float) -> bool:
        """Sleep; whether something woke it."""
        with anyio.move_on_after(wait_ms / 1000):
            await self._busy[batch].wait()
        return self._busy[batch].is_set()

    def _let_go(self, conn: Connection, batch: int, part: Row) -> bool:
        """The next draft into the outbox, unless that may not be any more. False: it was not."""
        row = one_row(conn, rows.get, batch=batch)
        fresh = first_row(conn, rows.next_part, batch=batch)
        if row["state"] != "running" or fresh is None or fresh["id"] != part["id"]:
            return False
        why = self._refusal(conn, part)
        if why:
            self._drafts.drop(conn, part["draft"], why)
            rows.skip(conn, batch, part["draft"], why)
            return False
        self._drafts.release(conn, part["draft"])
        return True

    def _refusal(self, conn: Connection, part: Row) -> str:
        """What the owner has decided since; empty: nothing against it."""
        place = one_row(conn, chats.get, chat=part["chat_id"])
        if self._opt_outs.holds(conn, place):
            return OPTED_OUT
        instance = self._instances.by_id(part["instance_id"])
        verdict = judge(self._chats.of_row(place), instance)
        return verdict.why if verdict.refused else ""
