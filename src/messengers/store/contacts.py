"""Statements on contacts."""

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, String, and_, bindparam, insert, or_, select, update

from messengers.models import Contact, IdKind
from messengers.store.rows import Row, first_row, id_of, run
from messengers.store.tables import ChatRow, ContactRow, table

__all__ = ["contact_of", "get", "matching", "merge", "of_natives"]

_contacts = table(ContactRow)
_chats = table(ChatRow)
_one = select(_contacts).where(
    _contacts.c.instance_id == bindparam("instance"), _contacts.c.native_id == bindparam("native")
)
get = select(_contacts).where(_contacts.c.id == bindparam("contact"))
of_natives = select(_contacts).where(
    _contacts.c.instance_id == bindparam("instance"),
    _contacts.c.native_id.in_(bindparam("natives", expanding=True)),
)
_insert = insert(_contacts)
_update = update(_contacts).where(_contacts.c.id == bindparam("contact"))
_RANK = {"stranger": 0, "platform": 1, "owner": 2}


@cache
def matching(*, instances: bool, hidden: bool) -> Select[Any]:
    """Contacts whose name, handle or number contains `part` (escaped), with their dm's key.

    `hidden`: also those whose dm only the owner sees.
    """
    part = "%" + bindparam("part", type_=String) + "%"
    stmt = (
        select(_contacts, _chats.c.id.label("chat_id"))
        .outerjoin(
            _chats,
            and_(
                _chats.c.instance_id == _contacts.c.instance_id,
                _chats.c.native_id == _contacts.c.native_id,
            ),
        )
        .where(
            or_(
                _contacts.c.name_folded.like(part, escape="\\"),
                _contacts.c.username.like(part, escape="\\"),
                _contacts.c.phone.like(part, escape="\\"),
            )
        )
    )
    if instances:
        stmt = stmt.where(_contacts.c.instance_id.in_(bindparam("instances", expanding=True)))
    if not hidden:
        stmt = stmt.where(_chats.c.hidden.is_not(1))
    return stmt.order_by(_contacts.c.seen_at.desc(), _contacts.c.id).limit(bindparam("limit"))


def merge(
    conn: Connection,
    instance_id: str,
    native_id: str,
    seen: dict[str, Any],
    alt_ids: Sequence[str] = (),
) -> None:
    """Insert or complete a contact; one stored under an alternative id goes on under this.

    Empty values keep what is known; a name gives way only to one from a source at least as good.
    """
    row = first_row(conn, _one, instance=instance_id, native=native_id)
    for alt_id in alt_ids:
        row = row or first_row(conn, _one, instance=instance_id, native=alt_id)
    seen = seen | {"native_id": native_id}
    if row is None:
        run(conn, _insert, seen | {"instance_id": instance_id})
        return
    new = {name: value for name, value in seen.items() if value and value != row[name]}
    if _RANK[seen.get("name_source") or "stranger"] < _RANK[row["name_source"]]:
        for name in ("display_name", "name_folded", "name_source"):
            new.pop(name, None)
    if set(new) - {"seen_at"}:
        run(conn, _update, {"contact": row["id"], **new})


def contact_of(row: Row, instance: str) -> Contact:
    """The row, joined with its dm, as a domain contact."""
    return Contact(
        id=id_of(IdKind.CONTACT, row["id"]),
        instance=instance,
        native_id=row["native_id"],
        display_name=row["display_name"],
        name_source=row["name_source"],
        username=row["username"],
        phone=row["phone"],
        is_bot=bool(row["is_bot"]),
        chat=id_of(IdKind.CHAT, row["chat_id"]),
    )
