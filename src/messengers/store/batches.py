"""Statements on batches and who is in them; their messages are outbox rows."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, or_, select, update

from messengers.store.batch_tables import BatchRecipientRow, BatchRow
from messengers.store.rows import run
from messengers.store.tables import MessageRow, OutboxRow, table

__all__ = [
    "add",
    "add_recipient",
    "by_hash",
    "by_ref",
    "failed",
    "get",
    "hold_back",
    "last_left",
    "left_since",
    "listed",
    "next_held",
    "next_part",
    "of_message",
    "recipients",
    "running",
    "set_state",
    "skip",
    "under_way",
    "unskipped",
]

_batches = table(BatchRow)
_recipients = table(BatchRecipientRow)
_outbox = table(OutboxRow)
_messages = table(MessageRow)
_OPEN = ("held", "queued", "claimed")

get = select(_batches).where(_batches.c.id == bindparam("batch"))
running = select(_batches.c.id).where(_batches.c.state == "running").order_by(_batches.c.id)
by_ref = (
    select(_batches)
    .where(
        _batches.c.requested_by == bindparam("caller"),
        _batches.c.client_ref == bindparam("ref"),
        _batches.c.created_at >= bindparam("since"),
    )
    .order_by(_batches.c.id.desc())
    .limit(1)
)
by_hash = (
    select(_batches)
    .where(
        _batches.c.draft_hash == bindparam("hash"),
        _batches.c.requested_by == bindparam("caller"),
        _batches.c.client_ref == "",
        _batches.c.created_at >= bindparam("since"),
        _batches.c.state.in_(("running", "paused", "done")),
        or_(_batches.c.ended_at.is_(None), _batches.c.ended_at >= bindparam("settled")),
    )
    .order_by(_batches.c.id.desc())
    .limit(1)
)
"""An identical call that may have left, or will, made so lately that it may be a repetition."""
of_message = select(_outbox.c.batch_id, _outbox.c.instance_id).where(
    _outbox.c.message_id == bindparam("message"), _outbox.c.batch_id.is_not(None)
)
recipients = (
    select(
        _recipients,
        _outbox.c.state,
        _outbox.c.message_id,
        _outbox.c.error,
        _outbox.c.notes,
        _messages.c.delivery,
    )
    .outerjoin(
        _outbox,
        (_outbox.c.batch_id == _recipients.c.batch_id) & (_outbox.c.draft == _recipients.c.draft),
    )
    .outerjoin(_messages, _messages.c.id == _outbox.c.message_id)
    .where(_recipients.c.batch_id == bindparam("batch"))
    .order_by(_recipients.c.position, _outbox.c.part)
)
"""Everyone in order, once for each part of what he gets."""
_of_batch = select(_outbox).where(_outbox.c.batch_id == bindparam("batch")).order_by(_outbox.c.id)
next_held = _of_batch.where(_outbox.c.state == "held").limit(1)
"""The first platform call that was not let go."""
next_part = _of_batch.where(_outbox.c.state.in_(_OPEN)).limit(1)
"""The first that is not settled."""
under_way = _of_batch.where(_outbox.c.state.in_(("queued", "claimed")))
"""Those that were let go and are not settled, in order."""
failed = (
    select(_outbox.c.id)
    .where(_outbox.c.batch_id == bindparam("batch"), _outbox.c.state.in_(("failed", "unknown")))
    .limit(1)
)
unskipped = (
    select(_recipients.c.draft, _outbox.c.error)
    .join(
        _outbox,
        (_outbox.c.batch_id == _recipients.c.batch_id) & (_outbox.c.draft == _recipients.c.draft),
    )
    .where(
        _recipients.c.batch_id == bindparam("batch"),
        _recipients.c.skipped == "",
        _outbox.c.state == "not_sent",
        _outbox.c.part == 1,
    )
    .limit(1)
)
"""What ended without a call although nobody meant it to: its time to live was over."""
last_left = select(
    func.max(func.coalesce(_outbox.c.settled_at, _outbox.c.claimed_at)).label("at")
).where(_outbox.c.batch_id == bindparam("batch"), _outbox.c.claimed_at.is_not(None))
left_since = (
    select(_outbox.c.claimed_at)
    .where(
        _outbox.c.instance_id == bindparam("instance"),
        _outbox.c.claimed_at.between(bindparam("since"), bindparam("now")),
        _outbox.c.batch_id.is_not(None),
    )
    .order_by(_outbox.c.claimed_at.desc())
    .limit(bindparam("limit"))
)
"""When the calls of an instance's batches were made since a time, newest first."""
_insert = insert(_batches)
_insert_recipient = insert(_recipients)
_set_state = (
    update(_batches)
    .where(
        _batches.c.id == bindparam("batch"),
        _batches.c.state.in_(bindparam("before", expanding=True)),
    )
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        ended_at=bindparam("new_ended_at"),
    )
)
_other = _outbox.alias("other")
_hold_back = (
    update(_outbox)
    .where(
        _outbox.c.batch_id == bindparam("batch"),
        _outbox.c.state == "queued",
        # What has begun to leave is not cut in two.
        _outbox.c.draft.not_in(
            select(_other.c.draft).where(
                _other.c.batch_id == bindparam("batch"),
                _other.c.state.not_in(("held", "queued")),
            )
        ),
    )
    .values(state="held")
)
_skip = (
    update(_recipients)
    .where(_recipients.c.batch_id == bindparam("batch"), _recipients.c.draft == bindparam("of"))
    .values(skipped=bindparam("new_skipped"))
)


@cache
def listed(*, instances: bool, waiting: bool) -> Select[Any]:
    """Batches, newest first; `waiting`: those that go on by themselves or when they are let."""
    stmt = select(_batches)
    if instances:
        stmt = stmt.where(_batches.c.instance_id.in_(bindparam("instances", expanding=True)))
    if waiting:
        stmt = stmt.where(
            _batches.c.state.in_(("held", "running", "paused")), _batches.c.send_at > 0
        )
        return stmt.order_by(_batches.c.send_at, _batches.c.id).limit(bindparam("limit"))
    stmt = stmt.where(_batches.c.kind == "bulk")
    return stmt.order_by(_batches.c.id.desc()).limit(bindparam("limit"))


def add(conn: Connection, values: dict[str, Any]) -> int:
    """A new batch; returns its key."""
    return run(conn, _insert, values).lastrowid or 0


def add_recipient(conn: Connection, values: dict[str, Any]) -> None:
    """The next one of a batch."""
    run(conn, _insert_recipient, values)


def set_state(
    conn: Connection,
    batch: int,
    before: tuple[str, ...],
    state: str,
    reason: str = "",
    ended_at: int | None = None,
) -> bool:
    """Move on from one of the states before; False when it was in none of them."""
    new = {"new_state": state, "new_reason": reason, "new_ended_at": ended_at}
    return run(conn, _set_state, {"batch": batch, "before": before, **new}).rowcount == 1


def hold_back(conn: Connection, batch: int) -> None:
    """What was let go and has not begun to leave waits again."""
    run(conn, _hold_back, {"batch": batch})


def skip(conn: Connection, batch: int, draft: str, why: str) -> None:
    """Say why nothing leaves for a recipient."""
    run(conn, _skip, {"batch": batch, "of": draft, "new_skipped": why})
