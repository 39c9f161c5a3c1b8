"""What a worker told, in the words of the contract."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import orjson

from messengers.errors import InvalidInput
from messengers.models import Attachment, Card, Location, Poll, Sender
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    HistorySeen,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    PollVoted,
    ReactionChanged,
    ReadElsewhere,
    ReceiptSeen,
)

__all__ = ["STORED", "chat_key", "event_key", "translate"]

Event = Mapping[str, Any]
_ME = Sender(native_id="", is_me=True)
_UNDECRYPTED = (
    "(This message could not be decrypted. WhatsApp was asked to send it again;"
    " until then it can be read on the phone.)"
)


def event_key(event: Event, payload: bytes) -> str:
    """What names an event however often it is told."""
    kind = event["event"]
    if kind == "message":
        message = event["message"]
        again = ":undecrypted" if "undecrypted" in message.get("marks", ()) else ""
        return f"message:{message['chat']['id']}:{message['id']}{again}"
    return f"{kind}:{hashlib.blake2b(payload, digest_size=16).hexdigest()}"


def chat_key(event: Event) -> str:
    """The lane of an event: its chat, or none."""
    if event["event"] == "message":
        return str(event["message"]["chat"]["id"])
    return str(event["chat"]["id"]) if "chat" in event else ""


def translate(kind: str, payload: bytes) -> Sequence[Happening]:
    """What a stored event means.

    Raises InvalidInput for what this version does not know: it is kept as it came.
    """
    read = STORED.get(kind)
    if read is None:
        raise InvalidInput("The worker told what this version does not know.")
    try:
        return list(read(orjson.loads(payload)))
    except (ValueError, KeyError, TypeError) as exc:
        raise InvalidInput("The worker told something malformed.") from exc


def _message(event: Event) -> Iterator[Happening]:
    yield _seen(event["message"], _chat(event["message"]["chat"]), live=True)


def _history(event: Event) -> Iterator[Happening]:
    chat = _chat(event["chat"])
    messages = [_seen(each, chat, live=False) for each in event["messages"]]
    yield HistorySeen(chat, messages, event.get("unread", 0))


def _chats(event: Event) -> Iterator[Happening]:
    yield from map(_chat, event["chats"])


def _people(event: Event) -> Iterator[Happening]:
    """Names; whoever stands in the owner's address book can be written to by that name."""
    for person in event["people"]:
        yield ContactSeen(
            native_id=person["id"],
            display_name=person.get("name", ""),
            name_source=person.get("by", "stranger"),
            phone=person.get("phone", ""),
            alt_ids=tuple(person.get("alt", ())),
        )
        if person.get("by") == "owner":
            yield _chat({**person, "kind": "dm"})


def _edit(event: Event) -> Iterator[Happening]:
    yield _chat(event["chat"])
    yield MessageEdited(event["chat"]["id"], event["id"], event["text"], _time(event["at"]))


def _delete(event: Event) -> Iterator[Happening]:
    yield _chat(event["chat"])
    yield MessageDeleted(event["chat"]["id"], event["id"], _time(event["at"]))


def _reaction(event: Event) -> Iterator[Happening]:
    yield _chat(event["chat"])
    yield ReactionChanged(
        chat_native_id=event["chat"]["id"],
        native_id=event["id"],
        sender_native_id=event["sender"]["id"],
        emojis=(event["emoji"],) if event["emoji"] else (),
        at=_time(event["at"]),
        is_me=event["mine"],
    )


def _vote(event: Event) -> Iterator[Happening]:
    yield _chat(event["chat"])
    yield PollVoted(
        chat_native_id=event["chat"]["id"],
        native_id=event["id"],
        voter_native_id=event["sender"]["id"],
        options=tuple(event["options"]),
        at=_time(event["at"]),
    )


def _receipt(event: Event) -> Iterator[Happening]:
    yield _chat(event["chat"])
    yield ReceiptSeen(event["chat"]["id"], tuple(event["ids"]), event["state"], _time(event["at"]))


def _read(event: Event) -> Iterator[Happening]:
    yield _chat(event["chat"])
    yield ReadElsewhere(event["chat"]["id"], _time(event["at"]))


STORED: Mapping[str, Callable[[Event], Iterator[Happening]]] = {
    "message": _message,
    "history": _history,
    "chats": _chats,
    "people": _people,
    "edit": _edit,
    "delete": _delete,
    "reaction": _reaction,
    "vote": _vote,
    "receipt": _receipt,
    "read": _read,
}
"""The kinds of events that are stored before they are understood."""


def _seen(message: Event, chat: ChatSeen, *, live: bool) -> MessageSeen:
    mine = message.get("mine", False)
    marks = tuple(message.get("marks", ()))
    live_origin = "device" if mine else "realtime"
    text = message.get("text", "")
    return MessageSeen(
        chat=chat,
        native_id=message["id"],
        sender=_ME if mine else _sender(message["sender"]),
        sent_at=_time(message["at"]),
        direction="out" if mine else "in",
        origin=live_origin if live else "history",
        text=text or (_UNDECRYPTED if "undecrypted" in marks else ""),
        attachments=tuple(map(_attachment, message.get("files", ()))),
        reply_to_native_id=message.get("reply_to", ""),
        album=message.get("album", ""),
        mentions_me=message.get("mentions_me", False),
        location=_location(message.get("location")),
        contact=Card(**message["contact"]) if "contact" in message else None,
        poll=Poll(**message["poll"]) if "poll" in message else None,
        buttons=tuple(message.get("buttons", ())),
        marks=marks,
        delivery=message.get("delivery"),
    )


def _chat(chat: Event) -> ChatSeen:
    return ChatSeen(
        native_id=chat["id"],
        kind=chat.get("kind", "dm"),
        name=chat.get("name", ""),
        name_source=chat.get("by", "stranger"),
        phone=chat.get("phone", ""),
        alt_ids=tuple(chat.get("alt", ())),
    )


def _sender(person: Event) -> Sender:
    alt_ids = tuple(person.get("alt", ()))
    return _somebody(person["id"], person.get("name", ""), person.get("phone", ""), alt_ids)


@lru_cache(maxsize=1_000)
def _somebody(native_id: str, name: str, phone: str, alt_ids: tuple[str, ...]) -> Sender:
    """Made once: a history names the same few people in each of its messages."""
    return Sender(native_id=native_id, display_name=name, phone=phone, alt_ids=alt_ids)


def _attachment(file: Event) -> Attachment:
    return Attachment(
        kind=file["kind"],
        native_ref=file["ref"],
        mime=file.get("mime", ""),
        name=file.get("name", ""),
        size_bytes=file.get("size"),
        duration_s=file.get("seconds"),
        width=file.get("width"),
        height=file.get("height"),
    )


def _location(place: Event | None) -> Location | None:
    if place is None:
        return None
    return Location(
        latitude_deg=place["latitude"], longitude_deg=place["longitude"], title=place["title"]
    )


def _time(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
