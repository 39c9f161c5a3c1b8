"""What is more than text and files, and where a chat stands in the account's own list."""

from typing import Annotated, Literal

from mcp.server.mcpserver import Resolve
from pydantic import Field

from messengers.core.acts import Act
from messengers.errors import InvalidInput
from messengers.mcp_server.confirmation import Consent, asked, settle
from messengers.mcp_server.context import Ctx, asking
from messengers.mcp_server.results import DoneResult, GroupResult, SentResult
from messengers.mcp_server.tools import parameters as given
from messengers.mcp_server.tools.sending import said
from messengers.models import Button, Card, Draft, Location, Poll
from messengers.providers.arrangement import Arrangement

__all__ = [
    "arrange_chat",
    "pin_message",
    "send_buttons",
    "send_contact",
    "send_location",
    "send_poll",
    "send_sticker",
]

YesNo = Literal["", "yes", "no"]
_YES = {"": None, "yes": True, "no": False}


async def _prepared(ctx: Ctx, chat: str, draft: Draft, instance: str, client_ref: str) -> Act:
    call = asking(ctx)
    return await call.core.sending.prepare(call.caller, chat, draft, instance, client_ref)


async def _location(
    ctx: Ctx,
    chat: str,
    latitude_deg: float,
    longitude_deg: float,
    title: str,
    instance: str,
    client_ref: str,
) -> Act:
    place = Location(latitude_deg=latitude_deg, longitude_deg=longitude_deg, title=title)
    return await _prepared(ctx, chat, Draft(location=place), instance, client_ref)


async def send_location(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_location)],
    consent: Annotated[Consent, asked(_location)],
    chat: given.Chat,
    latitude_deg: Annotated[float, Field(description="North is positive")],
    longitude_deg: Annotated[float, Field(description="East is positive")],
    title: Annotated[given.Text, Field(description="What is there")] = "",
    instance: given.InstanceOf = "",
    client_ref: given.ClientRef = "",
) -> SentResult:
    """Send a place on the map. Outcomes: see send_message."""
    return said(await settle(ctx, act, consent))


async def _contact(
    ctx: Ctx, chat: str, name: str, phone: str, instance: str, client_ref: str
) -> Act:
    return await _prepared(
        ctx, chat, Draft(contact=Card(name=name, phone=phone)), instance, client_ref
    )


async def send_contact(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_contact)],
    consent: Annotated[Consent, asked(_contact)],
    chat: given.Chat,
    name: Annotated[given.Text, Field(description="Whose number it is")],
    phone: Annotated[given.Text, Field(description="With + and country code")],
    instance: given.InstanceOf = "",
    client_ref: given.ClientRef = "",
) -> SentResult:
    """Send somebody's name and number as a contact card. Outcomes: see send_message."""
    return said(await settle(ctx, act, consent))


async def _poll(
    ctx: Ctx,
    chat: str,
    question: str,
    options: tuple[str, ...],
    multiple: bool,
    instance: str,
    client_ref: str,
) -> Act:
    poll = Poll(question=question, options=options, multiple=multiple)
    return await _prepared(ctx, chat, Draft(poll=poll), instance, client_ref)


async def send_poll(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_poll)],
    consent: Annotated[Consent, asked(_poll)],
    chat: given.Chat,
    question: Annotated[given.Text, Field(description="One line")],
    options: Annotated[tuple[given.Text, ...], Field(description="At least 2, all different")],
    multiple: Annotated[bool, Field(description="Several may be chosen")] = False,
    instance: given.InstanceOf = "",
    client_ref: given.ClientRef = "",
) -> SentResult:
    """Send a question to vote on. Outcomes: see send_message."""
    return said(await settle(ctx, act, consent))


async def _buttons(
    ctx: Ctx,
    chat: str,
    text: str,
    buttons: tuple[str, ...],
    keyboard: bool,
    instance: str,
    client_ref: str,
) -> Act:
    if not buttons:
        raise InvalidInput("There is nothing to press.", "Give buttons, or use send_message.")
    draft = Draft(text=text, buttons=tuple(map(_button, buttons)), keyboard=keyboard)
    return await _prepared(ctx, chat, draft, instance, client_ref)


def _button(given: str) -> Button:
    text, _, address = given.rpartition(" ")
    return Button(text=text, url=address) if "://" in address else Button(text=given)


async def send_buttons(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_buttons)],
    consent: Annotated[Consent, asked(_buttons)],
    chat: given.Chat,
    text: Annotated[given.Text, Field(description="Markdown, above the buttons")],
    buttons: Annotated[
        tuple[given.Text, ...], Field(description='What each says; "Menu https://…" opens a page')
    ],
    keyboard: Annotated[bool, Field(description="In place of the keyboard")] = False,
    instance: given.InstanceOf = "",
    client_ref: given.ClientRef = "",
) -> SentResult:
    """Send a text with buttons; a press arrives as a message. Outcomes: see send_message."""
    return said(await settle(ctx, act, consent))


async def _sticker(ctx: Ctx, chat: str, sticker: str, instance: str, client_ref: str) -> Act:
    return await _prepared(ctx, chat, Draft(sticker=sticker), instance, client_ref)


async def send_sticker(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_sticker)],
    consent: Annotated[Consent, asked(_sticker)],
    chat: given.Chat,
    sticker: Annotated[
        given.Text, Field(description="Message id whose file to send, or a file path")
    ],
    instance: given.InstanceOf = "",
    client_ref: given.ClientRef = "",
) -> SentResult:
    """Send a picture as a sticker, where its format allows that. Outcomes: see send_message."""
    return said(await settle(ctx, act, consent))


async def _arrange(
    ctx: Ctx, chat: str, archived: YesNo, pinned: YesNo, mute: str, blocked: YesNo
) -> Act:
    call = asking(ctx)
    word = mute.strip().lower()
    wanted = Arrangement(
        archived=_YES[archived],
        pinned=_YES[pinned],
        muted=word != "off" if word else None,
        muted_until=None if word in {"", "off", "always"} else call.zone.ahead(word, "mute"),
    )
    return await call.core.arrangements.prepare(call.caller, chat, wanted, _YES[blocked])


async def arrange_chat(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_arrange)],
    consent: Annotated[Consent, asked(_arrange)],
    chat: given.Chat,
    archived: Annotated[YesNo, Field(description="Empty: as it is")] = "",
    pinned: Annotated[YesNo, Field(description="Empty: as it is")] = "",
    mute: Annotated[given.Text, Field(description="8h, 1w, ISO, always or off")] = "",
    blocked: Annotated[YesNo, Field(description="Whether its person may not write")] = "",
) -> GroupResult:
    """Archive, pin or mute a chat in the account's own list, or block its person."""
    return said(await settle(ctx, act, consent))


async def _pin(ctx: Ctx, message: str, pinned: bool) -> Act:
    call = asking(ctx)
    return await call.core.changes.prepare_pin(call.caller, message, pinned=pinned)


async def pin_message(
    ctx: Ctx,
    act: Annotated[Act, Resolve(_pin)],
    consent: Annotated[Consent, asked(_pin)],
    message: given.MessageId,
    pinned: Annotated[bool, Field(description="false: take it down")] = True,
) -> DoneResult:
    """Keep a message at the top of its chat for everyone there."""
    return said(await settle(ctx, act, consent))
