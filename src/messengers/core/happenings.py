"""What a translated event changes in the store: chat, contact, message, summary, search, event.

All of it happens within one unit of work, so that the summary and the search row can never
disagree with the message.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, cast

from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import Access
from messengers.core.bursts import Burst
from messengers.core.echoes import Echoes
from messengers.core.events import Events
from messengers.core.followups import find, has_mark, preview, retext
from messengers.core.knocks import knock
from messengers.core.names import fold_handle, fold_name
from messengers.core.summaries import summary_with
from messengers.models import IdKind, Sender, encode_id
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    HistorySeen,
    MessageSeen,
    PollVoted,
    ReactionChanged,
    ReactionTurned,
)
from messengers.store import access_rules, chats, contacts, early, media, messages, search
from messengers.store.rows import Row, dump_json, one_row

__all__ = ["Happenings"]

_NAME_RANK = {"stranger": 0, "platform": 1, "owner": 2}


class Happenings:
    """Applies what providers saw."""

    def __init__(self, events: Events, clock: Clock, access: Access) -> None:
        self._clock = clock
        self._access = access
        self._events = events
        self.echoes = Echoes(events, clock)
        self.followups = self.echoes.followups

    def apply_all(self, conn: Connection, arrived: Iterable[tuple[str, Happening, int]]) -> None:
        """Write what came, in its order: (instance, happening, when it came in ms) of each."""
        for live, some in groupby(arrived, lambda each: _is_live(each[1])):
            if live:
                self._live(conn, cast("Sequence[tuple[str, MessageSeen, int]]", list(some)))
                continue
            for instance_id, happening, received_at in some:
                self.apply(conn, instance_id, happening, received_at)

    def apply(
        self, conn: Connection, instance_id: str, happening: Happening, received_at: int
    ) -> None:
        """Write one happening that came at a time (ms). Applying it again changes nothing."""
        match happening:
            case MessageSeen():
                self._message(conn, instance_id, happening, received_at)
            case HistorySeen():
                self._history(conn, instance_id, happening, received_at)
            case ChatSeen():
                self.chat(conn, instance_id, happening)
            case ContactSeen():
                self._contact(conn, instance_id, happening, received_at)
            case ReactionChanged(sender_native_id=who) | ReactionTurned(sender_native_id=who):
                if self._hears(conn, instance_id, happening.chat_native_id, who):
                    self.followups.apply(conn, instance_id, happening, received_at)
            case PollVoted(voter_native_id=who):
                if self._hears(conn, instance_id, happening.chat_native_id, who):
                    self.followups.apply(conn, instance_id, happening, received_at)
            case _:
                self.followups.apply(conn, instance_id, happening, received_at)

    def chat(
        self, conn: Connection, instance_id: str, seen: ChatSeen, row: Row | None = None
    ) -> Row:
        """The stored chat of what was seen, made or completed; `row` is how it stands, if known."""
        row = row or chats.find_native(conn, instance_id, seen.native_id)
        row = row or _renamed(conn, instance_id, seen)
        if row is None:
            key = self._add_chat(conn, instance_id, seen)
            return one_row(conn, chats.get, chat=key)
        new: dict[str, Any] = {}
        better = _NAME_RANK[seen.name_source] >= _NAME_RANK[row["name_source"]]
        if seen.name and seen.name != row["name"] and better:
            new |= _name_columns(seen)
        if seen.username and fold_handle(seen.username) != row["username"]:
            new["username"] = fold_handle(seen.username)
        if seen.phone and seen.phone != row["phone"]:
            new["phone"] = seen.phone
        if row["kind"] == "dm" and seen.kind != "dm":
            new["kind"] = seen.kind  # it was opened by its id, before the messenger told of it
        if not new:
            return row
        chats.set_values(conn, row["id"], **new)
        return {**row, **new}

    def _add_chat(self, conn: Connection, instance_id: str, seen: ChatSeen) -> int:
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
        return chats.add(conn, values | _name_columns(seen))

    def _hears(self, conn: Connection, instance_id: str, chat: str, sender: str) -> bool:
        """Whether what somebody does to a message counts: not of whom a rule keeps back."""
        if self._access.is_open(instance_id):
            return True
        place, who = chats.find_native(conn, instance_id, chat), Sender(native_id=sender)
        return place is None or not self._access.withheld(place, who, mentions_me=True)

    def _contact(
        self, conn: Connection, instance_id: str, seen: ContactSeen, received_at: int
    ) -> None:
        self._access.met(instance_id, seen)
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
        contacts.merge(conn, instance_id, seen.native_id, values, seen.alt_ids)

    def _message(
        self, conn: Connection, instance_id: str, seen: MessageSeen, received_at: int
    ) -> None:
        if seen.client_key:
            self.chat(conn, instance_id, seen.chat)
            if self.echoes.heard(conn, instance_id, seen):
                return
        self._live(conn, [(instance_id, seen, received_at)])

    def _live(self, conn: Connection, arrived: Sequence[tuple[str, MessageSeen, int]]) -> None:
        """Messages that were just written: what they have in common is read and written once."""
        burst = Burst(conn, [to_ms(seen.sent_at) for _, seen, _ in arrived if seen.text])
        known: list[tuple[Row, MessageSeen]] = []
        for instance_id, seen, received_at in arrived:
            chat = self.chat(conn, instance_id, seen.chat, burst.chat(instance_id, seen.chat))
            reply_to = seen.reply_to_native_id
            quoted = find(conn, instance_id, chat["id"], reply_to) if reply_to else None
            keys = {reply_to: quoted["id"]} if quoted else {}
            values = _columns(instance_id, chat, seen, received_at, keys)
            values["withheld"] = self._withheld(chat, seen)
            if not burst.add(chat, values):
                known.append((values, seen))
                continue
            if not seen.sender.is_me and burst.meets(instance_id, contact := _contact_of(seen)):
                self._contact(conn, instance_id, contact, received_at)
            media.bind(conn, instance_id, chat["id"], seen.attachments)
            if values["withheld"] or chat["hidden"]:
                self._hide(conn, burst.place(chat["id"]))
            if values["withheld"] == "deny pairing" and seen.origin == "realtime":
                knock(conn, chat, seen.sender.native_id, to_ms(self._clock.now()))
        self._events.record_all(conn, burst.finish())
        for values, seen in known:
            self._known(conn, burst.place(values["chat_id"]), values, seen)
        for instance_id in {instance_id for instance_id, _, _ in arrived}:
            if early.any_of(conn, instance_id):
                for message in burst.added:
                    chat = burst.place(message["chat_id"])
                    self.followups.catch_up(conn, chat, message["native_id"])

    def _history(
        self, conn: Connection, instance_id: str, seen: HistorySeen, received_at: int
    ) -> None:
        """Older messages of a chat at once: its summary and each sender are seen to once."""
        chat = self.chat(conn, instance_id, seen.chat)
        keys = messages.keys_of(conn, instance_id, chat["id"], _named_in(seen.messages))
        last = messages.last_key(conn)
        new: list[dict[str, Any]] = []
        known: list[tuple[dict[str, Any], MessageSeen]] = []
        senders: dict[str, MessageSeen] = {}
        for message in sorted(seen.messages, key=lambda each: each.sent_at):
            values = _columns(instance_id, chat, message, received_at, keys)
            if message.native_id in keys:
                known.append((values, message))
                continue
            last += 1
            keys[message.native_id] = last
            withheld = self._withheld(chat, message)
            values |= {"id": last, "search_rowid": None, "withheld": withheld}
            new.append(values)
            if not message.sender.is_me:
                senders[message.sender.native_id] = message
        _add_all(conn, chat, new)
        for values, message in known:
            self._known(conn, chat, values, message)
        for message in senders.values():
            self._contact(conn, instance_id, _contact_of(message), received_at)
        self._summarize_past(conn, chat, new, seen.unread)
        if early.any_of(conn, instance_id):
            for message in seen.messages:
                self.followups.catch_up(conn, chat, message.native_id)

    def _summarize_past(self, conn: Connection, chat: Row, new: Sequence[Row], unread: int) -> None:
        """The newest of each direction make the summary; what is kept back counts nowhere."""
        newest = {values["direction"]: values for values in new if not values["withheld"]}
        if any(values["withheld"] for values in new):
            self._hide(conn, chat)
        if unread and not chat["last_id"] and ("in" in newest or not new):
            chats.set_values(conn, chat["id"], unread=unread)
        for values in sorted(newest.values(), key=lambda each: each["sent_at"]):
            chat = self.summarize(conn, chat, values["id"], values)

    def _withheld(self, chat: Row, seen: MessageSeen) -> str:
        """Why agents are not shown a message; of what we write ourselves they are."""
        if self._access.is_open(chat["instance_id"]) or seen.direction == "out":
            return ""
        self._access.met(chat["instance_id"], seen.sender)
        return self._access.withheld(chat, seen.sender, mentions_me=seen.mentions_me)

    def _hide(self, conn: Connection, chat: Row) -> None:
        """Something of a chat is kept back, or was: see whether all of it is."""
        hidden = int(self._access.hides(chat))
        if hidden != chat["hidden"]:
            chats.set_values(conn, chat["id"], hidden=hidden)
        if hidden < chat["hidden"]:
            access_rules.mark(conn)  # what came before it was opened is to be seen too

    def _known(self, conn: Connection, chat: Row, values: Row, seen: MessageSeen) -> None:
        """A message that is stored is seen again."""
        row = find(conn, values["instance_id"], chat["id"], values["native_id"])
        if row is None:
            return
        if has_mark(row, "undecrypted") and not has_mark(values, "undecrypted"):
            self._complete(conn, chat, row, values)
        self.echoes.known(conn, row, seen)

    def _complete(self, conn: Connection, chat: Row, row: Row, values: Row) -> None:
        """The real message takes the place of the words that stood for it."""
        new = retext(conn, row, values["text"])
        new |= {name: values[name] for name in ("attachments", "media", "detail", "reply_to")}
        messages.set_values(conn, row["id"], **new)
        if chat["last_id"] == row["id"]:
            chats.set_values(conn, chat["id"], last_text=preview({**row, **new}))
        self.followups.record(conn, "message.received", row)

    def summarize(self, conn: Connection, chat: Row, key: int, message: Row) -> Row:
        """Keep the chat's summary in step with one more message; returns the chat as it is now."""
        new = summary_with(chat, key, message)
        if new:
            chats.set_values(conn, chat["id"], **new)
        return {**chat, **new}


def _is_live(happening: Happening) -> bool:
    """Whether it is a message of which no send of ours can be the first news."""
    return isinstance(happening, MessageSeen) and not happening.client_key


def _name_columns(seen: ChatSeen) -> dict[str, str]:
    return {
        "name": seen.name,
        "name_source": seen.name_source,
        "name_folded": fold_name(seen.name),
    }


def _named_in(seen: Iterable[MessageSeen]) -> set[str]:
    """The native ids of messages and of those they quote."""
    return {each for one in seen for each in (one.native_id, one.reply_to_native_id)}


def _columns(
    instance_id: str, chat: Row, seen: MessageSeen, received_at: int, keys: Mapping[str, int]
) -> dict[str, Any]:
    """The row of a message; `keys` are those of the messages of its chat by native id."""
    reply_to = seen.reply_to_native_id
    if reply_to and reply_to in keys:
        reply_to = encode_id(IdKind.MESSAGE, keys[reply_to])
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
        "sent_at": to_ms(seen.sent_at),
        "received_at": received_at,
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
        "marks": seen.marks,
    }
    return {name: value for name, value in detail.items() if value}


def _add_all(conn: Connection, chat: Row, new: Sequence[dict[str, Any]]) -> None:
    """Store and index messages of a chat, none of which is known; each has its key."""
    said = [values for values in new if values["text"]]
    rowids = search.next_rowids(conn, [values["sent_at"] for values in said])
    for values, rowid in zip(said, rowids, strict=True):
        values["search_rowid"] = rowid
    messages.add_all(conn, new)
    place = chat["instance_id"], chat["id"]
    search.index_all(conn, [(each["search_rowid"], each["text"], *place) for each in said])


def _renamed(conn: Connection, instance_id: str, seen: ChatSeen) -> Row | None:
    """The chat that is stored under another id of its, from now on under this one."""
    for alt_id in seen.alt_ids:
        row = chats.find_native(conn, instance_id, alt_id)
        if row is not None:
            chats.set_values(conn, row["id"], native_id=seen.native_id)
            early.move(conn, instance_id, alt_id, seen.native_id)
            return {**row, "native_id": seen.native_id}
    return None
