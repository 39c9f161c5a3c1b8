"""Statements on the event log."""

from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, insert, select

from messengers.clock import from_ms
from messengers.models import Event, IdKind
from messengers.store.rows import Row, dump_json, id_of, load_json, run
from messengers.store.tables import EventRow, table

__all__ = ["append", "event_of", "last_seq", "of_message", "oldest", "since"]

_events = table(EventRow)
_append = insert(_events)
oldest = select(func.min(_events.c.seq).label("seq"))
last_seq = select(func.max(_events.c.seq).label("seq"))
of_message = (
    select(_events).where(_events.c.message_id == bindparam("message")).order_by(_events.c.seq)
)


def append(
    conn: Connection,
    at: int,
    kind: str,
    instance_id: str,
    chat_id: int | None,
    message_id: int | None,
    data: Mapping[str, object],
) -> int:
    """Write one event; returns its seq."""
    values = {
        "at": at,
        "kind": kind,
        "instance_id": instance_id,
        "chat_id": chat_id,
        "message_id": message_id,
        "data": dump_json(data),
    }
    return run(conn, _append, values).lastrowid or 0


@cache
def since(*, by_chat: bool, by_instance: bool, by_kind: bool) -> Select[Any]:
    """Events after `seq`, oldest first; optional `chat`, `instance`, `kind`."""
    stmt = select(_events).where(_events.c.seq > bindparam("seq"))
    if by_chat:
        stmt = stmt.where(_events.c.chat_id == bindparam("chat"))
    if by_instance:
        stmt = stmt.where(_events.c.instance_id == bindparam("instance"))
    if by_kind:
        stmt = stmt.where(_events.c.kind == bindparam("kind"))
    return stmt.order_by(_events.c.seq).limit(bindparam("limit"))


def event_of(row: Row, instance: str) -> Event:
    """The row as a domain event; `instance` is the instance's name."""
    return Event(
        id=id_of(IdKind.EVENT, row["seq"]),
        at=from_ms(row["at"]),
        kind=row["kind"],
        instance=instance,
        chat=id_of(IdKind.CHAT, row["chat_id"]),
        message=id_of(IdKind.MESSAGE, row["message_id"]),
        data=load_json(row["data"], {}),
    )
