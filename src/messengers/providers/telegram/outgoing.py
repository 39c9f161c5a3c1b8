"""What is to be sent, as Telegram's methods. Pure: nothing leaves here.

Every text is HTML of our own renderer, with its links unseen by Telegram's page fetcher unless the
owner allowed previews.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from aiogram.methods import (
    DeleteBusinessMessages,
    DeleteMessage,
    DeleteMessages,
    EditMessageCaption,
    EditMessageText,
    PinChatMessage,
    SendChatAction,
    SendContact,
    SendLocation,
    SendMessage,
    SendPoll,
    SendVenue,
    SetMessageReaction,
    TelegramMethod,
    UnpinChatMessage,
)
from aiogram.types import (
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputPollOption,
    KeyboardButton,
    LinkPreviewOptions,
    ReactionTypeEmoji,
    ReplyKeyboardMarkup,
    ReplyParameters,
)

from messengers.errors import InvalidInput, Unsupported
from messengers.models import Card, Location, Poll
from messengers.providers.base import Part
from messengers.providers.telegram import uploads
from messengers.providers.telegram.formatting import units
from messengers.providers.telegram.limits import MAX_CAPTION, REACTIONS
from messengers.providers.telegram.places import Place

__all__ = [
    "as_document",
    "deletion",
    "edit_of_caption",
    "edit_of_text",
    "method_of",
    "pinning",
    "reaction",
    "typing_in",
]

_HTML = "HTML"
_MAX_DATA = 64
"""Bytes of InlineKeyboardButton.callback_data."""
_SHORT_BUTTON, _SIDE_BY_SIDE = 12, 3
_Pressed = TypeVar("_Pressed")


def method_of(
    place: Place, part: Part, *, previews: bool, reply_to: int = 0
) -> TelegramMethod[Any]:
    """The call that sends a part."""
    common = _common(place, part, reply_to)
    if part.location is not None:
        return _location(part.location, common)
    if part.contact is not None:
        return _contact(part.contact, common)
    if part.poll is not None:
        return _poll(part.poll, common)
    if part.media is not None:
        return uploads.upload((part.media, *part.more), part.text, common)
    return SendMessage(
        text=part.text, parse_mode=_HTML, link_preview_options=_previews(previews), **common
    )


def as_document(place: Place, part: Part, *, reply_to: int = 0) -> TelegramMethod[Any]:
    """Its files as they are, whatever they show."""
    if part.media is None:
        raise TypeError("a part without a file")
    common = _common(place, part, reply_to)
    return uploads.as_documents((part.media, *part.more), part.text, common)


def edit_of_text(place: Place, message: int, text: str, *, previews: bool) -> TelegramMethod[Any]:
    """Another text for a message of text."""
    return EditMessageText(
        text=text,
        chat_id=place.chat_id,
        message_id=message,
        business_connection_id=place.business or None,
        parse_mode=_HTML,
        link_preview_options=_previews(previews),
    )


def edit_of_caption(place: Place, message: int, text: str) -> TelegramMethod[Any]:
    """Another text under a file."""
    if units(text) > MAX_CAPTION:
        raise InvalidInput(f"A caption has at most {MAX_CAPTION:,} characters.", "Shorten it.")
    return EditMessageCaption(
        caption=text,
        chat_id=place.chat_id,
        message_id=message,
        business_connection_id=place.business or None,
        parse_mode=_HTML,
    )


def deletion(place: Place, messages: list[int]) -> TelegramMethod[Any]:
    """Removes a message, or those of an album, for everyone."""
    if place.business:
        return DeleteBusinessMessages(business_connection_id=place.business, message_ids=messages)
    if len(messages) > 1:
        return DeleteMessages(chat_id=place.chat_id, message_ids=messages)
    return DeleteMessage(chat_id=place.chat_id, message_id=messages[0])


def pinning(place: Place, message: int, *, pinned: bool) -> TelegramMethod[Any]:
    """To the top of its chat without a sound, or down again."""
    common: dict[str, Any] = {"chat_id": place.chat_id, "message_id": message}
    if place.business:
        common["business_connection_id"] = place.business
    if pinned:
        return PinChatMessage(disable_notification=True, **common)
    return UnpinChatMessage(**common)


def reaction(place: Place, message: int, emoji: str) -> TelegramMethod[Any]:
    """Sets or takes away the bot's one reaction."""
    if place.business:
        raise Unsupported("A bot cannot react for a business account.", "Answer with a message.")
    # Telegram writes its emojis without the mark that asks for colour.
    known = emoji.replace("\ufe0f", "")
    if known and known not in REACTIONS:
        raise Unsupported(
            "Telegram has no such reaction.",
            "It has 👍 👎 ❤ 🔥 🎉 🙏 👌 👏 😁 😢 🤔 👀 and others.",
        )
    given = [ReactionTypeEmoji(emoji=known)] if known else []
    return SetMessageReaction(chat_id=place.chat_id, message_id=message, reaction=[*given])


def typing_in(place: Place) -> TelegramMethod[Any]:
    """Shows for five seconds that an answer is being written."""
    return SendChatAction(
        action="typing",
        chat_id=place.chat_id,
        message_thread_id=place.topic or None,
        business_connection_id=place.business or None,
    )


def _common(place: Place, part: Part, reply_to: int) -> dict[str, Any]:
    common: dict[str, Any] = {"chat_id": place.chat_id}
    if place.topic:
        common["message_thread_id"] = place.topic
    if place.direct:
        common["direct_messages_topic_id"] = place.direct
    if place.business:
        common["business_connection_id"] = place.business
    if part.silent:
        common["disable_notification"] = True
    if reply_to:
        # What was answered may be gone by now: the answer still counts.
        common["reply_parameters"] = ReplyParameters(
            message_id=reply_to, allow_sending_without_reply=True
        )
    if part.buttons:
        common["reply_markup"] = _keyboard(part) if part.keyboard else _under(part)
    return common


def _under(part: Part) -> InlineKeyboardMarkup:
    """Buttons under the message. Each carries what it says, also where Telegram forgot the rest."""
    buttons = [
        InlineKeyboardButton(text=each.text, url=each.url)
        if each.url
        else InlineKeyboardButton(text=each.text, callback_data=_data(number, each.text))
        for number, each in enumerate(part.buttons)
    ]
    return InlineKeyboardMarkup(inline_keyboard=_rows(buttons, part))


def _keyboard(part: Part) -> ReplyKeyboardMarkup:
    """Buttons in place of the keyboard, until one is pressed."""
    buttons = [KeyboardButton(text=each.text) for each in part.buttons]
    rows = _rows(buttons, part)
    return ReplyKeyboardMarkup(keyboard=rows, resize_keyboard=True, one_time_keyboard=True)


def _rows(buttons: Sequence[_Pressed], part: Part) -> list[list[_Pressed]]:
    """Short ones stand side by side."""
    short = all(len(each.text) <= _SHORT_BUTTON for each in part.buttons)
    width = _SIDE_BY_SIDE if short else 1
    return [[*buttons[start : start + width]] for start in range(0, len(buttons), width)]


def _data(number: int, text: str) -> str:
    """Of 64 bytes; the number tells apart what begins the same."""
    return f"{number}:{text}".encode()[:_MAX_DATA].decode(errors="ignore")


def _previews(allowed: bool) -> LinkPreviewOptions:
    return LinkPreviewOptions(is_disabled=not allowed)


def _location(place: Location, common: dict[str, Any]) -> TelegramMethod[Any]:
    point = {"latitude": place.latitude_deg, "longitude": place.longitude_deg}
    if not place.title:
        return SendLocation(**point, **common)
    title, _, address = place.title.partition(", ")
    # A venue has an address; where there is none the point itself says where it is.
    address = address or f"{place.latitude_deg:.5f}, {place.longitude_deg:.5f}"
    return SendVenue(title=title, address=address, **point, **common)


def _contact(card: Card, common: dict[str, Any]) -> TelegramMethod[Any]:
    return SendContact(phone_number=card.phone, first_name=card.name, **common)


def _poll(poll: Poll, common: dict[str, Any]) -> TelegramMethod[Any]:
    """Voters are shown, as that is how a bot learns of votes; a channel has no such polls."""
    return SendPoll(
        question=poll.question,
        options=[InputPollOption(text=option) for option in poll.options],
        is_anonymous=False,
        allows_multiple_answers=poll.multiple,
        **common,
    )
