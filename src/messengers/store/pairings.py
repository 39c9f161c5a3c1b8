"""Statements on strangers who wait to be let in."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, func, select, update

from messengers.store.access_tables import PairingRow
from messengers.store.rows import one_row, run
from messengers.store.sqlite import upsert
from messengers.store.tables import ChatRow, table

__all__ = ["add", "by_code", "expire", "mark_told", "remove", "untold", "waiting"]

_rows = table(PairingRow)
_chats = table(ChatRow)
waiting = select(_rows).where(_rows.c.expires_at > bindparam("now")).order_by(_rows.c.id)
by_code = select(_rows).where(
    _rows.c.code == bindparam("code"), _rows.c.expires_at > bindparam("now")
)
untold = (
    select(_rows)
    .join(_chats, _chats.c.id == _rows.c.chat_id)
    .where(_rows.c.told_at.is_(None), _rows.c.expires_at > bindparam("now"), _chats.c.kind == "dm")
    .order_by(_rows.c.id)
)
"""People who were not told their code yet."""
_count = select(func.count().label("number")).where(_rows.c.instance_id == bindparam("instance"))
_add = upsert(_rows).on_conflict_do_nothing(index_elements=["chat_id"])
_told = (
    update(_rows)
    .where(_rows.c.id == bindparam("pairing"), _rows.c.told_at.is_(None))
    .values(told_at=bindparam("at"))
)
_remove = delete(_rows).where(_rows.c.id == bindparam("pairing"))
_expire = delete(_rows).where(_rows.c.expires_at <= bindparam("now"))


def add(conn: Connection, values: Mapping[str, object], most: int) -> bool:
    """A chat that waits; False when it does already, or too many of its instance do."""
    if one_row(conn, _count, instance=values["instance_id"])["number"] >= most:
        return False
    return run(conn, _add, values).rowcount == 1


def mark_told(conn: Connection, pairing: int, at: int) -> bool:
    """Its code is told now; False when it was before, or nobody waits any more."""
    return run(conn, _told, {"pairing": pairing, "at": at}).rowcount == 1


def remove(conn: Connection, pairing: int) -> bool:
    """Whether it still waited."""
    return run(conn, _remove, {"pairing": pairing}).rowcount == 1


def expire(conn: Connection, now: int) -> int:
    """Forget those whose time is over; how many."""
    return run(conn, _expire, {"now": now}).rowcount
