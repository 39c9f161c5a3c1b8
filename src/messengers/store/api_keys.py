"""Statements on API keys. A row holds the keyed hash of a key, never the key."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from sqlalchemy import Connection, bindparam, insert, select, update

from messengers.clock import to_ms
from messengers.models import IdKind, Model
from messengers.store.rows import Row, id_of, run, time_of
from messengers.store.tables import ApiKeyRow, table

__all__ = ["add", "all_keys", "columns", "fields", "note_use", "renew", "revoke"]

_keys = table(ApiKeyRow)
all_keys = select(_keys).order_by(_keys.c.id)
_insert = insert(_keys)
_revoke = (
    update(_keys)
    .where(_keys.c.id == bindparam("row"), _keys.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("at"))
)
_renew = (
    update(_keys)
    .where(_keys.c.id == bindparam("row"), _keys.c.revoked_at.is_(None))
    .values(prefix=bindparam("shown"), digest=bindparam("hashed"))
)
_use = (
    update(_keys)
    .where(_keys.c.id == bindparam("row"))
    .values(last_used_at=bindparam("at"), use_count=_keys.c.use_count + bindparam("times"))
)


def columns(key: Model) -> Mapping[str, object]:
    """A key of the domain as the columns of its row; its hash and its id are not among them."""
    held = key.model_dump(exclude={"id"})
    return {name: _stored(value) for name, value in held.items()}


def _stored(value: object) -> object:
    match value:
        case tuple():
            return " ".join(cast("tuple[str, ...]", value))
        case datetime():
            return to_ms(value)
        case _:
            return value


def add(conn: Connection, **values: Any) -> int:  # noqa: ANN401 - columns
    """A new key; returns the key of its row."""
    return run(conn, _insert, values).lastrowid or 0


def revoke(conn: Connection, row: int, at_ms: int) -> bool:
    """End a key for good; False when it had ended before."""
    return run(conn, _revoke, {"row": row, "at": at_ms}).rowcount == 1


def renew(conn: Connection, row: int, prefix: str, digest: str) -> bool:
    """Another secret for a key; False when the key has ended."""
    values = {"row": row, "shown": prefix, "hashed": digest}
    return run(conn, _renew, values).rowcount == 1


def note_use(conn: Connection, row: int, at_ms: int, times: int) -> None:
    """Add to the count of uses."""
    run(conn, _use, {"row": row, "at": at_ms, "times": times})


def fields(row: Row) -> Mapping[str, object]:
    """A row in the words of the domain, without its hash."""
    return {
        "id": id_of(IdKind.KEY, row["id"]),
        "name": row["name"],
        "prefix": row["prefix"],
        "preset": row["preset"],
        "toolsets": tuple(row["toolsets"].split()),
        "scopes": tuple(row["scopes"].split()),
        "instances": tuple(row["instances"].split()),
        "rate_per_min": row["rate_per_min"],
        "created_at": time_of(row["created_at"]),
        "expires_at": time_of(row["expires_at"]),
        "revoked_at": time_of(row["revoked_at"]),
        "last_used_at": time_of(row["last_used_at"]),
        "use_count": row["use_count"],
    }
