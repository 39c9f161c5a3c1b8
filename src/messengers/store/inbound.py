"""Statements on what arrived and is not yet understood."""

from sqlalchemy import Connection, bindparam, func, literal_column, select, update
from sqlalchemy.dialects.sqlite import insert

from messengers.store.rows import Row
from messengers.store.tables import InboundRow, table

__all__ = ["add", "finish", "postpone", "take", "todo_chats"]

_inbound = table(InboundRow)
_add = insert(_inbound).on_conflict_do_nothing(index_elements=["instance_id", "event_key"])
_take = (
    select(_inbound)
    .where(
        _inbound.c.instance_id == bindparam("instance"),
        _inbound.c.chat_key == bindparam("chat"),
        # Written out, not bound: SQLite takes an index of new rows only where it can see that.
        _inbound.c.state == literal_column("'new'"),
    )
    .order_by(_inbound.c.id)
    .limit(bindparam("limit"))
)
take = _take
todo_chats = (
    select(_inbound.c.instance_id, _inbound.c.chat_key, func.min(_inbound.c.id).label("first"))
    .where(_inbound.c.state == "new")
    .group_by(_inbound.c.instance_id, _inbound.c.chat_key)
    .order_by("first")
)
_finish = (
    update(_inbound)
    .where(_inbound.c.id == bindparam("row"), _inbound.c.state == "new")
    .values(state="done", payload=b"", error="")
)
_postpone = (
    update(_inbound)
    .where(_inbound.c.id == bindparam("row"))
    .values(
        state=bindparam("new_state"),
        attempts=_inbound.c.attempts + 1,
        next_at=bindparam("new_next_at"),
        error=bindparam("new_error"),
    )
)


def add(conn: Connection, values: dict[str, object]) -> bool:
    """Store one event; False when its key is known already."""
    return conn.execute(_add, values).rowcount == 1


def finish(conn: Connection, row: int) -> bool:
    """Mark as understood; False when somebody else did. The payload is no longer needed."""
    return conn.execute(_finish, {"row": row}).rowcount == 1


def postpone(conn: Connection, row: Row, error: str, next_at: int, *, dead: bool) -> None:
    """Count a failed attempt; a dead letter keeps its payload."""
    values = {"new_state": "dead" if dead else "new", "new_next_at": next_at, "new_error": error}
    conn.execute(_postpone, values | {"row": row["id"]})
