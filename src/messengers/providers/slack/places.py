"""Where messages stand: conversations as native ids, and recipients as people write them.

A direct message goes by the id of the person, `U…`; Slack's own id of it, `D…`, is another id of
the same chat. Every other conversation goes by its id, `C…` or `G…`. A message goes by its `ts`,
which is text: as a number it would lose its last digits.
"""

import re
from datetime import UTC, datetime
from decimal import Decimal

from messengers.errors import InvalidInput, PlatformRefused

__all__ = ["is_person", "parse_target", "time_of", "ts_of"]

_ID = re.compile(r"[CGDUW][A-Z0-9]{7,20}")
_NAME = re.compile(r"#([^\s#@/<>&,.:]{1,80})")
_HANDLE = re.compile(r"@([a-z0-9][a-z0-9._-]{0,79})", re.IGNORECASE)
_LINK = re.compile(
    r"https://[a-z0-9.-]+\.slack\.com/(?:archives|client/T[A-Z0-9]+)/([CGD][A-Z0-9]{7,20})/?\S*"
)
_MENTION = re.compile(r"<[@#]([CGDUW][A-Z0-9]{7,20})(?:\|[^<>]*)?>")
_PHONE = re.compile(r"\+[\d\s().-]{6,20}", re.ASCII)
_FOREIGN = re.compile(
    r".+@(?:s\.whatsapp\.net|c\.us|g\.us|lid|broadcast)|(?:tg|telegram|discord|whatsapp):.+"
    r"|-?\d{5,20}(?::d?\d+)?|v[0-9a-f]{24}|(?:https?://)?t\.me/.+",
    re.IGNORECASE,
)
_TS = re.compile(r"\d{1,12}\.\d{1,6}")


def parse_target(text: str) -> str | None:
    """The native id, `#name` or `@name` that a written recipient means; None when it means none.

    Raises InvalidInput for ids of other messengers and for phone numbers.
    """
    text = text.strip()
    if _ID.fullmatch(text):
        return text
    for shape in (_LINK, _MENTION):
        found = shape.fullmatch(text)
        if found is not None:
            return found[1]
    named = _NAME.fullmatch(text)
    if named is not None:
        return f"#{named[1].lower()}"
    handle = _HANDLE.fullmatch(text)
    if handle is not None:
        return f"@{handle[1].lower()}"
    if _PHONE.fullmatch(text):
        raise InvalidInput("Slack knows no phone numbers.", "Name the person: @name.")
    if _FOREIGN.fullmatch(text):
        raise InvalidInput(
            "That is another messenger's chat id.",
            "A Slack chat goes by #channel, @name or its id, e.g. C0123ABCD.",
        )
    return None


def is_person(native_id: str) -> bool:
    """Whether a chat is the direct message with one person."""
    return native_id.startswith(("U", "W"))


def ts_of(native_id: str) -> str:
    """Slack's id of a message. Raises PlatformRefused for one that has none."""
    if not _TS.fullmatch(native_id):
        raise PlatformRefused("That is no message of Slack's own.", "Choose another.")
    return native_id


def time_of(ts: str) -> datetime:
    """When a message was written. Raises ValueError for what is no ts."""
    if not _TS.fullmatch(ts):
        raise ValueError("no ts")
    return datetime.fromtimestamp(float(Decimal(ts)), UTC)
