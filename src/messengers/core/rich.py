"""What is neither text nor a file: a place, a contact, a poll, a sticker, buttons.

Checked, and in words.
"""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from messengers.core.drafts import PartPlan
from messengers.core.names import fold_phone
from messengers.errors import InvalidInput, Unsupported
from messengers.models import Button, Card, Draft, Location, Poll
from messengers.providers.capabilities import Capabilities, Level

__all__ = ["Rich", "buttons_of", "rich_of", "words"]

_MAX_LINE = 100
"""Of a title, a name or an option."""
_MAX_QUESTION = 255
_MAX_BUTTON = 64
_PAGE = re.compile(r"https?://[^\s/?#]+[^\s]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Rich:
    """The one such thing in a draft."""

    verb: str
    fits: Callable[[Capabilities], bool]
    """Whether a messenger has it at all."""
    plan: PartPlan | None = None
    """None for a sticker, which leaves as a file."""

    def require(self, capabilities: Capabilities, provider: str) -> None:
        """Raises Unsupported, or InvalidInput for more than this messenger takes."""
        if not self.fits(capabilities):
            raise Unsupported(f"{provider} cannot {self.verb}.", "Say it with send_message.")
        poll = self.plan.poll if self.plan else None
        if poll and len(poll.options) > capabilities.max_poll_options:
            raise InvalidInput(
                f"A poll has at most {capabilities.max_poll_options} options.", "Leave some out."
            )


def rich_of(draft: Draft) -> Rich | None:
    """What of this kind the draft holds, in the form that leaves.

    Raises InvalidInput for what does not fit, and for more than one content in one draft.
    """
    given = [each for each in (draft.location, draft.contact, draft.poll, draft.sticker) if each]
    if not given:
        return None
    if len(given) > 1 or draft.text or draft.attachments:
        raise InvalidInput("That is more than one content.", "Send each by itself.")
    if draft.sticker:
        return Rich("send stickers", lambda able: "sticker" in able.media)
    plan = PartPlan(
        location=_location(draft.location) if draft.location else None,
        contact=_card(draft.contact) if draft.contact else None,
        poll=_poll(draft.poll) if draft.poll else None,
    )
    said = [words(each) for each in (plan.location, plan.contact, plan.poll) if each]
    plan = plan.model_copy(update={"source": said[0]})
    if plan.poll:
        return Rich("send polls", lambda able: able.max_poll_options > 0, plan)
    verb = "send locations" if plan.location else "send contacts"
    return Rich(verb, lambda able: able.rich is not Level.REJECT, plan)


def buttons_of(draft: Draft, capabilities: Capabilities, provider: str) -> tuple[Button, ...]:
    """The buttons under a text. Raises Unsupported, or InvalidInput for what does not fit."""
    if not draft.buttons:
        return ()
    if not capabilities.max_buttons:
        raise Unsupported(f"{provider} has no buttons.", "Say the choices with send_message.")
    if len(draft.buttons) > capabilities.max_buttons:
        raise InvalidInput(f"At most {capabilities.max_buttons} buttons.", "Leave some out.")
    found = tuple(_button(each, keyboard=draft.keyboard) for each in draft.buttons)
    if len({each.text for each in found}) < len(found):
        raise InvalidInput("Two buttons are the same.", "Leave one out.")
    return found


def _button(given: Button, *, keyboard: bool) -> Button:
    text = _line(given.text, "Each button", most=_MAX_BUTTON)
    if given.url and keyboard:
        raise InvalidInput("A keyboard's buttons open no pages.", "Leave the addresses out.")
    if given.url and not _PAGE.fullmatch(given.url):
        raise InvalidInput("A button opens http and https addresses only.", "Give a whole one.")
    return Button(text=text, url=given.url)


def words(content: Location | Card | Poll) -> str:
    """As the transcript, the search and the owner's question have it."""
    match content:
        case Location():
            place = f"Location {_deg(content.latitude_deg)}, {_deg(content.longitude_deg)}"
            return f"{place} ({content.title})" if content.title else place
        case Card():
            return f"Contact {content.name}, {content.phone}"
        case Poll():
            several = " (several may be chosen)" if content.multiple else ""
            options = [f"- {each}" for each in content.options]
            return "\n".join((f"Poll: {content.question}{several}", *options))


def _deg(value: float) -> str:
    """To a tenth of a metre."""
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _location(given: Location) -> Location:
    for name, value, limit in (
        ("latitude_deg", given.latitude_deg, 90),
        ("longitude_deg", given.longitude_deg, 180),
    ):
        if not math.isfinite(value) or abs(value) > limit:
            raise InvalidInput(f"{name} must be from -{limit} to {limit}.", "Give it in degrees.")
    return given.model_copy(update={"title": _line(given.title, "title", least=0)})


def _card(given: Card) -> Card:
    phone = fold_phone(given.phone)
    if not phone:
        raise InvalidInput("phone is no phone number.", "Write it with + and its country code.")
    return Card(name=_line(given.name, "name"), phone=phone)


def _poll(given: Poll) -> Poll:
    options = tuple(_line(each, "Each option") for each in given.options)
    if len(options) < 2:
        raise InvalidInput("A poll has at least 2 options.", "Give more.")
    if len({each.casefold() for each in options}) < len(options):
        raise InvalidInput("Two options are the same.", "Leave one out.")
    question = _line(given.question, "question", most=_MAX_QUESTION)
    return given.model_copy(update={"question": question, "options": options, "votes": ()})


def _line(text: str, name: str, *, least: int = 1, most: int = _MAX_LINE) -> str:
    line = " ".join(text.split())
    if not least <= len(line) <= most:
        raise InvalidInput(f"{name} must have {least} to {most} characters.", "Choose another.")
    return line
