"""Statements on instances and their sealed configuration."""

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, delete, func, insert, select, update

from messengers.clock import from_ms
from messengers.errors import StorageUnavailable
from messengers.models import Instance
from messengers.store import sqlite
from messengers.store.access_tables import AccessRuleRow
from messengers.store.batch_tables import OptOutRow
from messengers.store.rows import Row, load_json
from messengers.store.tables import (
    ApprovalRow,
    ChatRow,
    CredentialRow,
    EventRow,
    InstanceRow,
    MessageRow,
    table,
)

__all__ = [
    "add",
    "counts",
    "credentials",
    "endpoints_of",
    "every",
    "forget_credentials",
    "instance_of",
    "oldest",
    "providers_in",
    "remove",
    "set_credentials",
    "set_values",
    "taken",
    "unlink_messages",
]

_instances = table(InstanceRow)
_credentials = table(CredentialRow)
_messages = table(MessageRow)
_chats = table(ChatRow)
_events = table(EventRow)
_approvals = table(ApprovalRow)
_opt_outs = table(OptOutRow)
_access_rules = table(AccessRuleRow)

every = select(_instances).order_by(_instances.c.created_at, _instances.c.id)
credentials = select(_credentials)
_oldest_of_chat = (
    select(func.min(_messages.c.sent_at))
    .where(_messages.c.chat_id == _chats.c.id)
    .scalar_subquery()
)
oldest = select(_chats.c.instance_id, func.min(_oldest_of_chat).label("sent_at")).group_by(
    _chats.c.instance_id
)
"""The oldest message of each instance: one index look-up a chat, whatever the messages count."""
counts = select(
    select(func.count())
    .select_from(_chats)
    .where(_chats.c.instance_id == bindparam("instance"))
    .scalar_subquery()
    .label("chats"),
    select(func.count())
    .select_from(_messages)
    .where(
        _messages.c.chat_id.in_(
            select(_chats.c.id).where(_chats.c.instance_id == bindparam("instance"))
        )
    )
    .scalar_subquery()
    .label("messages"),
)
_insert = insert(_instances)
_taken = select(_instances.c.id).where(_instances.c.name == bindparam("name"))


def instance_of(row: Row, history_since: datetime | None = None) -> Instance:
    """The row as a domain instance."""
    return Instance(
        id=row["id"],
        name=row["name"],
        provider=row["provider"],
        kind=row["kind"],
        wanted=row["wanted"],
        confirm=row["confirm"],
        read_only=bool(row["read_only"]),
        created_at=from_ms(row["created_at"]),
        history_since=history_since,
    )


def endpoints_of(row: Row) -> dict[str, str]:
    """The base URLs stored beside an instance."""
    return load_json(row["endpoints"], {})


def providers_in(database: Path) -> frozenset[str]:
    """The providers of the instances, whether a daemon has the database open or not.

    Raises:
        StorageUnavailable: it cannot be read, or is none.
    """
    if not database.exists():
        return frozenset()
    stmt = "SELECT DISTINCT provider FROM instance WHERE deleted_at IS NULL"
    try:
        with closing(sqlite.open_reader(database)) as connection:
            return frozenset(str(provider) for (provider,) in connection.execute(stmt))
    except sqlite3.DatabaseError as exc:
        raise StorageUnavailable("The database cannot be read.", "See `messengers logs`.") from exc


def taken(conn: Connection, name: str) -> bool:
    """Whether an instance has this name."""
    return conn.execute(_taken, {"name": name}).first() is not None


def add(conn: Connection, values: Mapping[str, object]) -> None:
    """A new instance."""
    conn.execute(_insert, values)


def set_values(conn: Connection, instance_id: str, **values: object) -> None:
    """Change columns of one instance."""
    conn.execute(update(_instances).where(_instances.c.id == instance_id).values(**values))


def set_credentials(conn: Connection, instance_id: str, sealed: Mapping[str, bytes]) -> None:
    """Replace the whole configuration; every field is sealed by itself."""
    forget_credentials(conn, instance_id)
    rows: list[dict[str, Any]] = [
        {"instance_id": instance_id, "field": field, "ciphertext": ciphertext}
        for field, ciphertext in sealed.items()
    ]
    if rows:
        conn.execute(insert(_credentials), rows)


def forget_credentials(conn: Connection, instance_id: str) -> None:
    """Drop the whole configuration."""
    conn.execute(delete(_credentials).where(_credentials.c.instance_id == instance_id))


def unlink_messages(conn: Connection, instance_id: str, limit: int) -> Sequence[RowMapping]:
    """Take up to `limit` messages of an instance out; returns what the index knows of each."""
    chosen = (
        select(_messages.c.id, _messages.c.search_rowid, _messages.c.text, _messages.c.chat_id)
        .where(
            _messages.c.chat_id.in_(select(_chats.c.id).where(_chats.c.instance_id == instance_id))
        )
        .limit(limit)
    )
    found = list(conn.execute(chosen).mappings())
    keys = [row["id"] for row in found]
    conn.execute(delete(_messages).where(_messages.c.id.in_(keys)))
    return found


def remove(conn: Connection, instance_id: str) -> None:
    """Delete an instance and all that hangs on it."""
    conn.execute(delete(_events).where(_events.c.instance_id == instance_id))
    conn.execute(delete(_approvals).where(_approvals.c.instance_id == instance_id))
    conn.execute(delete(_opt_outs).where(_opt_outs.c.instance_id == instance_id))
    conn.execute(delete(_access_rules).where(_access_rules.c.instance_id == instance_id))
    conn.execute(delete(_instances).where(_instances.c.id == instance_id))
