"""Statements on messages."""

from collections.abc import Collection, Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    column,
    delete,
    func,
    insert,
    literal_column,
    select,
    tuple_,
    update,
)
from sqlalchemy import table as lightweight

from messengers.clock import from_ms
from messengers.models import (
    Attachment,
    Card,
    IdKind,
    Location,
    Message,
    Poll,
    Reaction,
    Sender,
)
from messengers.store import sqlite
from messengers.store.rows import Row, id_of, load_json, run, run_all, time_of
from messengers.store.sqlite import upsert
from messengers.store.tables import ChatRow, MessageRow, table

__all__ = [
    "add",
    "add_all",
    "add_new",
    "any_of_platform",
    "by_native",
    "found",
    "get",
    "in_threads",
    "incoming",
    "keys_of",
    "last_id",
    "last_key",
    "last_of_owner",
    "many",
    "message_of",
    "newest_of_chats",
    "oldest_of_chat",
    "page",
    "remove",
    "senders",
    "set_values",
    "unread_after",
    "unread_until",
    "worded",
]

_messages = table(MessageRow)
_chats = table(ChatRow)
get = select(_messages).where(_messages.c.id == bindparam("message"))
many = select(_messages).where(_messages.c.id.in_(bindparam("messages", expanding=True)))
by_native = select(_messages).where(
    _messages.c.instance_id == bindparam("instance"),
    _messages.c.chat_id == bindparam("chat"),
    _messages.c.native_id == bindparam("native"),
)
_of_natives = select(_messages.c.native_id, _messages.c.id).where(
    _messages.c.instance_id == bindparam("instance"),
    _messages.c.chat_id == bindparam("chat"),
    _messages.c.native_id.in_(bindparam("natives", expanding=True)),
)
in_threads = (
    select(_messages)
    .join(_chats, _chats.c.id == _messages.c.chat_id)
    .where(
        _messages.c.instance_id == bindparam("instance"),
        _messages.c.native_id == bindparam("native"),
        _chats.c.parent_id == bindparam("parent"),
    )
    .limit(1)
)
"""A message of a native id in the threads of a chat."""
any_of_platform = (
    select(_messages.c.id)
    .where(_messages.c.chat_id == bindparam("chat"), _messages.c.native_id.is_not(None))
    .limit(1)
)
"""Whether a chat has anything that its messenger knows of."""
last_of_owner = (
    select(_messages.c.sent_at)
    .where(
        _messages.c.chat_id == bindparam("chat"),
        _messages.c.is_me == 1,
        _messages.c.origin.in_(("device", "history")),
    )
    .order_by(_messages.c.sent_at.desc())
    .limit(1)
)
"""When the owner himself last wrote in a chat."""
_shown = _messages.c.withheld == ""
"""What no access rule keeps from agents."""
incoming = select(func.count().label("number")).where(
    _messages.c.chat_id == bindparam("chat"), _messages.c.direction == "in", _shown
)
worded = (
    select(_messages)
    .where(
        _messages.c.id > bindparam("after"),
        _messages.c.text != "",
        _messages.c.sent_at.is_not(None),
    )
    .order_by(_messages.c.id)
    .limit(bindparam("limit"))
)
"""What stands in the search index."""
_new = _messages.c.origin != "history"
"""What is handed over of the past may come after what is new, and was read long ago."""
_latest = (
    select(_messages.c.sender_id, _messages.c.sender_name)
    .where(
        _messages.c.chat_id == bindparam("chat"),
        _messages.c.direction == "in",
        _messages.c.sender_id != "",
        _shown,
    )
    .order_by(_messages.c.sent_at.desc(), _messages.c.id.desc())
    .limit(2_000)
    .subquery()
)
senders = select(_latest.c.sender_id, func.max(_latest.c.sender_name).label("name")).group_by(
    _latest.c.sender_id
)
"""Whoever wrote in a chat of late, under the name he went by."""
unread_after = select(func.count().label("unread"), func.max(_messages.c.id).label("last")).where(
    _messages.c.chat_id == bindparam("chat"),
    _messages.c.direction == "in",
    _messages.c.id > bindparam("marker"),
    _messages.c.sent_at.is_not(None),
    _new,
    _shown,
)
unread_until = (
    select(_messages)
    .join(_chats, _chats.c.id == _messages.c.chat_id)
    .where(
        _messages.c.chat_id == bindparam("chat"),
        _messages.c.direction == "in",
        _messages.c.id > _chats.c.read_marker,
        _messages.c.id <= bindparam("until"),
        _messages.c.sent_at.is_not(None),
        _new,
        _shown,
    )
    .order_by(_messages.c.sent_at.desc(), _messages.c.id.desc())
    .limit(bindparam("limit"))
)
"""What others wrote after the read marker, newest first."""
_insert = insert(_messages)
_insert_new = upsert(_messages).on_conflict_do_nothing(
    index_elements=["instance_id", "chat_id", "native_id"],
    index_where=_messages.c.native_id.is_not(None),
)
_update = update(_messages).where(_messages.c.id == bindparam("message"))
_remove = delete(_messages).where(_messages.c.id == bindparam("message"))
_fts = lightweight("message_search", column("rowid"))


def last_id(conn: Connection) -> int:
    """Key of the newest row: it never falls, so that a greater one tells of new rows."""
    return conn.execute(select(func.max(_messages.c.id))).scalar() or 0


def add(conn: Connection, values: dict[str, Any]) -> int:
    """A message of ours; returns its key."""
    return run(conn, _insert, values).lastrowid or 0


def add_new(conn: Connection, values: dict[str, Any]) -> int | None:
    """A message with a native id; returns its key, or None when that id is known in its chat."""
    done = run(conn, _insert_new, values)
    return done.lastrowid if done.rowcount == 1 else None


def add_all(conn: Connection, many: Sequence[dict[str, Any]]) -> None:
    """Messages with their keys, above `last_key`, and with native ids that are not known."""
    run_all(conn, _insert, many)


def last_key(conn: Connection) -> int:
    """The highest key that a message ever had."""
    return sqlite.last_key(conn, _messages.name)


def keys_of(
    conn: Connection, instance_id: str, chat: int, natives: Collection[str]
) -> dict[str, int]:
    """The keys of those native ids that are known in a chat."""
    place = {"instance": instance_id, "chat": chat, "natives": natives}
    return dict(run(conn, _of_natives, place).fetchall())


def set_values(conn: Connection, message: int, **values: object) -> None:
    """Change columns of one message."""
    run(conn, _update, {"message": message, **values})


@cache
def page(*, since: bool, older: bool, newer: bool = False, withheld: bool = False) -> Select[Any]:
    """Messages of `chat` before `until` (ms), newest first; `newer` reverses from a position.

    `withheld`: also what access rules keep from agents.
    """
    time, key = _messages.c.sent_at, _messages.c.id
    stmt = select(_messages).where(_messages.c.chat_id == bindparam("chat"))
    if not withheld:
        stmt = stmt.where(_shown)
    if since:
        stmt = stmt.where(time >= bindparam("since"))
    if older:
        # The position lies before `until`; of two upper bounds SQLite would seek by the other one
        # and walk from the near end to the far.
        stmt = stmt.where(tuple_(time, key) < tuple_(bindparam("at"), bindparam("id")))
    else:
        stmt = stmt.where(time < bindparam("until"))
    if newer:
        stmt = stmt.where(tuple_(time, key) >= tuple_(bindparam("at"), bindparam("id")))
        return stmt.order_by(time, key).limit(bindparam("limit"))
    return stmt.order_by(time.desc(), key.desc()).limit(bindparam("limit"))


oldest_of_chat = select(func.min(_messages.c.sent_at).label("sent_at")).where(
    _messages.c.chat_id == bindparam("chat")
)


@cache
def newest_of_chats(*, mentions: bool) -> Select[Any]:
    """The newest `per_chat` messages of one `chat` since `since`, newest first."""
    stmt = select(_messages).where(
        _messages.c.chat_id == bindparam("chat"),
        _messages.c.sent_at >= bindparam("since"),
        _shown,
    )
    if mentions:
        stmt = stmt.where(_messages.c.mentions_me == 1)
    stmt = stmt.order_by(_messages.c.sent_at.desc(), _messages.c.id.desc())
    return stmt.limit(bindparam("per_chat"))


@cache
def found(
    *, sender: bool, me: bool, media: bool, since: bool, until: bool, older: bool
) -> Select[Any]:
    """Search hits for the full-text expression `match`, newest first.

    `older` goes on below `rowid`; the bounds of time are search row ids too.
    """
    hit = _fts.c.rowid
    stmt = select(_messages).join_from(_fts, _messages, hit == _messages.c.search_rowid)
    stmt = stmt.where(literal_column("message_search").op("MATCH")(bindparam("match")), _shown)
    if sender:
        stmt = stmt.where(func.instr(func.lower(_messages.c.sender_name), bindparam("sender")) > 0)
    if me:
        stmt = stmt.where(_messages.c.is_me == 1)
    if media:
        stmt = stmt.where(_messages.c.media.like(bindparam("media")))
    if since:
        stmt = stmt.where(hit >= bindparam("since"))
    if until:
        stmt = stmt.where(hit < bindparam("until"))
    if older:
        stmt = stmt.where(hit < bindparam("rowid"))
    return stmt.order_by(hit.desc()).limit(bindparam("limit"))


def message_of(row: Row, instance: str) -> Message:
    """The row as a domain message."""
    detail: dict[str, Any] = load_json(row["detail"], {})
    return Message(
        id=id_of(IdKind.MESSAGE, row["id"]),
        instance=instance,
        chat=id_of(IdKind.CHAT, row["chat_id"]),
        native_id=row["native_id"] or "",
        more_ids=tuple(detail.get("more_ids", ())),
        sender=Sender(
            native_id=row["sender_id"],
            display_name=row["sender_name"],
            username=detail.get("username", ""),
            phone=detail.get("phone", ""),
            alt_ids=tuple(detail.get("alt_ids", ())),
            is_me=bool(row["is_me"]),
            is_bot=bool(row["is_bot"]),
        ),
        sent_at=time_of(row["sent_at"]),
        received_at=from_ms(row["received_at"]),
        direction=row["direction"],
        origin=row["origin"],
        text=row["text"],
        attachments=tuple(Attachment(**a) for a in load_json(row["attachments"], ())),
        reply_to=row["reply_to"],
        thread=row["thread"],
        album=row["album"],
        part=row["part"],
        mentions_me=bool(row["mentions_me"]),
        location=Location(**detail["location"]) if "location" in detail else None,
        contact=Card(**detail["contact"]) if "contact" in detail else None,
        poll=Poll(**detail["poll"]) if "poll" in detail else None,
        buttons=tuple(detail.get("buttons", ())),
        marks=tuple(detail.get("marks", ())),
        reactions=tuple(Reaction(**r) for r in load_json(row["reactions"], ())),
        status=row["status"],
        delivery=row["delivery"] or None,
    )


def remove(conn: Connection, message: int) -> None:
    """Delete one row; its search row is the caller's business."""
    run(conn, _remove, {"message": message})
