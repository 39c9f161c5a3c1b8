"""Messages that wait for their time: each a batch of one."""

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import Connection

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.acts import Act
from messengers.core.approvals import Approvals, Stage
from messengers.core.batch_views import Batch
from messengers.core.batches import Batches
from messengers.core.callers import Caller
from messengers.core.drafts import Drafts
from messengers.core.events import Events
from messengers.errors import InvalidInput, NotFound
from messengers.models import IdKind, Outcome, SentMessage, decode_id, encode_id
from messengers.store import Store
from messengers.store import batches as rows
from messengers.store.rows import Row, id_of, one_row

__all__ = ["Schedules", "told_time", "when_of"]

_LATEST = timedelta(days=366)
_GRACE = timedelta(minutes=15)
"""A time that passed while the owner looked at the form is none that was written wrongly."""
_OVER = {"held": Outcome.NEEDS_APPROVAL, "cancelled": Outcome.NOT_SENT}


def when_of(send_at: datetime | timedelta | None, now: datetime) -> dict[str, int]:
    """A draft's time as a payload keeps it. Raises InvalidInput for one past or too far ahead.

    What counts from now counts from when it is taken on: the same call is the same act a minute
    later.
    """
    if send_at is None:
        return {}
    ahead = send_at if isinstance(send_at, timedelta) else send_at - now
    if ahead < -_GRACE:
        raise InvalidInput("send_at is past.", "Give a time to come.")
    if ahead > _LATEST:
        raise InvalidInput("send_at is more than a year ahead.", "Give an earlier time.")
    if isinstance(send_at, timedelta):
        return {"send_in_ms": int(send_at.total_seconds() * 1000)}
    return {"send_at": to_ms(send_at)}


def told_time(send_at: datetime | timedelta | None, zone: tzinfo) -> str:
    """When a draft is to leave, as its owner reads it; empty for now."""
    if isinstance(send_at, timedelta):
        return f"{send_at} after it is agreed to"
    return f"at {send_at.astimezone(zone):%Y-%m-%d %H:%M %Z}" if send_at else ""


class Schedules:
    """Takes them on, shows them, calls them off."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        zone: tzinfo,
        events: Events,
        batches: Batches,
        drafts: Drafts,
        approvals: Approvals,
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._events = events
        self._batches = batches
        self._drafts = drafts
        approvals.executors["send_later"] = self._execute
        approvals.stages["send_later"] = Stage(
            hold=self._hold,
            release=lambda conn, batch: self._batches.release(conn, _key(batch)),
            drop=lambda conn, batch, why: self._batches.end(conn, _key(batch), why),
            start=self._batches.start,
            outcome=self._outcome,
        )

    async def cancel(self, caller: Caller, ref: str) -> Batch:
        """Call off what has not left, by a message's or a batch's id. Raises NotFound."""
        message = decode_id(IdKind.MESSAGE, ref.strip())
        if message is not None:
            row = await self._store.row(rows.of_message, message=message)
            if row is None or not caller.sees(row["instance_id"]):
                raise NotFound("No such scheduled message.", "list_scheduled shows what waits.")
            ref = encode_id(IdKind.BATCH, row["batch_id"])
        return await self._batches.control(caller, ref, "cancel")

    def _hold(self, conn: Connection, act: Act) -> tuple[str, int]:
        batch, _ = self._batches.add(conn, act.caller.actor, _as_batch(act.payload), held=True)
        return id_of(IdKind.BATCH, batch), one_row(conn, rows.next_part, batch=batch)["message_id"]

    async def _execute(
        self, payload: Mapping[str, Any], caller: Caller, wait_s: float
    ) -> SentMessage:
        batch, notes = await self._batches.begin(caller, _as_batch(payload))
        answer = await self._outcome(batch, wait_s)
        return answer.model_copy(update={"notes": (*answer.notes, *notes)})

    async def _outcome(self, ref: str, wait_s: float) -> SentMessage:
        """What became of it; one whose time has not come is not waited for."""
        key, until = _key(ref), self._clock.monotonic_s() + wait_s

        async def gone() -> Row | None:
            row, (part, *_) = await self._rows(key)
            ahead = row["send_at"] > to_ms(self._clock.now())
            waits = row["state"] == "running" and part["state"] == "held" and not ahead
            return None if waits else row

        await self._events.wait(gone, wait_s)
        row, (part, *_) = await self._rows(key)
        if part["state"] == "held" or row["state"] == "cancelled":
            return self._waiting(row, part)
        left_s = max(0.0, until - self._clock.monotonic_s())
        return await self._drafts.outcome(part["draft"], left_s, self._zone)

    async def _rows(self, batch: int) -> tuple[Row, list[Row]]:
        row = await self._store.row(rows.get, batch=batch)
        parts = await self._store.rows(rows.recipients, batch=batch)
        if row is None or not parts:
            raise NotFound("The message was removed meanwhile.")
        return row, parts

    def _waiting(self, row: Row, part: Row) -> SentMessage:
        time = from_ms(row["send_at"]).astimezone(self._zone).isoformat(timespec="minutes")
        ended = row["state"] == "cancelled"
        return SentMessage(
            message=id_of(IdKind.MESSAGE, part["message_id"]),
            chat=id_of(IdKind.CHAT, part["chat_id"]),
            outcome=_OVER.get(row["state"], Outcome.QUEUED),
            notes=(row["reason"] if ended else f"leaves at {time}",),
        )


def _as_batch(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """The payload of a send as that of a batch of one."""
    return {
        **payload,
        "kind": "message",
        "letters": [{**payload, "position": 1}],
        "skipped": [],
        "on_failure": "continue",
        "delay_ms": 0,
    }


def _key(ref: str) -> int:
    return decode_id(IdKind.BATCH, ref) or 0
