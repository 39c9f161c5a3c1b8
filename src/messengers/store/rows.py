"""What a read gives: a row by column name, its values as SQLite keeps them."""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection

from messengers.clock import from_ms
from messengers.models import IdKind, encode_id
from messengers.store import sqlite
from messengers.store.statements import Executable, compiled

__all__ = [
    "Row",
    "all_rows",
    "dump_json",
    "first_row",
    "id_of",
    "load_json",
    "one_row",
    "run",
    "run_all",
    "time_of",
]

Row = Mapping[str, Any]


def time_of(value: int | None) -> datetime | None:
    """A nullable millisecond column as a time."""
    return None if value is None else from_ms(value)


def id_of(kind: IdKind, key: int | None) -> str:
    """A nullable key column as an id; empty when null or 0."""
    return encode_id(kind, key) if key else ""


def dump_json(value: object) -> str:
    """JSON text, '' for what is empty."""
    return orjson.dumps(value).decode() if value else ""


def load_json(text: str, empty: object = None) -> Any:  # noqa: ANN401 - any JSON
    """The inverse of `dump_json`."""
    return orjson.loads(text) if text else empty


def run(conn: Connection, stmt: Executable, params: Mapping[str, object]) -> sqlite3.Cursor:
    """Execute within a unit of work; the cursor knows the rows, how many changed, the last key.

    Values are those that SQLite keeps.
    """
    sql, values = compiled(stmt, params).bind(params)
    return sqlite.raw(conn).execute(sql, values)


def run_all(conn: Connection, stmt: Executable, many: Sequence[Mapping[str, object]]) -> None:
    """Execute once for each of some parameters, which all have the same names."""
    if many:
        statement = compiled(stmt, many[0])
        sql, _ = statement.bind(many[0])
        sqlite.raw(conn).executemany(sql, [statement.bind(each)[1] for each in many])


def all_rows(conn: Connection, stmt: Executable, **params: object) -> list[Row]:
    """Every row of a read within a unit of work."""
    names = compiled(stmt, params).names
    return [dict(zip(names, row, strict=True)) for row in run(conn, stmt, params)]


def first_row(conn: Connection, stmt: Executable, **params: object) -> Row | None:
    """The first of them, or None."""
    found = all_rows(conn, stmt, **params)
    return found[0] if found else None


def one_row(conn: Connection, stmt: Executable, **params: object) -> Row:
    """The row that must be there."""
    row = first_row(conn, stmt, **params)
    if row is None:
        raise LookupError("a row that must be there is not")
    return row
