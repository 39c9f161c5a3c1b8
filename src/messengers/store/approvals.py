"""Statements on approvals. The payload is sealed: it may hold what must not lie open."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from messengers.store.rows import Row, first_row, run
from messengers.store.tables import ApprovalRow, table

__all__ = [
    "add",
    "decide",
    "decided",
    "due",
    "find_waiting",
    "get",
    "latest",
    "set_values",
    "waiting",
]

_approvals = table(ApprovalRow)
get = select(_approvals).where(_approvals.c.id == bindparam("approval"))
waiting = (
    select(_approvals)
    .where(_approvals.c.state == "waiting", _approvals.c.expires_at > bindparam("now"))
    .order_by(_approvals.c.id)
)
due = select(_approvals).where(
    _approvals.c.state == "waiting", _approvals.c.expires_at <= bindparam("now")
)
decided = (
    select(_approvals)
    .where(_approvals.c.state != "waiting")
    .order_by(_approvals.c.decided_at.desc(), _approvals.c.id.desc())
    .limit(bindparam("limit"))
)
latest = (
    select(_approvals)
    .where(_approvals.c.requested_by == bindparam("caller"), _approvals.c.hash == bindparam("hash"))
    .order_by(_approvals.c.id.desc())
    .limit(1)
)
_insert = insert(_approvals)
_update = update(_approvals).where(_approvals.c.id == bindparam("approval"))
_find = (
    select(_approvals)
    .where(
        _approvals.c.requested_by == bindparam("caller"),
        _approvals.c.hash == bindparam("hash"),
        _approvals.c.state == "waiting",
        _approvals.c.expires_at > bindparam("now"),
    )
    .limit(1)
)
_decide = (
    update(_approvals)
    .where(_approvals.c.id == bindparam("row"), _approvals.c.state == "waiting")
    .values(
        state=bindparam("new_state"),
        decision=bindparam("new_decision"),
        decided_at=bindparam("new_at"),
        decided_by=bindparam("new_by"),
    )
)


def add(conn: Connection, values: dict[str, Any]) -> int:
    """A new approval; returns its key."""
    return run(conn, _insert, values).lastrowid or 0


def set_values(conn: Connection, approval: int, **values: object) -> None:
    """Change columns of one approval."""
    run(conn, _update, {"approval": approval, **values})


def find_waiting(conn: Connection, caller: str, digest: str, now: int) -> Row | None:
    """The same act of the same caller, if it waits already."""
    return first_row(conn, _find, caller=caller, hash=digest, now=now)


def decide(conn: Connection, approval: int, state: str, decision: str, at: int, by: str) -> bool:
    """Decide once; False when it was decided before."""
    values = {"new_state": state, "new_decision": decision, "new_at": at, "new_by": by}
    return run(conn, _decide, values | {"row": approval}).rowcount == 1
