"""Statements on messages that agents are not shown."""

from typing import Any

from sqlalchemy import ColumnElement, Connection, bindparam, func, select, text, update

from messengers.store.rows import run
from messengers.store.tables import MessageRow, table

__all__ = ["between", "newest", "senders", "set_reason"]

_messages = table(MessageRow)
_of_chat = _messages.c.chat_id == bindparam("chat")
_kept_back: ColumnElement[Any] = text("withheld != ''")  # pyright: ignore[reportAssignmentType] - as the index says it, word for word
senders = (
    select(_messages.c.sender_id, _messages.c.mentions_me, _messages.c.withheld)
    .where(_of_chat, _messages.c.direction == "in")
    .distinct()
)
"""Who wrote in a chat, and what was decided of it."""
between = select(func.count().label("number")).where(
    _of_chat,
    _kept_back,
    _messages.c.sent_at >= bindparam("since"),
    _messages.c.sent_at < bindparam("until"),
)
newest = (
    select(_messages)
    .where(_kept_back, _messages.c.sent_at.is_not(None))
    .order_by(_messages.c.received_at.desc(), _messages.c.id.desc())
    .limit(bindparam("limit"))
)
_set = (
    update(_messages)
    .where(
        _of_chat,
        _messages.c.direction == "in",
        _messages.c.sender_id == bindparam("sender"),
        _messages.c.mentions_me == bindparam("mentions"),
        _messages.c.withheld == bindparam("before"),
    )
    .values(withheld=bindparam("after"))
)


def set_reason(
    conn: Connection, chat: int, sender: str, mentions: int, before: str, after: str
) -> None:
    """Decide anew of what somebody wrote in a chat."""
    place = {"chat": chat, "sender": sender, "mentions": mentions, "before": before}
    run(conn, _set, {**place, "after": after})
