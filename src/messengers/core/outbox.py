"""The outbox: one row per platform call, one lane per chat, every claim durable before the call.

After a crash a claimed row without a result is *unknown*, unless the provider takes our key again:
then the same key is the same message. Nothing is resent blindly.
"""

import logging
from collections.abc import Callable, Sequence
from datetime import tzinfo
from functools import partial
from math import inf
from typing import Literal

import anyio
from anyio.abc import TaskGroup
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core import pacing
from messengers.core.drafts import Drafts, PartPlan
from messengers.core.events import Events
from messengers.core.gates import LONGEST_REST_S, Gate, Gates
from messengers.core.instances import Instances
from messengers.core.media import Media
from messengers.core.pacing import Hold
from messengers.core.steady import Steady
from messengers.errors import (
    MessengersError,
    NotConnected,
    NotReady,
    RateLimited,
    StorageUnavailable,
    Uncertain,
    Unreachable,
)
from messengers.models import Instance
from messengers.providers.base import Part, Provider, Reconciles, Sent
from messengers.providers.capabilities import Rate
from messengers.redaction import redact
from messengers.store import Store, chats, outbox
from messengers.store.rows import Row

__all__ = ["Outbox"]

log = logging.getLogger(__name__)
_CALL_DEADLINE_S = 60.0
_MAX_ATTEMPTS = 8
_DRAIN_S = 10.0
_REST_S = 1.0
_TOO_LATE = "Its time to live ended before it could be sent."


class Outbox:
    """Lanes that carry rows to their providers."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        instances: Instances,
        media: Media,
        drafts: Drafts,
        tasks: TaskGroup,
        zone: tzinfo,
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._gates = Gates(clock)
        self.steady = Steady(clock)
        self._events = events
        self._instances = instances
        self._media = media
        self._drafts = drafts
        self._tasks = tasks
        self._busy: set[int] = set()
        self._again: set[int] = set()
        self._naps: dict[int, anyio.Event] = {}
        """Lanes whose first row must not leave yet; setting one makes it look again."""
        self._closing = anyio.Event()
        self._idle = anyio.Event()

    async def resume(self) -> None:
        """Decide what a crash left claimed, then go on with what waits."""
        for row in await self._store.rows(outbox.claimed):
            await self._recover(row)
        await self.wake_all()

    async def wake_all(self) -> None:
        """See to every lane that has something queued."""
        for row in await self._store.rows(outbox.todo_chats):
            self.wake(row["chat_id"])

    async def _recover(self, row: Row) -> None:
        provider = self._instances.provider_for_parsing(row["instance_id"])
        native_id = await provider.begun(row["key"]) if isinstance(provider, Reconciles) else ""
        if native_id is None or self._resends(row, provider):
            await self._put_back(row, 0, "Messengers stopped during the call.")
            return
        fault = Uncertain("Messengers stopped during the call.")
        fault.native_id = native_id
        await self._settle(row, "unknown", fault)

    async def wake_draft(self, draft: str) -> None:
        """Start the lane of a draft that was just queued or released."""
        for row in await self._store.rows(outbox.of_draft, draft=draft):
            self.wake(row["chat_id"])

    def wake(self, chat: int) -> None:
        """See to a lane."""
        if self._closing.is_set():
            return
        if chat in self._busy:
            self._again.add(chat)
            if chat in self._naps:
                self._naps[chat].set()
            return
        self._busy.add(chat)
        self._tasks.start_soon(self._work, chat)

    def wake_instance(self, instance_id: str) -> None:
        """An instance is connected again: see to all its lanes."""
        self._tasks.start_soon(self._wake_instance, instance_id)

    async def _wake_instance(self, instance_id: str) -> None:
        try:
            waiting = await self._store.rows(outbox.todo_chats)
        except MessengersError as exc:
            log.warning("the lanes of %s rest: %s", instance_id, exc)  # the sweep wakes them
            return
        for row in waiting:
            if row["instance_id"] == instance_id:
                self.wake(row["chat_id"])

    async def drain(self) -> None:
        """Stop taking rows and let the calls under way end, for at most ten seconds."""
        self._closing.set()
        for nap in self._naps.values():
            nap.set()
        if self._busy:
            with anyio.move_on_after(_DRAIN_S):
                await self._idle.wait()

    async def _work(self, chat: int) -> None:
        try:
            while not self._closing.is_set():
                self._again.discard(chat)
                row = await self._store.row(outbox.next_of_chat, chat=chat)
                goes_on = row is not None and (await self._waited(row) or await self._leave(row))
                # What woke it while it looked may be what it would rest for.
                if not goes_on and chat not in self._again:
                    return
        except Exception as exc:  # noqa: BLE001 - the outermost loop; the sweep wakes the lane
            log.warning("the lane of chat %s rests: %s", chat, redact(repr(exc)))
        finally:
            self._busy.discard(chat)
            if self._closing.is_set() and not self._busy:
                self._idle.set()

    async def _waited(self, row: Row) -> bool:
        """Whether the row was ended, or waited for what concerns no other chat: look again."""
        if self._is_over(row):
            await self._end(row["draft"], _TOO_LATE)
            return True
        wait_s = self._early_s(row)
        if wait_s > 0:
            await self._nap(row["chat_id"], wait_s)
        return wait_s > 0

    def _is_over(self, row: Row) -> bool:
        return bool(row["expires_at"]) and row["expires_at"] <= to_ms(self._clock.now())

    def _early_s(self, row: Row) -> float:
        """How long until a row's own time: its pace's, or some time after its last attempt."""
        return max(0.0, (row["not_before"] - self.steady.now_ms()) / 1000)

    async def _leave(self, row: Row) -> bool:
        """One row's call, when its turn comes. False: the lane rests until something wakes it."""
        chat, instance_id = row["chat_id"], row["instance_id"]
        try:
            provider = self._instances.connected_provider(instance_id)
        except NotReady:
            return False
        place = await self._store.row(chats.get, chat=chat)
        if place is None:
            return False
        gate = self._gates.of(instance_id, provider.capabilities())
        wait_s = gate.chat_wait_s(place)
        if wait_s <= 0:
            async with gate.line:
                while not self._closing.is_set() and (pause_s := gate.wait_s()) > 0:
                    await self._nap(chat, pause_s)
                gate.take(place, _messages_in(row))
                wait_s = await self._carry(row, gate)
        if 0 < wait_s < inf:
            await self._nap(chat, wait_s)
        return wait_s < inf

    async def _carry(self, row: Row, gate: Gate) -> float:
        """Claim and call, unless the row ended in line. Returns how many seconds its chat waits."""
        if self._closing.is_set():
            return 0.0
        fresh = await self._store.row(outbox.next_of_chat, chat=row["chat_id"])
        place = await self._store.row(chats.get, chat=row["chat_id"])
        if fresh is None or place is None or fresh["id"] != row["id"]:
            return 0.0
        if self._early_s(fresh) or self._is_over(fresh):
            return 0.0
        if why := self._drafts.refusal(place):
            await self._end(fresh["draft"], why)
            return 0.0
        try:
            provider = self._instances.connected_provider(row["instance_id"])
        except NotReady:
            return 0.0
        held = await self._claimed(fresh, provider)
        if held is not None:
            return held
        result = await self._call(provider, place["native_id"], fresh)
        if isinstance(result, Sent):
            gate.reached()
            at = self.steady.now_ms()
            await self._record(fresh, lambda conn: self._drafts.accept(conn, fresh, result, at))
            self._instances.sent(row["instance_id"])
        else:
            await self._refused(fresh, result, gate, resends=self._resends(fresh, provider))
        return 0.0

    async def _claimed(self, row: Row, provider: Provider) -> float | None:
        """None once the row is claimed. Otherwise how many seconds its chat waits, inf to rest.

        A pause of the whole instance is waited for here, while the others stand in line.
        """
        rates = provider.capabilities().rates
        while True:
            instance = self._instances.by_id(row["instance_id"])
            moment = pacing.Moment(self.steady.now_ms(), self._clock.now().astimezone(self._zone))
            claim = await self._store.write(
                partial(self._claim, row=row, instance=instance, rates=rates, moment=moment)
            )
            if claim is True:
                return None
            if claim is False:
                # Ended meanwhile, or the lane is busy with what only a restart decides.
                now = await self._store.row(outbox.next_of_chat, chat=row["chat_id"])
                return inf if now is not None and now["id"] == row["id"] else 0.0
            if self._closing.is_set():
                return inf
            wait_s = max(0.001, (claim.until_ms - moment.steady_ms) / 1000)
            if claim.why:
                self._drafts.tell(row["draft"])
                return wait_s
            await self._nap(row["chat_id"], wait_s)

    def _claim(
        self,
        conn: Connection,
        row: Row,
        instance: Instance,
        rates: Sequence[Rate],
        moment: pacing.Moment,
    ) -> bool | Hold:
        """Take the row, unless the pace of its instance holds it back: both in one unit."""
        held = pacing.hold(conn, row, instance, rates, moment)
        if held is None:
            return self._drafts.claim(conn, row, moment.steady_ms)
        if held.why:
            self._drafts.hold_back(conn, row, held.until_ms, held.why)
        return held

    def _resends(self, row: Row, provider: Provider) -> bool:
        """Whether what may have been sent is sent again: harmlessly, or as the owner chose."""
        chosen = self._instances.by_id(row["instance_id"]).on_unknown == "resend"
        return provider.capabilities().reuses_key or chosen

    async def _nap(self, chat: int, seconds: float) -> None:
        """Wait for a time, or until something wakes the lane."""
        nap = self._naps[chat] = anyio.Event()
        try:
            # Woken since it was looked at: what was seen may hold no more.
            if chat not in self._again and not self._closing.is_set():
                with anyio.move_on_after(seconds):
                    await nap.wait()
            self._again.discard(chat)
        finally:
            del self._naps[chat]

    async def expire(self) -> None:
        """End what could not leave within its time to live, also where no lane comes to it."""
        now = to_ms(self._clock.now())
        for row in await self._store.rows(outbox.expired, now=now):
            await self._end(row["draft"], _TOO_LATE)

    async def _end(self, draft: str, why: str) -> None:
        await self._events.write(lambda conn: self._drafts.drop(conn, draft, why))
        self._drafts.tell(draft)

    async def _call(self, provider: Provider, chat: str, row: Row) -> Sent | MessengersError:
        """The platform call under its total deadline; what is no answer is uncertain."""
        plan = PartPlan.model_validate_json(row["payload"])
        try:
            part = await self._part(plan)
            with anyio.fail_after(_CALL_DEADLINE_S):
                return await provider.send(chat, part, row["key"])
        except MessengersError as exc:
            return exc
        except TimeoutError:
            return Uncertain("The messenger did not answer in time.", "Check before repeating.")
        except Exception as exc:  # noqa: BLE001 - the outermost loop of outbound work
            log.warning("send %s: %s", row["id"], redact(f"{type(exc).__name__}: {exc}"))
            return Uncertain("The provider failed during the call.", "Check before repeating.")

    async def _part(self, plan: PartPlan) -> Part:
        files = [await self._media.load(each) for each in plan.files]
        return Part(
            text=plan.text,
            media=files[0] if files else None,
            more=tuple(files[1:]),
            reply_to=plan.reply_to,
            silent=plan.silent,
            location=plan.location,
            contact=plan.contact,
            poll=plan.poll,
            buttons=plan.buttons,
            keyboard=plan.keyboard,
        )

    async def _refused(self, row: Row, exc: MessengersError, gate: Gate, *, resends: bool) -> None:
        """What an error means for the row: again later, failed for certain, or unknown."""
        state, wait_s = _fate(exc, row["attempts"], gate, resends=resends)
        if state == "again":
            not_before = self.steady.now_ms() + int(wait_s * 1000)
            await self._put_back(row, not_before, redact(str(exc)))
        else:
            await self._settle(row, state, exc)

    async def _put_back(self, row: Row, not_before: int, why: str) -> None:
        """Put a claimed row back for another call."""
        await self._record(row, lambda conn: self._drafts.put_back(conn, row, not_before, why))

    async def _settle(self, row: Row, state: str, exc: MessengersError) -> None:
        why, native_id = redact(str(exc)), exc.native_id if isinstance(exc, Uncertain) else ""
        at = self.steady.now_ms()
        await self._record(
            row, lambda conn: self._drafts.settle(conn, row, state, at, exc.code, why, native_id)
        )

    async def _record(self, row: Row, unit: Callable[[Connection], None]) -> None:
        """Write what a call led to. A full disk keeps it waiting: what is known is not lost."""
        while True:
            try:
                await self._events.write(unit)
            except StorageUnavailable as exc:
                if self._closing.is_set():
                    raise
                log.warning("the result of row %s waits for the disk: %s", row["id"], exc)
                with anyio.move_on_after(_REST_S):
                    await self._closing.wait()
            else:
                break
        self._drafts.tell(row["draft"])


def _messages_in(row: Row) -> int:
    """What a row counts as: an album is as many messages as it has files."""
    return max(1, len(PartPlan.model_validate_json(row["payload"]).files))


def _fate(
    exc: MessengersError, attempts: int, gate: Gate, *, resends: bool
) -> tuple[Literal["again", "failed", "unknown"], float]:
    """What an error means, and after how many seconds to go on.

    Again only where it is certain that nothing happened, where the key makes a second call the
    same message, or where the owner wants one rather than a doubt. A messenger that cannot be
    reached, or an account that is not connected, is no fault of the message: its time to live
    ends that.
    """
    pause_s = min(2.0 ** min(attempts, _MAX_ATTEMPTS), 60.0)
    match exc:
        case RateLimited():
            wait_s = min(exc.retry_after_s, LONGEST_REST_S) if exc.retry_after_s > 0 else pause_s
            if exc.whole:
                gate.rest(wait_s)
            return "again", wait_s
        case Uncertain():
            again = resends and attempts < _MAX_ATTEMPTS
            return ("again", pause_s) if again else ("unknown", 0)
        case Unreachable():
            return "again", max(pause_s, gate.unreachable())
        case NotConnected():
            return "again", pause_s
        case NotReady() if attempts < _MAX_ATTEMPTS:
            return "again", pause_s
        case _:
            gate.reached()
            return "failed", 0
