"""Statements on who opted out of bulk sends."""

from sqlalchemy import Connection, bindparam, delete, or_, select

from messengers.store.batch_tables import OptOutRow
from messengers.store.rows import run
from messengers.store.sqlite import upsert
from messengers.store.tables import table

__all__ = ["add", "every", "of", "remove"]

_rows = table(OptOutRow)
every = select(_rows).order_by(_rows.c.id)
"""All, oldest first."""
of = (
    select(_rows.c.id)
    .where(
        _rows.c.subject.in_(bindparam("subjects", expanding=True)),
        or_(_rows.c.instance_id == "", _rows.c.instance_id == bindparam("instance")),
    )
    .limit(1)
)
_add = upsert(_rows).on_conflict_do_nothing(index_elements=["subject", "instance_id"])
_remove = delete(_rows).where(
    _rows.c.subject == bindparam("subject"), _rows.c.instance_id == bindparam("instance")
)


def add(conn: Connection, instance_id: str, subject: str, at: int) -> bool:
    """Put somebody on the list; False when he was on it."""
    values = {"instance_id": instance_id, "subject": subject, "created_at": at}
    return run(conn, _add, values).rowcount == 1


def remove(conn: Connection, instance_id: str, subject: str) -> bool:
    """Take somebody off the list; False when he was not on it."""
    return run(conn, _remove, {"instance": instance_id, "subject": subject}).rowcount == 1
