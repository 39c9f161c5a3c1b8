"""What a translated event changes in the store: chat, contact, message, summary, search, event.

All of it happens within one unit of work, so that the summary and the search row can never
disagree with the message.
"""

from typing import Any, assert_never

from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.events import Events
from messengers.core.names import fold_handle, fold_name
from messengers.models import IdKind, encode_id
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    ReactionSeen,
    ReadElsewhere,
    ReceiptSeen,
)
from messengers.store import chats, contacts, media, messages, search
from messengers.store.rows import Row, dump_json, first_row

__all__ = ["DELIVERY_RANK", "Happenings", "preview"]

_PREVIEW_CHARS = 160
DELIVERY_RANK = {
    "": 0,
    "pending": 0,
    "unknown": 1,
    "failed": 1,
    "sent": 2,
    "delivered": 3,
    "read": 4,
}
"""Receipts only ever advance a message; a late truth replaces a doubt."""
_NAME_RANK = {"stranger": 0, "platform": 1, "owner": 2}


class Happenings:
    """Applies what providers saw."""

    def __init__(self, events: Events, clock: Clock) -> None:
        self._events = events
        self._clock = clock

    def apply(
        self, conn: Connection, instance_id: str, happening: Happening, received_at: int
    ) -> None:
        """Write one happening that came at a time (ms). Applying it again changes nothing."""
        match happening:
            case MessageSeen():
                self._message(conn, instance_id, happening, received_at)
            case MessageEdited():
                self._edited(conn, instance_id, happening)
            case MessageDeleted():
                self._deleted(conn, instance_id, happening)
            case ReactionSeen():
                self._reacted(conn, instance_id, happening)
            case ReceiptSeen():
                self._receipts(conn, instance_id, happening)
            case ReadElsewhere():
                self._read(conn, instance_id, happening)
            case ChatSeen():
                self.chat(conn, instance_id, happening)
            case ContactSeen():
                self._contact(conn, instance_id, happening, received_at)
            case _:
                assert_never(happening)

    def chat(self, conn: Connection, instance_id: str, seen: ChatSeen) -> Row:
        """The stored chat of what was seen, made or completed."""
        row = chats.find_native(conn, instance_id, seen.native_id)
        if row is None:
            self._add_chat(conn, instance_id, seen)
            row = chats.find_native(conn, instance_id, seen.native_id)
            if row is None:
                raise AssertionError("a chat just written is there")
            return row
        new: dict[str, Any] = {}
        better = _NAME_RANK[seen.name_source] >= _NAME_RANK[row["name_source"]]
        if seen.name and seen.name != row["name"] and better:
            new |= _name_columns(seen)
        if seen.username and fold_handle(seen.username) != row["username"]:
            new["username"] = fold_handle(seen.username)
        if seen.phone and seen.phone != row["phone"]:
            new["phone"] = seen.phone
        if not new:
            return row
        chats.set_values(conn, row["id"], **new)
        return {**row, **new}

    def _add_chat(self, conn: Connection, instance_id: str, seen: ChatSeen) -> None:
        parent = None
        if seen.parent_native_id:
            parent = chats.find_native(conn, instance_id, seen.parent_native_id)
        values = {
            "instance_id": instance_id,
            "native_id": seen.native_id,
            "kind": seen.kind,
            "phone": seen.phone,
            "username": fold_handle(seen.username),
            "parent_id": parent["id"] if parent else None,
            "created_at": to_ms(self._clock.now()),
        }
        chats.add(conn, values | _name_columns(seen))

    def _contact(
        self, conn: Connection, instance_id: str, seen: ContactSeen, received_at: int
    ) -> None:
        values = {
            "display_name": seen.display_name,
            "name_source": seen.name_source,
            "name_folded": fold_name(seen.display_name),
            "username": fold_handle(seen.username),
            "phone": seen.phone,
            "alt_ids": dump_json(seen.alt_ids),
            "is_bot": int(seen.is_bot),
            "seen_at": received_at,
        }
        contacts.merge(conn, instance_id, seen.native_id, values)

    def _message(
        self, conn: Connection, instance_id: str, seen: MessageSeen, received_at: int
    ) -> None:
        chat = self.chat(conn, instance_id, seen.chat)
        sent_at = to_ms(seen.sent_at)
        rowid = search.next_rowid(conn, sent_at) if seen.text else None
        values = self._columns(conn, instance_id, chat, seen)
        values |= {"sent_at": sent_at, "received_at": received_at, "search_rowid": rowid}
        key = messages.add_new(conn, values)
        if key is None:
            return
        if not seen.sender.is_me:
            self._contact(conn, instance_id, _contact_of(seen), received_at)
        if rowid is not None:
            search.index(conn, rowid, seen.text, instance_id, chat["id"])
        media.bind(conn, instance_id, chat["id"], seen.attachments)
        self.summarize(conn, chat, key, values)
        if seen.origin in ("realtime", "device"):
            kind = "message.received" if seen.direction == "in" else "message.sent"
            self._events.record(
                conn, kind, instance_id=instance_id, chat_id=chat["id"], message_id=key
            )

    def _columns(
        self, conn: Connection, instance_id: str, chat: Row, seen: MessageSeen
    ) -> dict[str, Any]:
        reply_to = seen.reply_to_native_id
        if reply_to:
            quoted = _find(conn, instance_id, chat["id"], reply_to)
            reply_to = encode_id(IdKind.MESSAGE, quoted["id"]) if quoted else reply_to
        return {
            "instance_id": instance_id,
            "chat_id": chat["id"],
            "native_id": seen.native_id,
            "direction": seen.direction,
            "origin": seen.origin,
            "sender_id": seen.sender.native_id,
            "sender_name": seen.sender.display_name,
            "is_me": int(seen.sender.is_me),
            "is_bot": int(seen.sender.is_bot),
            "text": seen.text,
            "attachments": dump_json([a.model_dump() for a in seen.attachments]),
            "media": " ".join(a.kind for a in seen.attachments),
            "reply_to": reply_to,
            "thread": seen.thread,
            "album": seen.album,
            "mentions_me": int(seen.mentions_me),
            "detail": dump_json(_detail_of(seen)),
            "delivery": seen.delivery or ("sent" if seen.direction == "out" else ""),
        }

    def summarize(self, conn: Connection, chat: Row, key: int, message: Row) -> None:
        """Keep the chat's summary in step with one more message."""
        sent_at, incoming = message["sent_at"], message["direction"] == "in"
        new: dict[str, Any] = {}
        if (sent_at, key) >= (chat["last_at"], chat["last_id"]):
            new |= {
                "last_id": key,
                "last_at": sent_at,
                "last_text": preview(message),
                "last_sender": "" if message["is_me"] else message["sender_name"],
                "last_direction": message["direction"],
                "waiting": int(incoming),
            }
        if incoming:
            new["peer_wrote_at"] = max(chat["peer_wrote_at"] or 0, sent_at)
            if message["origin"] == "realtime":
                new["unread"] = chat["unread"] + 1
        elif message["origin"] in ("device", "history"):
            new["owner_wrote_at"] = max(chat["owner_wrote_at"] or 0, sent_at)
            if message["origin"] == "device":
                new |= {"unread": 0, "read_marker": key}
        if new:
            chats.set_values(conn, chat["id"], **new)

    def _edited(self, conn: Connection, instance_id: str, seen: MessageEdited) -> None:
        found = _locate(conn, instance_id, seen.chat_native_id, seen.native_id)
        if found is None:
            return
        chat, row = found
        if row["text"] == seen.text or row["status"] == "deleted":
            return
        self.rewrite(conn, chat, row, text=seen.text, status="edited")

    def _deleted(self, conn: Connection, instance_id: str, seen: MessageDeleted) -> None:
        found = _locate(conn, instance_id, seen.chat_native_id, seen.native_id)
        if found is None or found[1]["status"] == "deleted":
            return
        self.rewrite(conn, *found, text="", status="deleted")

    def rewrite(self, conn: Connection, chat: Row, row: Row, *, text: str, status: str) -> None:
        """Another text for a stored message, in its row, search, summary and the log."""
        instance_id = row["instance_id"]
        if row["search_rowid"] is not None and row["text"]:
            old = row["search_rowid"], row["text"], instance_id, chat["id"]
            search.unindex(conn, *old)
        rowid = row["search_rowid"]
        if text:
            rowid = rowid if rowid is not None else search.next_rowid(conn, row["sent_at"])
            search.index(conn, rowid, text, instance_id, chat["id"])
        new: dict[str, Any] = {"text": text, "status": status, "search_rowid": rowid}
        if status == "deleted":
            new |= {"attachments": "", "media": "", "detail": "", "search_rowid": None}
        messages.set_values(conn, row["id"], **new)
        if chat["last_id"] == row["id"]:
            chats.set_values(conn, chat["id"], last_text=preview({**row, **new}))
        self._record(conn, f"message.{status}", row)

    def _reacted(self, conn: Connection, instance_id: str, seen: ReactionSeen) -> None:
        found = _locate(conn, instance_id, seen.chat_native_id, seen.native_id)
        reactions = dump_json([r.model_dump() for r in seen.reactions])
        if found is None or found[1]["reactions"] == reactions:
            return
        messages.set_values(conn, found[1]["id"], reactions=reactions)
        self._record(conn, "message.reaction", found[1])

    def _receipts(self, conn: Connection, instance_id: str, seen: ReceiptSeen) -> None:
        for native_id in seen.native_ids:
            found = _locate(conn, instance_id, seen.chat_native_id, native_id)
            if found is None or found[1]["direction"] != "out":
                continue
            row = found[1]
            if DELIVERY_RANK[seen.delivery] > DELIVERY_RANK[row["delivery"]]:
                messages.set_values(conn, row["id"], delivery=seen.delivery)
                self._record(conn, f"message.{seen.delivery}", row)

    def _read(self, conn: Connection, instance_id: str, seen: ReadElsewhere) -> None:
        chat = chats.find_native(conn, instance_id, seen.chat_native_id)
        if chat is not None:
            chats.set_values(conn, chat["id"], unread=0, read_marker=chat["last_id"])

    def _record(self, conn: Connection, kind: str, row: Row) -> None:
        self._events.record(
            conn,
            kind,
            instance_id=row["instance_id"],
            chat_id=row["chat_id"],
            message_id=row["id"],
        )


def preview(message: Row) -> str:
    """The line a chat list shows."""
    if message.get("status") == "deleted":
        return "(deleted)"
    text = " ".join(message["text"].split())
    if not text and message["media"]:
        return "[" + message["media"].replace(" ", ", ") + "]"
    return text[:_PREVIEW_CHARS]


def _name_columns(seen: ChatSeen) -> dict[str, str]:
    return {
        "name": seen.name,
        "name_source": seen.name_source,
        "name_folded": fold_name(seen.name),
    }


def _contact_of(seen: MessageSeen) -> ContactSeen:
    sender = seen.sender
    return ContactSeen(
        native_id=sender.native_id,
        display_name=sender.display_name,
        username=sender.username,
        phone=sender.phone,
        alt_ids=sender.alt_ids,
        is_bot=sender.is_bot,
    )


def _detail_of(seen: MessageSeen) -> dict[str, Any]:
    detail: dict[str, Any] = {
        "username": seen.sender.username,
        "phone": seen.sender.phone,
        "alt_ids": seen.sender.alt_ids,
        "location": seen.location.model_dump() if seen.location else None,
        "contact": seen.contact.model_dump() if seen.contact else None,
        "poll": seen.poll.model_dump() if seen.poll else None,
        "buttons": seen.buttons,
    }
    return {name: value for name, value in detail.items() if value}


def _find(conn: Connection, instance_id: str, chat: int, native_id: str) -> Row | None:
    place = {"instance": instance_id, "chat": chat, "native": native_id}
    return first_row(conn, messages.by_native, **place)


def _locate(
    conn: Connection, instance_id: str, chat_native_id: str, native_id: str
) -> tuple[Row, Row] | None:
    """The chat and the message of native ids, when both are stored."""
    chat = chats.find_native(conn, instance_id, chat_native_id)
    if chat is None:
        return None
    row = _find(conn, instance_id, chat["id"], native_id)
    return None if row is None else (chat, row)
