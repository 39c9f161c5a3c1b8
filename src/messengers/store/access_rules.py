"""Statements on access rules, and on the mark that what is stored must be judged anew."""

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select

from messengers.store.access_tables import AccessRuleRow
from messengers.store.rows import run
from messengers.store.sqlite import upsert
from messengers.store.tables import ContactRow, SettingRow, table

__all__ = ["add", "every", "links", "mark", "marked", "remove", "unmark"]

_rules = table(AccessRuleRow)
_contacts = table(ContactRow)
_settings = table(SettingRow)
_PENDING = "access.judge_anew"
every = select(_rules).order_by(_rules.c.id)
"""All, oldest first."""
links = (
    select(
        _contacts.c.id,
        _contacts.c.instance_id,
        _contacts.c.native_id,
        _contacts.c.phone,
        _contacts.c.alt_ids,
    )
    .where(
        _contacts.c.id > bindparam("after"),
        or_(_contacts.c.phone != "", _contacts.c.alt_ids != ""),
    )
    .order_by(_contacts.c.id)
    .limit(bindparam("limit"))
)
"""Contacts that are known by more than one id."""
marked = select(func.count().label("number")).where(_settings.c.name == _PENDING)
_insert = insert(_rules)
_remove = delete(_rules).where(_rules.c.id == bindparam("rule"))
_mark = upsert(_settings).on_conflict_do_nothing(index_elements=["name"])
_unmark = delete(_settings).where(_settings.c.name == _PENDING)


def add(conn: Connection, values: Mapping[str, object]) -> int:
    """A new rule; returns its key."""
    return run(conn, _insert, values).lastrowid or 0


def remove(conn: Connection, rule: int) -> bool:
    """Whether there was one to take away."""
    return run(conn, _remove, {"rule": rule}).rowcount == 1


def mark(conn: Connection) -> None:
    """What is stored must be judged anew, also by the next process."""
    run(conn, _mark, {"name": _PENDING, "value": "1"})


def unmark(conn: Connection) -> None:
    """All of it was."""
    run(conn, _unmark, {})
