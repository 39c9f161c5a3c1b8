"""From what is to be sent to the frames that open pages get."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from messengers.models import Attachment
from messengers.providers.base import MediaBytes, Part
from messengers.providers.visitors import PageFrame

__all__ = ["message_frame", "native_id", "part_frame"]


def native_id(key: str) -> str:
    """Our message's id, derived from the key: a second call with it is the same message."""
    return "o" + hashlib.sha256(key.encode()).hexdigest()[:24]


def message_frame(
    native: str,
    *,
    mine: bool,
    text: str,
    at: datetime,
    media: Sequence[Attachment] = (),
    reply_to: str = "",
) -> PageFrame:
    """A message on a page; `mine` from the visitor's point of view."""
    return {
        "type": "message",
        "id": native,
        "mine": mine,
        "text": text,
        "at": at.isoformat(timespec="milliseconds"),
        "media": [file.model_dump(mode="json") for file in media],
        "reply_to": reply_to,
    }


def part_frame(part: Part, native: str, at: datetime) -> PageFrame:
    """Our own message on its way to the pages."""
    media = (_attachment(part.media),) if part.media else ()
    reply_to = part.reply_to.native_id if part.reply_to else ""
    return message_frame(native, mine=False, text=part.text, at=at, media=media, reply_to=reply_to)


def _attachment(file: MediaBytes) -> Attachment:
    return Attachment(
        kind=file.kind,
        media=file.media,
        mime=file.mime,
        name=file.name,
        size_bytes=len(file.data),
        width=file.width,
        height=file.height,
    )
