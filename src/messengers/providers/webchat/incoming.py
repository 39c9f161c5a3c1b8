"""From what a page sent to what happened: events as they are stored, and what they mean."""

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from pydantic import ValidationError

from messengers.clock import from_ms, to_ms
from messengers.errors import InvalidInput
from messengers.models import Attachment, Model, Sender
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    MessageSeen,
    ReceiptSeen,
)
from messengers.providers.webchat.limits import MAX_NAME

__all__ = [
    "Named",
    "Said",
    "Shown",
    "event_key",
    "message_id",
    "named",
    "said",
    "shown",
    "translate",
]

_CONTROLS = dict.fromkeys({*range(0x20), *range(0x7F, 0xA0)} - {ord("\n"), ord("\t")})
"""All of Unicode's category Cc but those that a page writes."""


class Said(Model):
    """A visitor's message. It carries the name he goes by, so it needs no other event."""

    visitor: str
    client_id: str
    text: str
    media: tuple[Attachment, ...] = ()
    name: str = ""
    at_ms: int


class Named(Model):
    """A visitor chose a name."""

    visitor: str
    name: str
    at_ms: int


class Shown(Model):
    """A page displayed our messages."""

    visitor: str
    native_ids: tuple[str, ...]
    state: Literal["delivered", "read"]
    at_ms: int


def message_id(client_id: str) -> str:
    """The native id of a visitor's message, known to his page before it is sent."""
    return f"v{client_id}"


def event_key(event: Said | Named | Shown) -> str:
    """Unique per instance; the same for every time a page sends the same thing."""
    match event:
        case Said():
            return f"said:{event.visitor}:{event.client_id}"
        case Named():
            return f"named:{event.visitor}:{event.at_ms}"
        case Shown():
            ids = hashlib.sha256("\n".join(event.native_ids).encode()).hexdigest()[:16]
            return f"shown:{event.visitor}:{event.state}:{ids}"


def plain_text(text: str) -> str:
    """The text without control characters that no page writes; invisible ones are kept as data."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.translate(_CONTROLS).strip()


def plain_name(name: str) -> str:
    """A name on one line, without control and formatting characters, cut to a bearable length."""
    visible = "".join(
        " " if char.isspace() else char
        for char in name
        if char.isspace() or unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")
    )
    return re.sub(" +", " ", visible).strip()[:MAX_NAME].strip()


def default_name(visitor: str) -> str:
    """What a visitor is called who gave no name."""
    return f"Visitor {visitor[1:5]}"


def translate(kind: str, payload: bytes) -> Sequence[Happening]:
    """What a stored event means. InvalidInput for what this version does not know."""
    try:
        match kind:
            case "said":
                return _said(Said.model_validate_json(payload))
            case "named":
                return _named(Named.model_validate_json(payload))
            case "shown":
                return (_shown(Shown.model_validate_json(payload)),)
            case _:
                raise InvalidInput("The chat page has no such event.")
    except ValidationError as exc:
        raise InvalidInput("The event of the chat page does not fit its kind.") from exc


def _said(event: Said) -> tuple[Happening, ...]:
    name = event.name or default_name(event.visitor)
    return (
        MessageSeen(
            chat=ChatSeen(event.visitor, "dm", name, "stranger"),
            native_id=message_id(event.client_id),
            sender=Sender(native_id=event.visitor, display_name=name),
            sent_at=from_ms(event.at_ms),
            direction="in",
            text=event.text,
            attachments=event.media,
        ),
    )


def _named(event: Named) -> tuple[Happening, ...]:
    name = event.name or default_name(event.visitor)
    return (
        ChatSeen(event.visitor, "dm", name, "stranger"),
        ContactSeen(event.visitor, name, "stranger"),
    )


def _shown(event: Shown) -> ReceiptSeen:
    return ReceiptSeen(event.visitor, event.native_ids, event.state, from_ms(event.at_ms))


def said(
    visitor: str, client_id: str, text: str, media: Sequence[Attachment], name: str, at: datetime
) -> Said:
    """The event of a message as a page sent it."""
    return Said(
        visitor=visitor,
        client_id=client_id,
        text=plain_text(text),
        media=tuple(media),
        name=plain_name(name),
        at_ms=to_ms(at),
    )


def named(visitor: str, name: str, at: datetime) -> Named:
    """The event of a new name; an empty one goes back to the default."""
    return Named(visitor=visitor, name=plain_name(name), at_ms=to_ms(at))


def shown(
    visitor: str, native_ids: Sequence[str], state: Literal["delivered", "read"], at: datetime
) -> Shown:
    """The event of messages a page displayed."""
    return Shown(
        visitor=visitor, native_ids=tuple(sorted(native_ids)), state=state, at_ms=to_ms(at)
    )
