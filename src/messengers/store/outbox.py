"""Statements on the outbox: one row per platform call, the lane is the chat."""

from typing import Any

from sqlalchemy import Connection, Select, bindparam, exists, func, insert, or_, select, update

from messengers.store.rows import Row, run
from messengers.store.tables import ChatRow, MessageRow, OutboxRow, table

__all__ = [
    "add",
    "any_for",
    "begun_by",
    "begun_of",
    "by_hash",
    "by_key",
    "by_ref",
    "cancel_draft",
    "claim",
    "claimed",
    "confirm",
    "expired",
    "hurry",
    "last_left",
    "new_contacts",
    "next_of_chat",
    "of_draft",
    "of_messages",
    "postpone",
    "release",
    "settle",
    "spent_by",
    "spent_of",
    "todo_chats",
    "unclaim",
]

_outbox = table(OutboxRow)
_insert = insert(_outbox)
_other = _outbox.alias("other")
_chats = table(ChatRow)
_messages = table(MessageRow)
of_draft = select(_outbox).where(_outbox.c.draft == bindparam("draft")).order_by(_outbox.c.part)
of_messages: Select[Any, Any] = select(_outbox.c.message_id, _outbox.c.payload).where(
    _outbox.c.message_id.in_(bindparam("messages", expanding=True))
)
"""What left for each message, in the provider's dialect."""
claimed = select(_outbox).where(_outbox.c.state == "claimed").order_by(_outbox.c.id)
by_key = select(_outbox).where(
    _outbox.c.key == bindparam("key"), _outbox.c.instance_id == bindparam("instance")
)
by_ref = (
    select(_outbox)
    .where(
        _outbox.c.requested_by == bindparam("caller"),
        _outbox.c.client_ref == bindparam("ref"),
        _outbox.c.created_at >= bindparam("since"),
    )
    .order_by(_outbox.c.id.desc())
    .limit(1)
)
by_hash = (
    select(_outbox)
    .where(
        _outbox.c.draft_hash == bindparam("hash"),
        _outbox.c.requested_by == bindparam("caller"),
        _outbox.c.client_ref == "",
        _outbox.c.created_at >= bindparam("since"),
        _outbox.c.state.in_(("queued", "claimed", "accepted", "unknown")),
        or_(_outbox.c.settled_at.is_(None), _outbox.c.settled_at >= bindparam("settled")),
    )
    .order_by(_outbox.c.id.desc())
    .limit(1)
)
"""An identical call that may have left, or will, made so lately that it may be a repetition."""
expired = (
    select(_outbox.c.draft)
    .where(_outbox.c.state == "queued", _outbox.c.expires_at <= bindparam("now"))
    .distinct()
)
todo_chats = (
    select(_outbox.c.instance_id, _outbox.c.chat_id).where(_outbox.c.state == "queued").distinct()
)
next_of_chat = (
    select(_outbox)
    .where(_outbox.c.chat_id == bindparam("chat"), _outbox.c.state == "queued")
    .order_by(_outbox.c.id)
    .limit(1)
)
last_left = (
    select(_outbox.c.key, _outbox.c.claimed_at, _outbox.c.settled_at)
    .where(_outbox.c.instance_id == bindparam("instance"), _outbox.c.claimed_at <= bindparam("now"))
    .order_by(_outbox.c.claimed_at.desc())
    .limit(1)
)
"""What an instance sent, or tried to, last. After the clock was set back: since then."""
_counts = _outbox.c.state.not_in(("not_sent", "failed"))
_lately = (
    select(_outbox.c.created_at)
    .where(_counts, _outbox.c.created_at > bindparam("since"))
    .order_by(_outbox.c.created_at.desc())
    .limit(1)
    .offset(bindparam("skip"))
)
spent_by = _lately.where(_outbox.c.requested_by == bindparam("actor"))
"""The message of a caller that is so many before the newest, if it is of the time."""
spent_of = _lately.where(
    _outbox.c.instance_id == bindparam("instance"), _outbox.c.requested_by != "owner"
)
"""The same of an instance, whoever asked but the owner."""
any_for = select(_outbox.c.id).where(_counts, _outbox.c.chat_id == bindparam("chat")).limit(1)
_begun = (
    select(func.min(_outbox.c.created_at).label("created_at"))
    .join(_chats, _chats.c.id == _outbox.c.chat_id)
    .where(
        _counts,
        _chats.c.kind == "dm",
        _outbox.c.created_at > bindparam("since"),
        ~exists(
            select(_other.c.id).where(
                _other.c.chat_id == _outbox.c.chat_id,
                _other.c.created_at <= bindparam("since"),
            )
        ),
        ~exists(
            select(_messages.c.id).where(
                _messages.c.chat_id == _outbox.c.chat_id,
                _messages.c.origin != "api",
                _messages.c.sent_at < _outbox.c.created_at,
            )
        ),
    )
    .group_by(_outbox.c.chat_id)
    .order_by(func.min(_outbox.c.created_at).desc())
    .limit(1)
    .offset(bindparam("skip"))
)
begun_of = _begun.where(
    _outbox.c.instance_id == bindparam("instance"), _outbox.c.requested_by != "owner"
)
"""When an instance first wrote to the new contact that is so many before the newest."""
begun_by = _begun.where(_outbox.c.requested_by == bindparam("actor"))
"""The same of one caller."""
_first_left = (
    select(_outbox.c.chat_id, func.min(_outbox.c.claimed_at).label("left_at"))
    .where(
        _outbox.c.instance_id == bindparam("instance"),
        _outbox.c.claimed_at.between(bindparam("since"), bindparam("now")),
    )
    .group_by(_outbox.c.chat_id)
    .subquery()
)
new_contacts = (
    select(_first_left.c.left_at)
    .join(_chats, _chats.c.id == _first_left.c.chat_id)
    .where(
        _chats.c.kind == "dm",
        ~exists(
            select(_other.c.id).where(
                _other.c.instance_id == bindparam("instance"),
                _other.c.claimed_at < bindparam("since"),
                _other.c.chat_id == _first_left.c.chat_id,
            )
        ),
        ~exists(
            select(_messages.c.id).where(
                _messages.c.chat_id == _first_left.c.chat_id,
                _messages.c.origin != "api",
                _messages.c.sent_at < _first_left.c.left_at,
            )
        ),
    )
    .order_by(_first_left.c.left_at.desc())
)
"""When an instance first wrote to each new contact since a time, newest first."""
_claim = (
    update(_outbox)
    .where(
        _outbox.c.id == bindparam("row"),
        _outbox.c.state == "queued",
        # one call of a lane at a time, whoever asks
        ~exists(
            select(_other.c.id).where(
                _other.c.chat_id == bindparam("chat"),
                _other.c.state == "claimed",
            )
        ),
    )
    .values(
        state="claimed", attempts=_outbox.c.attempts + 1, claimed_at=bindparam("new_claimed_at")
    )
)
_settle = (
    update(_outbox)
    .where(_outbox.c.id == bindparam("row"), _outbox.c.state.in_(("claimed", "queued", "held")))
    .values(
        state=bindparam("new_state"),
        settled_at=bindparam("new_settled_at"),
        error_code=bindparam("new_code"),
        error=bindparam("new_error"),
        notes=bindparam("new_notes"),
    )
)
_confirm = (
    update(_outbox)
    .where(_outbox.c.message_id == bindparam("message"), _outbox.c.state == "unknown")
    .values(state="accepted", error_code="", error="")
)
_unclaim = (
    update(_outbox)
    .where(_outbox.c.id == bindparam("row"), _outbox.c.state == "claimed")
    .values(state="queued", not_before=bindparam("new_not_before"), notes=bindparam("new_notes"))
)
_postpone = (
    update(_outbox)
    .where(_outbox.c.id == bindparam("row"), _outbox.c.state == "queued")
    .values(not_before=bindparam("new_not_before"), notes=bindparam("new_notes"))
)
_hurry = (
    update(_outbox)
    .where(
        _outbox.c.instance_id == bindparam("instance"),
        _outbox.c.state == "queued",
        # what the messenger itself put off stays so
        _outbox.c.attempts == 0,
    )
    .values(not_before=0, notes="")
)
_release = (
    update(_outbox)
    .where(_outbox.c.draft == bindparam("of_draft"), _outbox.c.state == "held")
    .values(state="queued", expires_at=bindparam("new_expires_at"))
)
_cancel = (
    update(_outbox)
    .where(_outbox.c.draft == bindparam("of_draft"), _outbox.c.state.in_(("held", "queued")))
    .values(
        state="not_sent",
        settled_at=bindparam("new_settled_at"),
        error_code=bindparam("new_code"),
        error=bindparam("new_error"),
    )
)


def add(conn: Connection, values: dict[str, Any]) -> int:
    """A new row; returns its key."""
    return run(conn, _insert, values).lastrowid or 0


def claim(conn: Connection, row: Row, at: int) -> bool:
    """Take a row before its call; False when it is gone or the lane is busy."""
    values = {"row": row["id"], "chat": row["chat_id"], "new_claimed_at": at}
    return run(conn, _claim, values).rowcount == 1


def settle(
    conn: Connection,
    row: int,
    state: str,
    at: int,
    code: str = "",
    error: str = "",
    notes: str = "",
) -> bool:
    """Write what became of a row, once; False when it was settled before."""
    values = {"new_state": state, "new_settled_at": at, "new_code": code, "new_error": error}
    return run(conn, _settle, values | {"row": row, "new_notes": notes}).rowcount == 1


def confirm(conn: Connection, message: int) -> None:
    """The platform was seen to have what was in doubt."""
    run(conn, _confirm, {"message": message})


def unclaim(conn: Connection, row: int, not_before: int, notes: str) -> bool:
    """Put a claimed row back: certainly nothing happened, or a second call does no harm."""
    values = {"row": row, "new_not_before": not_before, "new_notes": notes}
    return run(conn, _unclaim, values).rowcount == 1


def postpone(conn: Connection, row: int, not_before: int, notes: str) -> None:
    """Keep a queued row back, and tell its sender why."""
    run(conn, _postpone, {"row": row, "new_not_before": not_before, "new_notes": notes})


def hurry(conn: Connection, instance_id: str) -> None:
    """Take back what kept the queued rows of an instance from leaving."""
    run(conn, _hurry, {"instance": instance_id})


def release(conn: Connection, draft: str, expires_at: int) -> int:
    """Let a held draft go; returns how many rows."""
    values = {"of_draft": draft, "new_expires_at": expires_at}
    return run(conn, _release, values).rowcount


def cancel_draft(conn: Connection, draft: str, at: int, code: str, error: str) -> int:
    """End what has not left as not sent; returns how many rows."""
    values = {"of_draft": draft, "new_settled_at": at, "new_code": code, "new_error": error}
    return run(conn, _cancel, values).rowcount
