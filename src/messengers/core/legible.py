"""Which characters nobody can see, and a text in which every one of them is written out.

What the owner agrees to must be what he read, so his terminal and his page show everything. A
whole command fits into what is invisible: Unicode's tag block mirrors ASCII.
"""

import re
import unicodedata
from functools import lru_cache

__all__ = ["BLANK", "belongs_to_emoji", "hidden_in", "is_hidden", "written_out"]

_STYLE = "\ufe0f"
"""Emoji presentation: part of ❤️ and the like."""
_ZWJ = "\u200d"
BLANK = re.compile(
    # Letters, marks and symbols by category, and yet nothing is drawn for them.
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    # Variation selectors: 256 of them, enough to hide bytes behind a single emoji.
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)
"""Printable as far as Python knows, and yet nothing is seen."""
_CONTROLS = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_BREAKS = frozenset("\u2028\u2029")
"""Lines to some, nothing to others."""


@lru_cache(maxsize=4096)
def is_hidden(char: str) -> bool:
    """Whether nothing is seen of a character.

    Controls, formats (bidi, zero width, tags), surrogates, private use, unassigned, selectors,
    blank letters.
    """
    if BLANK.match(char):
        return True
    return char != "\n" and unicodedata.category(char) in _CONTROLS


def belongs_to_emoji(text: str, at: int) -> bool:
    """Whether a joiner between two emoji, or a selector after one, makes it what it is."""
    before = text[at - 1] if at else ""
    after = text[at + 1] if at + 1 < len(text) else ""
    if text[at] == _ZWJ:
        return bool(before and after) and _draws_emoji(before) and _draws_emoji(after)
    keycap = after == "\u20e3"
    return text[at] == _STYLE and bool(before) and (unicodedata.category(before) == "So" or keycap)


def written_out(text: str) -> str:
    """The text with each character that cannot be seen, or drives a terminal, as its number."""
    if text.isprintable() and not BLANK.search(text):
        return text
    return "".join(
        f"\\u{{{ord(char):x}}}" if _is_unseen(text, at) else char for at, char in enumerate(text)
    )


def hidden_in(text: str) -> int:
    """How many characters of a text nobody would see."""
    return sum(_is_unseen(text, at) for at in range(len(text)))


def _is_unseen(text: str, at: int) -> bool:
    char = text[at]
    if char in _BREAKS:
        return True
    return char != "\t" and is_hidden(char) and not belongs_to_emoji(text, at)


def _draws_emoji(char: str) -> bool:
    return unicodedata.category(char) in {"So", "Sk"} or char == _STYLE
