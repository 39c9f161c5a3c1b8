"""Statements on the endpoints of others and what is delivered to them."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    delete,
    func,
    insert,
    literal_column,
    select,
    update,
)

from messengers.store.rows import run
from messengers.store.tables import (
    EventRow,
    WebhookDeliveryRow,
    WebhookEndpointRow,
    table,
)

__all__ = [
    "add",
    "counts",
    "deliveries",
    "endpoints",
    "enqueue",
    "expire",
    "first_seq_after",
    "first_untold",
    "first_waiting",
    "heads",
    "hold",
    "queued",
    "remove",
    "replay",
    "restart",
    "set_endpoint",
    "settle",
    "skip",
]

_endpoints = table(WebhookEndpointRow)
_deliveries = table(WebhookDeliveryRow)
_events = table(EventRow)
# Written out, not bound: SQLite takes an index of queued rows only where it can see that.
_queued = _deliveries.c.state == literal_column("'queued'")
_of_endpoint = _deliveries.c.endpoint_id == bindparam("endpoint")

endpoints = select(_endpoints).order_by(_endpoints.c.id)
counts = select(
    _deliveries.c.endpoint_id, _deliveries.c.state, func.count().label("count")
).group_by(_deliveries.c.endpoint_id, _deliveries.c.state)
queued = select(func.count().label("count")).where(_queued, _of_endpoint)
heads = (
    select(_deliveries)
    .where(
        _deliveries.c.id.in_(
            select(func.min(_deliveries.c.id))
            .where(_queued, _of_endpoint)
            .group_by(_deliveries.c.chat_id)
        )
    )
    .order_by(_deliveries.c.next_at, _deliveries.c.id)
)
"""The first of each lane, the one that is due first coming first."""
first_seq_after = select(func.min(_events.c.seq).label("seq")).where(
    _events.c.at >= bindparam("at")
)
first_untold = select((func.min(_endpoints.c.position) + 1).label("seq"))
"""From here on the log is needed: the place of the slowest endpoint, enabled or not."""
first_waiting = select(func.min(_deliveries.c.event_seq).label("seq")).where(_queued)
_insert = insert(_endpoints)
_update = update(_endpoints).where(_endpoints.c.id == bindparam("endpoint"))
_remove = delete(_endpoints).where(_endpoints.c.id == bindparam("endpoint"))
_enqueue = insert(_deliveries)
_settle = update(_deliveries).where(_deliveries.c.id == bindparam("row"), _queued)
_restart = update(_deliveries).where(_queued, _of_endpoint).values(next_at=0, attempts=0)
_hold = (
    update(_deliveries)
    .where(_queued, _of_endpoint, _deliveries.c.next_at < bindparam("until"))
    .values(next_at=bindparam("until"))
)
_skip = delete(_deliveries).where(
    _queued, _of_endpoint, _deliveries.c.event_seq > bindparam("after")
)
_again = {"state": "queued", "attempts": 0, "next_at": 0, "settled_at": None}
_replay_one = (
    update(_deliveries)
    .where(_of_endpoint, _deliveries.c.id == bindparam("row"), _deliveries.c.state != "queued")
    .values(**_again)
)
_replay_failed = (
    update(_deliveries).where(_of_endpoint, _deliveries.c.state == "failed").values(**_again)
)
_expire = delete(_deliveries).where(_deliveries.c.settled_at < bindparam("before"))


@cache
def deliveries(*, state: bool) -> Select[Any]:
    """What was delivered to an `endpoint`, newest first, at most `limit`; optionally by `state`."""
    stmt = select(_deliveries).where(_of_endpoint)
    if state:
        stmt = stmt.where(_deliveries.c.state == bindparam("state"))
    return stmt.order_by(_deliveries.c.id.desc()).limit(bindparam("limit"))


def add(conn: Connection, values: Mapping[str, object]) -> int:
    """A new endpoint; returns its key."""
    return run(conn, _insert, values).lastrowid or 0


def set_endpoint(conn: Connection, endpoint: int, **values: object) -> None:
    """Change columns of one."""
    run(conn, _update, {"endpoint": endpoint, **values})


def remove(conn: Connection, endpoint: int) -> None:
    """Delete it with its deliveries."""
    run(conn, _remove, {"endpoint": endpoint})


def enqueue(conn: Connection, found: Iterable[Mapping[str, object]]) -> None:
    """New deliveries, in this order."""
    for values in found:
        run(conn, _enqueue, values)


def settle(conn: Connection, row: int, **values: object) -> bool:
    """Change a delivery that is queued; False when it is gone or settled."""
    return run(conn, _settle, {"row": row, **values}).rowcount == 1


def hold(conn: Connection, endpoint: int, until: int) -> None:
    """Nothing leaves for it before a time."""
    run(conn, _hold, {"endpoint": endpoint, "until": until})


def restart(conn: Connection, endpoint: int) -> None:
    """What waits starts its schedule anew, now."""
    run(conn, _restart, {"endpoint": endpoint})


def skip(conn: Connection, endpoint: int, after: int) -> None:
    """Forget what waits of events after a seq."""
    run(conn, _skip, {"endpoint": endpoint, "after": after})


def replay(conn: Connection, endpoint: int, row: int | None) -> int:
    """One settled delivery, or all failed ones, once more; returns how many."""
    if row is None:
        return run(conn, _replay_failed, {"endpoint": endpoint}).rowcount
    return run(conn, _replay_one, {"endpoint": endpoint, "row": row}).rowcount


def expire(conn: Connection, before: int) -> None:
    """Forget what was settled before a time."""
    run(conn, _expire, {"before": before})
