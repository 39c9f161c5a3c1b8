"""What is to be sent, as discord.py writes it. Pure: nothing leaves here.

Nobody is notified by a text, whatever stands in it, and links show no preview unless the owner
allowed that.
"""

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from discord import AllowedMentions, File, MessageFlags, Poll
from discord.http import MultipartParameters, handle_message_parameters
from discord.ui import Button, View
from discord.utils import MISSING

from messengers.errors import InvalidInput, Unsupported
from messengers.models import Card, Location
from messengers.models import Poll as OurPoll
from messengers.providers.base import MediaBytes, Part
from messengers.providers.discord.limits import (
    MAX_ANSWER,
    MAX_FILES,
    MAX_LABEL,
    MAX_NAME,
    MAX_QUESTION,
    MAX_REQUEST_BYTES,
)

__all__ = ["edit_of", "gathered", "message_of", "notes_of", "post_of"]

_POLL = timedelta(days=1)
_MAX_ID = 100
_MAP = "https://www.openstreetmap.org/?mlat={0:.6f}&mlon={1:.6f}#map=16/{0:.6f}/{1:.6f}"
_ROW = 5


def message_of(
    part: Part, nonce: str, *, previews: bool, channel: str = "", reply_to: str = ""
) -> MultipartParameters:
    """The form of a message. The same nonce is the same message, for some minutes."""
    reference: Any = MISSING
    if reply_to:
        # What was answered may be gone by now: the answer still counts.
        reference = {
            "message_id": reply_to,
            "channel_id": channel,
            "fail_if_not_exists": False,
        }
    return handle_message_parameters(
        **_content(part),
        nonce=nonce,
        flags=_flags(part, previews=previews),
        allowed_mentions=AllowedMentions.none(),
        message_reference=reference,
        poll=_poll(part.poll) if part.poll else MISSING,
    )


def post_of(part: Part, *, previews: bool) -> MultipartParameters:
    """The form of a new post in a forum, named by its first line."""
    if part.poll:
        raise Unsupported("A post in a forum begins with no poll.", "Make the post first.")
    title = next((line.strip() for line in part.text.splitlines() if line.strip()), "")
    title = title or (part.media.name if part.media else "") or "Post"
    return handle_message_parameters(
        **_content(part),
        flags=_flags(part, previews=previews),
        allowed_mentions=AllowedMentions.none(),
        channel_payload={"name": title.lstrip("#> ")[:MAX_NAME] or "Post"},
    )


def gathered(files: Sequence[MediaBytes]) -> list[list[MediaBytes]]:
    """The files of each message: as many as one takes, together no larger than a request is."""
    found: list[list[MediaBytes]] = []
    size = 0
    for file in files:
        size += len(file.data)
        if not found or len(found[-1]) == MAX_FILES or size > MAX_REQUEST_BYTES:
            found.append([])
            size = len(file.data)
        found[-1].append(file)
    return found


def edit_of(text: str, *, previews: bool) -> MultipartParameters:
    """Another text for a message."""
    return handle_message_parameters(
        text,
        flags=MessageFlags(suppress_embeds=not previews),
        allowed_mentions=AllowedMentions.none(),
    )


def notes_of(part: Part) -> tuple[str, ...]:
    """What leaves otherwise than it was asked for."""
    if part.location is not None:
        return ("Sent as a link to a map: Discord has no places.",)
    if part.contact is not None:
        return ("Sent as text: Discord has no contact cards.",)
    if part.keyboard:
        return ("Sent with buttons under the message: Discord has no keyboards.",)
    return ()


def _content(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {}
    text = _text(part)
    if text:
        found["content"] = text
    if part.media is not None:
        found["files"] = [_file(each) for each in (part.media, *part.more)]
    if part.buttons:
        found["view"] = _buttons(part)
    return found


def _text(part: Part) -> str:
    if part.location is not None:
        return _location(part.location)
    if part.contact is not None:
        return _contact(part.contact)
    return part.text


def _flags(part: Part, *, previews: bool) -> MessageFlags:
    return MessageFlags(suppress_embeds=not previews, suppress_notifications=part.silent)


def _location(place: Location) -> str:
    link = _MAP.format(place.latitude_deg, place.longitude_deg)
    return f"{place.title}\n{link}" if place.title else link


def _contact(card: Card) -> str:
    return f"{card.name}: {card.phone}"


def _file(file: MediaBytes) -> File:
    name = "".join(char for char in file.name if char.isprintable() and char not in "/\\")
    return File(io.BytesIO(file.data), filename=name or "file")


def _buttons(part: Part) -> View:
    """Each carries what it says: where Discord forgot the rest, a press still tells it."""
    view = View(timeout=None)
    for number, each in enumerate(part.buttons):
        if len(each.text) > MAX_LABEL:
            raise InvalidInput(f"A button has at most {MAX_LABEL} characters.", "Shorten it.")
        row = number // _ROW
        if each.url:
            view.add_item(Button[View](label=each.text, url=each.url, row=row))
        else:
            custom_id = f"{number}:{each.text}"[:_MAX_ID]
            view.add_item(Button[View](label=each.text, custom_id=custom_id, row=row))
    return view


def _poll(poll: OurPoll) -> Poll:
    """For a day: Discord ends every poll."""
    if len(poll.question) > MAX_QUESTION:
        raise InvalidInput(f"A question has at most {MAX_QUESTION} characters.", "Shorten it.")
    if any(len(option) > MAX_ANSWER for option in poll.options):
        raise InvalidInput(f"An option has at most {MAX_ANSWER} characters.", "Shorten it.")
    made = Poll(question=poll.question, duration=_POLL, multiple=poll.multiple)
    for option in poll.options:
        made.add_answer(text=option)
    return made
