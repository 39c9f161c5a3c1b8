"""What happens to a message once it is stored: edits, deletions, reactions, votes, receipts.

Platforms tell of these without order: what comes before its message waits for it, and nothing older
takes the place of what is newer.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any, assert_never, get_args

from pydantic import TypeAdapter
from sqlalchemy import Connection

from messengers.clock import to_ms
from messengers.core.events import Events
from messengers.core.polls import with_counts, with_votes_of
from messengers.core.reactions import turned, with_those_of
from messengers.models import Delivery, Reaction
from messengers.providers.base import (
    MessageDeleted,
    MessageEdited,
    PollCounted,
    PollVoted,
    ReactionChanged,
    ReactionSeen,
    ReactionTurned,
    ReadElsewhere,
    ReceiptSeen,
)
from messengers.store import chats, early, messages, outbox, search
from messengers.store.rows import Row, dump_json, first_row, load_json, one_row

__all__ = ["DELIVERY_RANK", "Followup", "Followups", "find", "has_mark", "preview", "retext"]

_PREVIEW_CHARS = 160
DELIVERY_RANK = {
    "": 0,
    "pending": 0,
    "unknown": 1,
    "sent": 2,
    "failed": 3,
    "delivered": 4,
    "read": 5,
}
"""Receipts only ever advance a message; a late truth replaces a doubt. What a platform took can
still fail, what arrived cannot."""
OfMessage = (
    MessageEdited
    | MessageDeleted
    | ReactionSeen
    | ReactionChanged
    | ReactionTurned
    | PollCounted
    | PollVoted
    | ReceiptSeen
)
Followup = OfMessage | ReadElsewhere
_KINDS: Mapping[str, type[OfMessage]] = {each.__name__: each for each in get_args(OfMessage)}


class Followups:
    """Applies what came of messages; of those that are not stored yet it is kept."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def apply(self, conn: Connection, instance_id: str, seen: Followup, received_at: int) -> None:
        """Write one that came at a time (ms). Applying it again changes nothing."""
        match seen:
            case ReceiptSeen():
                for native_id in seen.native_ids:
                    one = replace(seen, native_ids=(native_id,))
                    self._follow(conn, instance_id, one, native_id, received_at)
            case ReadElsewhere():
                self._read(conn, instance_id, seen)
            case _:
                self._follow(conn, instance_id, seen, seen.native_id, received_at)

    def catch_up(self, conn: Connection, chat: Row, native_id: str) -> None:
        """Apply what waited for a message of a chat, now that it is stored."""
        parent = one_row(conn, chats.get, chat=chat["parent_id"]) if chat["parent_id"] else chat
        place = chat["instance_id"], chat["native_id"], parent["native_id"], native_id
        for waited in early.take(conn, *place):
            seen = _adapter(waited["kind"]).validate_json(waited["payload"])
            found = _locate(conn, chat["instance_id"], chat["native_id"], native_id)
            if found is not None:
                self._apply(conn, seen, *found)

    def _follow(
        self, conn: Connection, instance_id: str, seen: OfMessage, native_id: str, received_at: int
    ) -> None:
        found = _locate(conn, instance_id, seen.chat_native_id, native_id)
        if found is not None:
            self._apply(conn, seen, *found)
            return
        kind = type(seen).__name__
        values: dict[str, object] = {
            "instance_id": instance_id,
            "chat_native_id": seen.chat_native_id,
            "native_id": native_id,
            "kind": kind,
            "whose": _whose(seen),
            "at": to_ms(seen.at),
            "payload": _adapter(kind).dump_json(seen).decode(),
            "received_at": received_at,
        }
        early.keep(conn, values)

    def _apply(self, conn: Connection, seen: OfMessage, chat: Row, row: Row) -> None:
        match seen:
            case MessageEdited():
                self._edited(conn, chat, row, seen)
            case MessageDeleted():
                if row["status"] != "deleted":
                    self.rewrite(conn, chat, row, text="", status="deleted")
            case ReactionSeen() | ReactionChanged() | ReactionTurned():
                self._reacted(conn, row, seen)
            case PollVoted() | PollCounted():
                self._voted(conn, row, seen)
            case ReceiptSeen():
                self.advance(conn, row, seen.delivery)
            case _:
                assert_never(seen)

    def _edited(self, conn: Connection, chat: Row, row: Row, seen: MessageEdited) -> None:
        at = to_ms(seen.at)
        if row["status"] == "deleted" or at < (row["edited_at"] or 0):
            return
        if row["text"] != seen.text:
            self.rewrite(conn, chat, row, text=seen.text, status="edited")
        messages.set_values(conn, row["id"], edited_at=at)

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
        self, conn: Connection, row: Row, seen: ReactionSeen | ReactionChanged | ReactionTurned
    ) -> None:
        if isinstance(seen, ReactionSeen):
            now = list(seen.reactions)
        else:
            stored = [Reaction(**each) for each in load_json(row["reactions"], ())]
            sender, is_me = seen.sender_native_id, seen.is_me
            if isinstance(seen, ReactionTurned):
                emojis = turned(sender, seen.emoji, stored, given=seen.given, is_me=is_me)
            else:
                emojis = seen.emojis
            now = with_those_of(sender, emojis, stored, is_me=is_me)
        reactions = dump_json([each.model_dump() for each in now])
        if row["reactions"] != reactions:
            messages.set_values(conn, row["id"], reactions=reactions)
            self.record(conn, "message.reaction", row)

    def _voted(self, conn: Connection, row: Row, seen: PollVoted | PollCounted) -> None:
        detail = load_json(row["detail"], {})
        if isinstance(seen, PollCounted):
            new = with_counts(seen.votes, detail)
        else:
            new = with_votes_of(seen.voter_native_id, seen.options, detail)
        if new is not None:
            messages.set_values(conn, row["id"], detail=dump_json(new))
            self.record(conn, "message.voted", row)

    def advance(self, conn: Connection, row: Row, delivery: Delivery) -> None:
        """How far a message of ours got; what is known already, or older, changes nothing."""
        if row["direction"] != "out":
            return
        if DELIVERY_RANK[delivery] <= DELIVERY_RANK[row["delivery"]]:
            return
        if row["delivery"] == "unknown" and delivery != "failed":
            outbox.confirm(conn, row["id"])
        messages.set_values(conn, row["id"], delivery=delivery)
        self.record(conn, f"message.{delivery}", row)

    def _read(self, conn: Connection, instance_id: str, seen: ReadElsewhere) -> None:
        chat = chats.find_native(conn, instance_id, seen.chat_native_id)
        if chat is not None:
            chats.set_values(conn, chat["id"], unread=0, read_marker=chat["last_id"])

    def record(self, conn: Connection, kind: str, row: Row) -> None:
        """An event about a stored message. What is kept back wakes nobody."""
        if row["withheld"]:
            return
        self._events.record(
            conn,
            kind,
            instance_id=row["instance_id"],
            chat_id=row["chat_id"],
            message_id=row["id"],
        )


@cache
def _adapter(kind: str) -> TypeAdapter[OfMessage]:
    return TypeAdapter(_KINDS[kind])


def _whose(seen: OfMessage) -> str:
    """Of what a platform tells one by one, whose it is: the newest of each is kept."""
    match seen:
        case ReactionChanged():
            return seen.sender_native_id
        case ReactionTurned():
            return f"{seen.sender_native_id} {seen.emoji}"
        case PollVoted():
            return seen.voter_native_id
        case ReceiptSeen():
            return seen.delivery
        case _:
            return ""


def has_mark(message: Row, mark: str) -> bool:
    """Whether a stored message, or one about to be, carries a mark."""
    return bool(message["detail"]) and mark in load_json(message["detail"]).get("marks", ())


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
