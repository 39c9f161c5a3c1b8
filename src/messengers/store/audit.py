"""Statements on the audit log."""

from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from messengers.store.tables import AuditRow, table

__all__ = ["add", "recent"]

_audit = table(AuditRow)
_insert = insert(_audit)
recent = select(_audit).order_by(_audit.c.id.desc()).limit(bindparam("limit"))


def add(conn: Connection, **values: Any) -> None:  # noqa: ANN401 - columns
    """Append one line."""
    conn.execute(_insert, values)
