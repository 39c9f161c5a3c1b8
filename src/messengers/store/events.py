"""Statements on the event log."""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, or_, select, update

from messengers.clock import from_ms
from messengers.models import Event, IdKind
from messengers.store import webhooks
from messengers.store.rows import Row, dump_json, id_of, load_json, one_row, run, run_all
from messengers.store.tables import ChatRow, EventRow, table

__all__ = [
    "after",
    "append",
    "append_all",
    "event_of",
    "forget",
    "last_seq",
    "of_message",
    "oldest",
    "repoint",
]

_events = table(EventRow)
_chats = table(ChatRow)
_append = insert(_events)
oldest = select(func.min(_events.c.seq).label("seq"))
last_seq = select(func.max(_events.c.seq).label("seq"))
of_message = (
    select(_events).where(_events.c.message_id == bindparam("message")).order_by(_events.c.seq)
)

_repoint = (
    update(_events)
    .where(_events.c.message_id == bindparam("before"))
    .values(message_id=bindparam("after"))
)
_first_since = select(func.min(_events.c.seq).label("seq")).where(_events.c.at >= bindparam("at"))
_forget = delete(_events).where(
    _events.c.seq.in_(
        select(_events.c.seq)
        .where(_events.c.seq < bindparam("end"))
        .order_by(_events.c.seq)
        .limit(bindparam("limit"))
    )
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


def append_all(conn: Connection, at: int, told: Iterable[tuple[str, Row]]) -> None:
    """Write an event of a kind about each of some messages, in their order."""
    many = [
        {
            "at": at,
            "kind": kind,
            "instance_id": message["instance_id"],
            "chat_id": message["chat_id"],
            "message_id": message["id"],
            "data": "",
        }
        for kind, message in told
    ]
    run_all(conn, _append, many)


def forget(conn: Connection, at: int, limit: int) -> int:
    """Delete what is older than a time and was told to every endpoint; returns how many.

    The newest stays in any case: it says how far the log goes.
    """
    ends = [
        one_row(conn, _first_since, at=at)["seq"],
        one_row(conn, last_seq)["seq"],
        one_row(conn, webhooks.first_untold)["seq"],
        one_row(conn, webhooks.first_waiting)["seq"],
    ]
    known = [end for end in ends if end is not None]
    return run(conn, _forget, {"end": min(known, default=0), "limit": limit}).rowcount


def repoint(conn: Connection, before: int, after: int) -> None:
    """What is told of one message is told of another from now on: they are the same."""
    run(conn, _repoint, {"before": before, "after": after})


@cache
def after(*, types: bool, instances: bool, chat: bool, kinds: bool) -> Select[Any]:
    """Events after `seq`, oldest first, at most `limit`. Parameters by name of the flag.

    `kinds` are those of chats; what concerns no chat passes all the same.
    """
    stmt = select(_events, _chats.c.kind.label("chat_kind"))
    stmt = stmt.outerjoin(_chats, _chats.c.id == _events.c.chat_id)
    stmt = stmt.where(_events.c.seq > bindparam("seq"))
    if types:
        stmt = stmt.where(_events.c.kind.in_(bindparam("types", expanding=True)))
    if instances:
        stmt = stmt.where(_events.c.instance_id.in_(bindparam("instances", expanding=True)))
    if chat:
        stmt = stmt.where(_events.c.chat_id == bindparam("chat"))
    if kinds:
        fits = _chats.c.kind.in_(bindparam("kinds", expanding=True))
        stmt = stmt.where(or_(_events.c.chat_id.is_(None), fits))
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
