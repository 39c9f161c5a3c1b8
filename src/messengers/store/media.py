"""Statements on stored files."""

from collections.abc import Sequence

from sqlalchemy import Connection, String, bindparam, func, insert, select, update

from messengers.models import Attachment, IdKind, decode_id
from messengers.store.rows import Row, id_of, run
from messengers.store.tables import MediaRow, MessageRow, table

__all__ = ["add", "attachment_of", "bind", "elsewhere", "get", "of_instance", "origins"]

_media = table(MediaRow)
_messages = table(MessageRow)
get = select(_media).where(_media.c.id == bindparam("media"))
of_instance = (
    select(_media.c.id)
    .where(_media.c.instance_id == bindparam("instance"))
    .limit(bindparam("limit"))
)
_same = select(_media.c.id).where(
    _media.c.instance_id == bindparam("instance_id"),
    _media.c.chat_id == bindparam("chat_id"),
    _media.c.sha256 == bindparam("sha256"),
    _media.c.name == bindparam("name"),
    _media.c.kind == bindparam("kind"),
)
elsewhere = (
    select(_media)
    .where(
        _media.c.sha256.in_(bindparam("digests", expanding=True)),
        _media.c.chat_id.is_not(None),
        _media.c.chat_id != bindparam("chat"),
    )
    .order_by(_media.c.id)
)
"""Files of other chats, by what is in them."""
origins = (
    select(_messages.c.origin)
    .distinct()
    .where(
        _messages.c.chat_id == bindparam("chat"),
        func.instr(_messages.c.attachments, bindparam("file", type_=String)) > 0,
    )
)
"""Where the messages of a chat come from that hold a file, by its id in quotes."""
_insert = insert(_media)
_bind = (
    update(_media)
    .where(
        _media.c.id == bindparam("media"),
        _media.c.instance_id == bindparam("instance"),
        _media.c.chat_id.is_(None),
    )
    .values(chat_id=bindparam("chat"))
)


def add(conn: Connection, values: dict[str, object]) -> int:
    """A file of a chat; the same file under the same name there keeps its key.

    One whose chat is not known yet is nobody else's: it gets a key of its own.
    """
    known = run(conn, _same, values).fetchone() if values["chat_id"] is not None else None
    if known is not None:
        return int(known[0])
    return run(conn, _insert, values).lastrowid or 0


def bind(conn: Connection, instance_id: str, chat: int, files: Sequence[Attachment]) -> None:
    """Files that came before their chat was known belong to it from now on."""
    for file in files:
        key = decode_id(IdKind.MEDIA, file.media)
        if key is not None:
            run(conn, _bind, {"media": key, "instance": instance_id, "chat": chat})


def attachment_of(row: Row) -> Attachment:
    """The row as a domain attachment."""
    return Attachment(
        kind=row["kind"],
        media=id_of(IdKind.MEDIA, row["id"]),
        mime=row["mime"],
        name=row["name"],
        size_bytes=row["size_bytes"],
        width=row["width"],
        height=row["height"],
    )
