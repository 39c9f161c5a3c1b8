"""Statements on what arrived and is not yet understood."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, literal_column, select, update

from messengers.store.rows import Row, all_rows, dump_json, run
from messengers.store.sqlite import upsert
from messengers.store.tables import InboundRow, table

__all__ = [
    "add",
    "dead",
    "dead_count",
    "finish",
    "get",
    "postpone",
    "revive",
    "states",
    "todo",
    "todo_of_lane",
]

_inbound = table(InboundRow)
_add = upsert(_inbound).on_conflict_do_nothing(index_elements=["instance_id", "event_key"])
# Written out, not bound: SQLite takes an index of new rows only where it can see that.
_new = _inbound.c.state == literal_column("'new'")
_dead = _inbound.c.state == literal_column("'dead'")
_raw = select(
    _inbound.c.id,
    _inbound.c.instance_id,
    _inbound.c.chat_key,
    _inbound.c.kind,
    _inbound.c.payload,
    _inbound.c.received_at,
)
todo = (
    _raw.where(_new, _inbound.c.id > bindparam("after"))
    .order_by(_inbound.c.id)
    .limit(bindparam("limit"))
)
"""What is not understood, in the order it came."""
todo_of_lane = (
    _raw.where(
        _new,
        _inbound.c.instance_id == bindparam("instance"),
        _inbound.c.chat_key == bindparam("chat"),
    )
    .order_by(_inbound.c.id)
    .limit(bindparam("limit"))
)
_keys = select(func.json_each(bindparam("keys")).table_valued("value").c.value)
get = select(_inbound).where(_inbound.c.id == bindparam("row"))
states = select(_inbound.c.id, _inbound.c.state, _inbound.c.error).where(_inbound.c.id.in_(_keys))
dead_count = select(func.count().label("count")).where(_dead)
_finish = (
    update(_inbound)
    .where(
        _inbound.c.id.in_(_keys),
        _inbound.c.state == "new",
    )
    .values(state="done", payload=b"", error="")
    .returning(_inbound.c.id)
)
_revive = (
    update(_inbound)
    .where(_inbound.c.id.in_(_keys), _dead)
    .values(state="new", attempts=0, next_at=0)
    .returning(_inbound.c.id)
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


@cache
def dead(*, instances: bool, older: bool) -> Select[Any]:
    """Dead letters without what they hold, newest first; optional `instances`, `before` (an id)."""
    shown = [column for column in _inbound.c if column.name != "payload"]
    size = func.length(_inbound.c.payload).label("size_bytes")
    stmt = select(*shown, size).where(_dead)
    if instances:
        stmt = stmt.where(_inbound.c.instance_id.in_(bindparam("instances", expanding=True)))
    if older:
        stmt = stmt.where(_inbound.c.id < bindparam("before"))
    return stmt.order_by(_inbound.c.id.desc()).limit(bindparam("limit"))


def add(conn: Connection, values: dict[str, object]) -> bool:
    """Store one event; False when its key is known already."""
    return run(conn, _add, values).rowcount == 1


def finish(conn: Connection, keys: Sequence[int]) -> set[int]:
    """Mark as understood; returns those that nobody marked before. Payloads are emptied."""
    return {row["id"] for row in all_rows(conn, _finish, keys=dump_json(keys))}


def postpone(conn: Connection, row: Row, error: str, next_at: int, *, dead: bool) -> None:
    """Count a failed attempt; a dead letter keeps its payload."""
    values = {"new_state": "dead" if dead else "new", "new_next_at": next_at, "new_error": error}
    run(conn, _postpone, values | {"row": row["id"]})


def revive(conn: Connection, keys: Sequence[int]) -> set[int]:
    """Have dead letters tried again, from the first attempt; returns which of them were dead."""
    return {row["id"] for row in all_rows(conn, _revive, keys=dump_json(keys))}
