"""Public ids: short, readable aloud, with a prefix that says what they name."""

from enum import StrEnum

from messengers.errors import InvalidInput

__all__ = ["IdKind", "decode_id", "encode_id", "require_id"]

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
"""Crockford's base32 in lower case: no i, l, o, u, so an id survives being read aloud."""
_DIGITS = {char: value for value, char in enumerate(_ALPHABET)}
_MAX_KEY = 2**63 - 1


class IdKind(StrEnum):
    """The prefix of an id says what it names."""

    CHAT = "c"
    MESSAGE = "m"
    EVENT = "e"
    APPROVAL = "a"
    MEDIA = "f"
    KEY = "k"
    CONTACT = "p"
    WEBHOOK = "w"
    DELIVERY = "d"
    DEAD_LETTER = "x"
    BATCH = "b"
    RULE = "r"


def encode_id(kind: IdKind, key: int) -> str:
    """The public form of a row's key, e.g. `c1f`. Keys are positive and never reused."""
    digits = ""
    while key:
        key, rest = divmod(key, 32)
        digits = _ALPHABET[rest] + digits
    return kind + (digits or "0")


def decode_id(kind: IdKind, text: str) -> int | None:
    """The key behind an id, or None when the text is no canonical id of that kind."""
    digits = text[1:]
    if text[:1] != kind or not 1 <= len(digits) <= 13 or (digits[0] == "0"):
        return None
    key = 0
    for char in digits:
        if char not in _DIGITS:
            return None
        key = key * 32 + _DIGITS[char]
    return key if key <= _MAX_KEY else None


def require_id(kind: IdKind, text: str, what: str) -> int:
    """`decode_id` that raises InvalidInput naming `what` and the form."""
    key = decode_id(kind, text)
    if key is None:
        raise InvalidInput(
            f"{what} is no {what} id.", f"An id looks like {kind}3k9; take it from an answer."
        )
    return key
