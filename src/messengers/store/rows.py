"""What a read gives: a row by column name, its values as SQLite keeps them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

import orjson
from sqlalchemy import Connection, Executable

from messengers.clock import from_ms
from messengers.models import IdKind, encode_id

__all__ = ["Row", "all_rows", "dump_json", "first_row", "id_of", "load_json", "one_row", "time_of"]

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


def first_row(conn: Connection, stmt: Executable, **params: object) -> Row | None:
    """The first row of a read within a unit of work."""
    return cast("Row | None", conn.execute(stmt, params).mappings().first())


def one_row(conn: Connection, stmt: Executable, **params: object) -> Row:
    """The row that must be there."""
    return cast("Row", conn.execute(stmt, params).mappings().one())


def all_rows(conn: Connection, stmt: Executable, **params: object) -> list[Row]:
    """Every row of a read within a unit of work."""
    return cast("list[Row]", list(conn.execute(stmt, params).mappings()))
