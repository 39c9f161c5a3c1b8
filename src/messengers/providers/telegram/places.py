"""Where messages stand: chats, topics and business chats as native ids, and recipients as written.

A chat is its number; a topic `CHAT:TOPIC`, a topic of a channel's direct messages `CHAT:dTOPIC`, a
chat of a connected business account `business:CONNECTION:CHAT`. In basic groups messages have ids
of the bot's own count, in supergroups of the group's: `g12` and `12`, so that a group keeps its
messages apart when it becomes a supergroup.
"""

import re
from dataclasses import dataclass

from messengers.errors import InvalidInput, PlatformRefused

__all__ = ["Place", "message_native", "message_number", "parse_target"]

_SUPERGROUPS = -1_000_000_000_000
"""Supergroups and channels have ids below this, https://core.telegram.org/api/bots/ids."""
_NATIVE = re.compile(r"(?:business:([\w-]{1,128}):)?(-?\d{1,19})(?::(d?)(\d{1,19}))?", re.ASCII)
_WRITTEN = re.compile(r"(-\d{4,19}|\d{5,19})(:d?\d{1,19})?", re.ASCII)
_NAME = re.compile(
    r"(?:@|(?:https?://)?(?:t\.me|telegram\.me)/)([A-Za-z]\w{3,31})/?", re.ASCII | re.IGNORECASE
)
_PHONE = re.compile(r"\+[\d\s().-]{6,20}", re.ASCII)
_FOREIGN = re.compile(
    r".+@(?:s\.whatsapp\.net|c\.us|g\.us|lid|broadcast)|(?:slack|discord|whatsapp):.+|v[0-9a-f]{24}",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a message goes."""

    chat_id: int
    topic: int = 0
    """A topic of a forum, or of a private chat."""
    direct: int = 0
    """A topic of a channel's direct messages."""
    business: str = ""
    """The connection to the business account whose chat it is."""

    @classmethod
    def read(cls, native_id: str) -> "Place":
        """The place of a native chat id. Raises InvalidInput for what is none."""
        found = _NATIVE.fullmatch(native_id)
        if found is None:
            raise InvalidInput("That is no chat of Telegram.", "list_chats names them.")
        topic = int(found[4] or 0)
        return cls(
            chat_id=int(found[2]),
            topic=0 if found[3] else topic,
            direct=topic if found[3] else 0,
            business=found[1] or "",
        )

    @property
    def native_id(self) -> str:
        """The core's key of this chat."""
        chat = f"business:{self.business}:{self.chat_id}" if self.business else f"{self.chat_id}"
        topic = f":d{self.direct}" if self.direct else f":{self.topic}" if self.topic else ""
        return chat + topic

    @property
    def is_supergroup(self) -> bool:
        """Whether it is a supergroup or channel."""
        return self.chat_id <= _SUPERGROUPS


def message_native(chat_id: int, message_id: int) -> str:
    """The core's key of a message in its chat."""
    return f"g{message_id}" if _SUPERGROUPS < chat_id < 0 else f"{message_id}"


def message_number(place: Place, native_id: str) -> int:
    """Telegram's id of a message. Raises PlatformRefused for one that has no such id any more."""
    if native_id.startswith("g") and place.is_supergroup:
        raise PlatformRefused(
            "That message is from before the group became a supergroup.",
            "Telegram does not let bots reach those any more.",
        )
    number = native_id.removeprefix("g")
    if not number.isdecimal():
        raise PlatformRefused("That is no message of Telegram's own.", "Choose another.")
    return int(number)


def parse_target(text: str) -> str | None:
    """The native id, or `@name`, that a written recipient means; None when it means none.

    Raises InvalidInput for ids of other messengers and for phone numbers.
    """
    text = text.strip()
    if _WRITTEN.fullmatch(text) or (text.startswith("business:") and _NATIVE.fullmatch(text)):
        return Place.read(text).native_id
    found = _NAME.fullmatch(text)
    if found is not None:
        return f"@{found[1].lower()}"
    if _PHONE.fullmatch(text):
        raise InvalidInput(
            "A Telegram bot cannot write to phone numbers.",
            "The person must open the bot and press Start; then list_chats names the chat.",
        )
    if _FOREIGN.fullmatch(text):
        raise InvalidInput(
            "That is another messenger's chat id.",
            "A Telegram chat goes by its number or @name; list_chats names them.",
        )
    return None
