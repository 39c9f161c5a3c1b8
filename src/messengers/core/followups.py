"""What happens to a message once it is stored: edits, deletions, reactions, votes, receipts."""

from typing import Any, assert_never

from sqlalchemy import Connection

from messengers.core.events import Events
from messengers.core.polls import with_counts, with_votes_of
from messengers.core.reactions import with_those_of
from messengers.models import Reaction
from messengers.providers.base import (
    MessageDeleted,
    MessageEdited,
    PollCounted,
    PollVoted,
    ReactionChanged,
    ReactionSeen,
    ReadElsewhere,
    ReceiptSeen,
)
from messengers.store import chats, messages, search
from messengers.store.rows import Row, dump_json, first_row, load_json, one_row

__all__ = ["DELIVERY_RANK", "Followup", "Followups", "find", "preview", "retext"]

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
Followup = (
    MessageEdited
    | MessageDeleted
    | ReactionSeen
    | ReactionChanged
    | PollCounted
    | PollVoted
    | ReceiptSeen
    | ReadElsewhere
)


class Followups:
    """Applies what came of stored messages; of messages that are not stored it knows nothing."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def apply(self, conn: Connection, instance_id: str, seen: Followup) -> None:
        """Write one of them. Applying it again changes nothing."""
        match seen:
            case MessageEdited():
                self._edited(conn, instance_id, seen)
            case MessageDeleted():
                self._deleted(conn, instance_id, seen)
            case ReactionSeen() | ReactionChanged():
                self._reacted(conn, instance_id, seen)
            case PollVoted() | PollCounted():
                self._voted(conn, instance_id, seen)
            case ReceiptSeen():
                self._receipts(conn, instance_id, seen)
            case ReadElsewhere():
                self._read(conn, instance_id, seen)
            case _:
                assert_never(seen)

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
        new: dict[str, Any] = retext(conn, row, text) | {"status": status}
        if status == "deleted":
            new |= {"attachments": "", "media": "", "detail": "", "search_rowid": None}
        messages.set_values(conn, row["id"], **new)
        if chat["last_id"] == row["id"]:
            chats.set_values(conn, chat["id"], last_text=preview({**row, **new}))
        self.record(conn, f"message.{status}", row)

    def _reacted(
        self, conn: Connection, instance_id: str, seen: ReactionSeen | ReactionChanged
    ) -> None:
        found = _locate(conn, instance_id, seen.chat_native_id, seen.native_id)
        if found is None:
            return
        row = found[1]
        if isinstance(seen, ReactionSeen):
            now = list(seen.reactions)
        else:
            stored = (Reaction(**each) for each in load_json(row["reactions"], ()))
            now = with_those_of(seen.sender_native_id, seen.emojis, stored, is_me=seen.is_me)
        reactions = dump_json([each.model_dump() for each in now])
        if row["reactions"] != reactions:
            messages.set_values(conn, row["id"], reactions=reactions)
            self.record(conn, "message.reaction", row)

    def _voted(self, conn: Connection, instance_id: str, seen: PollVoted | PollCounted) -> None:
        found = _locate(conn, instance_id, seen.chat_native_id, seen.native_id)
        if found is None:
            return
        detail = load_json(found[1]["detail"], {})
        if isinstance(seen, PollCounted):
            new = with_counts(seen.votes, detail)
        else:
            new = with_votes_of(seen.voter_native_id, seen.options, detail)
        if new is not None:
            messages.set_values(conn, found[1]["id"], detail=dump_json(new))
            self.record(conn, "message.voted", found[1])

    def _receipts(self, conn: Connection, instance_id: str, seen: ReceiptSeen) -> None:
        for native_id in seen.native_ids:
            found = _locate(conn, instance_id, seen.chat_native_id, native_id)
            if found is None or found[1]["direction"] != "out":
                continue
            row = found[1]
            if DELIVERY_RANK[seen.delivery] > DELIVERY_RANK[row["delivery"]]:
                messages.set_values(conn, row["id"], delivery=seen.delivery)
                self.record(conn, f"message.{seen.delivery}", row)

    def _read(self, conn: Connection, instance_id: str, seen: ReadElsewhere) -> None:
        chat = chats.find_native(conn, instance_id, seen.chat_native_id)
        if chat is not None:
            chats.set_values(conn, chat["id"], unread=0, read_marker=chat["last_id"])

    def record(self, conn: Connection, kind: str, row: Row) -> None:
        """An event about a stored message."""
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


def retext(conn: Connection, row: Row, text: str) -> dict[str, Any]:
    """Index another text for a stored message; returns the columns to write."""
    place = row["instance_id"], row["chat_id"]
    rowid = row["search_rowid"]
    if rowid is not None and row["text"]:
        search.unindex(conn, rowid, row["text"], *place)
    if text:
        rowid = rowid if rowid is not None else search.next_rowid(conn, row["sent_at"])
        search.index(conn, rowid, text, *place)
    return {"text": text, "search_rowid": rowid}


def find(conn: Connection, instance_id: str, chat: int, native_id: str) -> Row | None:
    """The stored message of a native id in a chat."""
    place = {"instance": instance_id, "chat": chat, "native": native_id}
    return first_row(conn, messages.by_native, **place)


def _locate(
    conn: Connection, instance_id: str, chat_native_id: str, native_id: str
) -> tuple[Row, Row] | None:
    """The chat and the message of native ids, when both are stored.

    A platform may name the whole chat of what happened in one of its threads.
    """
    chat = chats.find_native(conn, instance_id, chat_native_id)
    if chat is None:
        return None
    row = find(conn, instance_id, chat["id"], native_id)
    if row is not None:
        return chat, row
    place = {"instance": instance_id, "parent": chat["id"], "native": native_id}
    row = first_row(conn, messages.in_threads, **place)
    return None if row is None else (one_row(conn, chats.get, chat=row["chat_id"]), row)
