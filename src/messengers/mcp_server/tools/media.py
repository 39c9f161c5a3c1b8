"""Seeing, hearing and reading attachments."""

import base64
from typing import Annotated

from mcp.types import AudioContent, ImageContent
from pydantic import Field

from messengers.core.documents import Words
from messengers.core.media import MediaContent
from messengers.core.words import counted
from messengers.errors import MessengersError
from messengers.mcp_server.context import Asking, Ctx, asking
from messengers.mcp_server.results import CAP, header, untrusted
from messengers.mcp_server.text import Visible, cut
from messengers.mcp_server.tools import parameters as given
from messengers.models import Attachment, IdKind, decode_id

__all__ = ["get_media"]

_TEXT_CAP = CAP - 2_000
_AUDIO_MAX_BYTES = 3_500_000
"""Below the 5 MB that model APIs take, after base64."""
_PICTURES = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})


async def get_media(
    ctx: Ctx,
    message: Annotated[
        given.Text, Field(description="Message id, e.g. m3k9; a chat id: its own picture")
    ],
    index: Annotated[int, Field(description="Which attachment, from 0", ge=0)] = 0,
) -> list[str | ImageContent | AudioContent]:
    """See, hear or read an attachment: images and audio as they are, text, PDF, office as text.

    Of others you learn what they are and how to pass them on.
    """
    call = asking(ctx)
    if decode_id(IdKind.CHAT, message) is not None:
        portrait = await call.core.portraits.of(call.caller, message)
        return [f"The picture of {message}.", _image(portrait)]
    content = await call.core.media.content(call.caller, message, index)
    found, visible = content.attachment, Visible()
    spoken, unheard = await _spoken(call, message, index, content)
    told = "\n".join(part for part in (_told(found, spoken, visible), unheard) if part)
    if found.mime in _PICTURES:
        return [told, _image(content)]
    if found.mime.startswith("audio/") and len(content.data) <= _AUDIO_MAX_BYTES:
        audio = AudioContent(type="audio", data=_encoded(content), mime_type=found.mime)
        return [told, audio]
    words = await call.core.documents.words(content)
    if words is not None and words.text:
        return [_text(found, words, visible)]
    why = (words.note if words else "") or _unopened(found)
    passing_on = f'To pass it on: attachments=["{message}"].'
    return ["\n".join((told, why, passing_on))]


async def _spoken(call: Asking, message: str, index: int, content: MediaContent) -> tuple[str, str]:
    """The words of a recording, or why they could not be had."""
    detail = await call.core.history.get(call.caller, message)
    known = detail.message.attachments[index].transcript
    try:
        return known or await call.core.transcripts.of(message, index, content), ""
    except MessengersError as exc:
        return "", f"Its words could not be had: {exc}"


def _image(content: MediaContent) -> ImageContent:
    mime = content.attachment.mime
    return ImageContent(type="image", data=_encoded(content), mime_type=mime)


def _told(found: Attachment, transcript: str, visible: Visible) -> str:
    """What it is, and the words that came with it."""
    spoken = visible.text(transcript).split("\n") if transcript else []
    theirs = [f"  | {line}".rstrip() for line in [visible.line(found.name), *spoken] if line]
    top = header(found.kind, found.mime, _size(found), visible.report())
    return "\n".join((top, untrusted(theirs))) if theirs else top


def _size(found: Attachment) -> str:
    return "" if found.size_bytes is None else counted(found.size_bytes, "byte")


def _text(found: Attachment, words: Words, visible: Visible) -> str:
    text, left_out = cut(visible.text(words.text), _TEXT_CAP)
    lines = [f"  | {line}".rstrip() for line in text.split("\n")]
    note = f"… +{counted(left_out, 'character')}" if left_out else ""
    top = header(found.mime, _size(found), words.note, visible.report())
    shown = untrusted(lines, visible.line(found.name))
    return "\n".join(part for part in (top, shown, note) if part)


def _unopened(found: Attachment) -> str:
    """Why its content does not come along."""
    if found.mime == "application/zip":
        return "Archives are not opened here."
    return "Its content is not shown here."


def _encoded(content: MediaContent) -> str:
    return base64.b64encode(content.data).decode()
