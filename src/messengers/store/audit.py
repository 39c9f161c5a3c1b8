"""Statements on the audit log."""

from typing import Any

from sqlalchemy import Connection, insert

from messengers.store.rows import run
from messengers.store.tables import AuditRow, table

__all__ = ["add"]

_audit = table(AuditRow)
_insert = insert(_audit)


def add(conn: Connection, **values: Any) -> None:  # noqa: ANN401 - columns
    """Append one line."""
    run(conn, _insert, values)
