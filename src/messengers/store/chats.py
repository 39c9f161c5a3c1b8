"""Statements on chats and the summary that each message's transaction keeps."""

from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    String,
    and_,
    bindparam,
    insert,
    or_,
    select,
    tuple_,
    update,
)

from messengers.models import Chat, IdKind
from messengers.store.rows import Row, first_row, id_of, run, time_of
from messengers.store.tables import ChatRow, table

__all__ = [
    "add",
    "after",
    "by_native",
    "chat_of",
    "decided",
    "find_native",
    "get",
    "list_page",
    "many",
    "named",
    "of_natives",
    "part_named",
    "set_values",
]

_CHATS = 1024
"""Kept ready: chats are read far more often than they change."""

_chats = table(ChatRow)
by_native = select(_chats).where(
    _chats.c.instance_id == bindparam("instance"), _chats.c.native_id == bindparam("native")
)
of_natives = select(_chats).where(
    _chats.c.instance_id == bindparam("instance"),
    _chats.c.native_id.in_(bindparam("natives", expanding=True)),
)
get = select(_chats).where(_chats.c.id == bindparam("chat"))
after = (
    select(_chats)
    .where(_chats.c.id > bindparam("after"))
    .order_by(_chats.c.id)
    .limit(bindparam("limit"))
)
many = select(_chats).where(_chats.c.id.in_(bindparam("chats", expanding=True)))
decided = select(_chats).where(_chats.c.decision != "").order_by(_chats.c.decided_at)
named = select(_chats).where(
    or_(
        _chats.c.name_folded == bindparam("folded"),
        _chats.c.alias_folded == bindparam("folded"),
        _chats.c.phone == bindparam("phone"),
        _chats.c.username == bindparam("username"),
        _chats.c.native_id == bindparam("native"),
    )
)
"""Every chat that a whole name, number, handle or native id fits."""


@cache
def part_named(*, instances: bool) -> Select[Any]:
    """Chats with a part of a name, newest first; `instances`: of those only."""
    named = or_(
        _chats.c.name_folded.like(bindparam("part"), escape="\\"),
        _chats.c.alias_folded.like(bindparam("part"), escape="\\"),
    )
    stmt = select(_chats).where(named)
    if instances:
        stmt = stmt.where(_chats.c.instance_id.in_(bindparam("instances", expanding=True)))
    return stmt.order_by(_chats.c.last_at.desc(), _chats.c.id.desc()).limit(bindparam("limit"))


# What a Chat is made of, and where its page goes on. Each column more is told in every row.
_SHOWN = (
    *("id", "instance_id", "native_id", "kind", "name", "name_source", "alias", "phone"),
    *("username", "parent_id", "unread", "last_at", "last_text", "last_sender", "last_direction"),
    *("waiting", "owner_wrote_at", "peer_wrote_at", "decision", "hidden"),
)
_shown = select(*(_chats.c[name] for name in _SHOWN))
_holding = select(_chats.c.parent_id).where(
    _chats.c.kind == "channel", _chats.c.parent_id.is_not(None)
)
_place = and_(_chats.c.kind != "dm", _chats.c.id.not_in(_holding))
_insert = insert(_chats)
_update = update(_chats).where(_chats.c.id == bindparam("chat"))


def find_native(conn: Connection, instance_id: str, native_id: str) -> Row | None:
    """The chat of a native id, within a write."""
    return first_row(conn, by_native, instance=instance_id, native=native_id)


def add(conn: Connection, values: Mapping[str, object]) -> int:
    """A new chat; returns its key."""
    return run(conn, _insert, values).lastrowid or 0


def set_values(conn: Connection, chat: int, **values: object) -> None:
    """Change columns of one chat."""
    run(conn, _update, {"chat": chat, **values})


@cache
def list_page(
    *,
    instances: bool,
    query: bool,
    kind: bool,
    unread: bool,
    waiting: bool,
    since: bool,
    after: bool,
    hidden: bool,
) -> Select[Any]:
    """Chats, newest first. Without messages no dm and nothing that only holds channels.

    Parameters by name of the flag, and `limit`. `hidden`: also those that only the owner sees.
    """
    stmt = _shown.where(or_(_chats.c.last_at > 0, _place))
    if not hidden:
        stmt = stmt.where(_chats.c.hidden == 0)
    if instances:
        stmt = stmt.where(_chats.c.instance_id.in_(bindparam("instances", expanding=True)))
    if query:
        part = "%" + bindparam("query", type_=String) + "%"
        stmt = stmt.where(
            or_(
                _chats.c.name_folded.like(part, escape="\\"),
                _chats.c.alias_folded.like(part, escape="\\"),
                _chats.c.username.like(part, escape="\\"),
                _chats.c.phone.like(part, escape="\\"),
            )
        )
    if kind:
        stmt = stmt.where(_chats.c.kind == bindparam("kind"))
    if unread:
        stmt = stmt.where(_chats.c.unread > 0)
    if waiting:
        stmt = stmt.where(_chats.c.waiting == 1)
    if since:
        stmt = stmt.where(_chats.c.last_at >= bindparam("since"))
    if after:
        position = tuple_(bindparam("after_at"), bindparam("after_id"))
        stmt = stmt.where(tuple_(_chats.c.last_at, _chats.c.id) < position)
    return stmt.order_by(_chats.c.last_at.desc(), _chats.c.id.desc()).limit(bindparam("limit"))


def chat_of(row: Row, instance: str, provider: str) -> Chat:
    """The row as a domain chat; an alias is the owner's own name for it."""
    return _chat(tuple(row), tuple(row.values()), instance, provider)


@lru_cache(maxsize=_CHATS)
def _chat(names: tuple[str, ...], values: tuple[Any, ...], instance: str, provider: str) -> Chat:
    row = dict(zip(names, values, strict=True))
    alias = row["alias"]
    name = alias or row["name"] or row["username"] or row["phone"] or row["native_id"]
    return Chat(
        id=id_of(IdKind.CHAT, row["id"]),
        instance=instance,
        provider=provider,
        native_id=row["native_id"],
        kind=row["kind"],
        name=name,
        name_source="owner" if alias else row["name_source"],
        phone=row["phone"],
        username=row["username"],
        parent=id_of(IdKind.CHAT, row["parent_id"]),
        unread=row["unread"],
        last_message_at=time_of(row["last_at"] or None),
        last_text=row["last_text"],
        last_sender=row["last_sender"],
        last_direction=row["last_direction"] or None,
        waiting_for_reply=bool(row["waiting"]),
        owner_wrote_at=time_of(row["owner_wrote_at"]),
        peer_wrote_at=time_of(row["peer_wrote_at"]),
        decision=row["decision"] or None,
    )
