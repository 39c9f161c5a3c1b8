"""What is to be sent, as arguments of Slack's methods. Pure: nothing leaves here."""

from collections.abc import Sequence

from messengers.models import Button, Card, Location
from messengers.providers.base import Part
from messengers.providers.slack.formatting import escape
from messengers.providers.slack.limits import MAX_BUTTONS_IN_BLOCK, MAX_SECTION
from messengers.providers.slack.wire import Json

__all__ = ["blocks_of", "file_name", "metadata_of", "text_of"]

EVENT = "messengers_message"


def text_of(part: Part) -> tuple[str, tuple[str, ...]]:
    """What a part says, and what to tell of it where Slack has no such thing."""
    if part.location is not None:
        return _place(part.location), ("Sent as a link to a map: Slack has no places.",)
    if part.contact is not None:
        return _card(part.contact), ("Sent as text: Slack has no contacts to share.",)
    return part.text, ()


def blocks_of(text: str, buttons: Sequence[Button]) -> Sequence[Json] | None:
    """The text with its buttons under it; without any the text stands by itself."""
    if not buttons:
        return None
    pieces = [text[at : at + MAX_SECTION] for at in range(0, len(text), MAX_SECTION)]
    elements = [_button(number, each) for number, each in enumerate(buttons)]
    rows = [
        elements[at : at + MAX_BUTTONS_IN_BLOCK]
        for at in range(0, len(elements), MAX_BUTTONS_IN_BLOCK)
    ]
    return [
        *({"type": "section", "text": {"type": "mrkdwn", "text": piece}} for piece in pieces),
        *({"type": "actions", "elements": row} for row in rows),
    ]


def metadata_of(key: str) -> Json:
    """By this a message is found again whose sending was not answered."""
    return {"event_type": EVENT, "event_payload": {"key": key}}


def file_name(name: str) -> str:
    """As people see it."""
    return "".join(char for char in name if char.isprintable()) or "file"


def _button(number: int, button: Button) -> Json:
    shown = {"type": "plain_text", "text": button.text, "emoji": True}
    pressed = {"type": "button", "action_id": f"{number}", "text": shown, "value": button.text}
    return {**pressed, "url": button.url} if button.url else pressed


def _place(place: Location) -> str:
    at = f"{place.latitude_deg:.6f},{place.longitude_deg:.6f}"
    latitude, _, longitude = at.partition(",")
    address = f"https://www.openstreetmap.org/?mlat={latitude}&amp;mlon={longitude}#map=16"
    return f"<{address}/{latitude}/{longitude}|{escape(place.title or at).replace('|', '¦')}>"


def _card(card: Card) -> str:
    return escape(f"{card.name}: {card.phone}")
