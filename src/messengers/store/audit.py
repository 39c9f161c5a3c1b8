"""Statements on the audit log."""

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from messengers.store.rows import run
from messengers.store.tables import AuditRow, table

__all__ = ["add", "end", "forget", "page", "settle"]

_audit = table(AuditRow)
_insert = insert(_audit)
_end = (
    update(_audit).where(_audit.c.id == bindparam("line")).values(outcome=bindparam("new_outcome"))
)
_settle = (
    update(_audit)
    .where(_audit.c.message_id == bindparam("message"), _audit.c.outcome == "queued")
    .values(outcome=bindparam("new_outcome"))
)
_forget = delete(_audit).where(
    _audit.c.id.in_(
        select(_audit.c.id)
        .where(_audit.c.at < bindparam("cut"))
        .order_by(_audit.c.at)
        .limit(bindparam("limit"))
    )
)


def add(conn: Connection, **values: Any) -> int:  # noqa: ANN401 - columns
    """Append one line; returns its key."""
    return run(conn, _insert, {"outcome": "done", **values}).lastrowid or 0


def end(conn: Connection, line: int, outcome: str) -> None:
    """What became of something that was written down before it was done."""
    run(conn, _end, {"line": line, "new_outcome": outcome})


def settle(conn: Connection, message: int, outcome: str) -> None:
    """What became of a message whose sending was written down."""
    run(conn, _settle, {"message": message, "new_outcome": outcome})


def forget(conn: Connection, cut: int, limit: int) -> int:
    """Delete what is older than a time; returns how many lines."""
    return run(conn, _forget, {"cut": cut, "limit": limit}).rowcount


@cache
def page(
    *, since: bool, actors: bool, instances: bool, chat: bool, action: bool, older: bool
) -> Select[Any]:
    """Newest first, at most `limit`. Parameters by name of the flag; `action`: how it begins."""
    stmt = select(_audit)
    if since:
        stmt = stmt.where(_audit.c.at >= bindparam("since"))
    if actors:
        stmt = stmt.where(_audit.c.actor.in_(bindparam("actors", expanding=True)))
    if instances:
        stmt = stmt.where(_audit.c.instance_id.in_(bindparam("instances", expanding=True)))
    if chat:
        stmt = stmt.where(_audit.c.chat_id == bindparam("chat"))
    if action:
        begins = func.substr(_audit.c.action, 1, func.length(bindparam("action")))
        stmt = stmt.where(begins == bindparam("action"))
    if older:
        stmt = stmt.where(_audit.c.id < bindparam("older"))
    return stmt.order_by(_audit.c.id.desc()).limit(bindparam("limit"))
