"""What a model may see of text that strangers wrote: nothing invisible, no line it could forge.

The store keeps every character; here the ones nobody can see are taken out and counted, because a
whole command fits into them (Unicode's tag block mirrors ASCII).
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Visible", "cut", "is_hidden"]

_NEWLINES = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")
_ZWJ = "\u200d"
_STYLE = "\ufe0f"
"""Emoji presentation: part of ❤️ and the like."""
_BLANK = re.compile(
    # Letters, marks and symbols by category, and yet nothing is drawn for them.
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
    # Variation selectors: 256 of them, enough to hide bytes behind a single emoji.
    "\ufe00-\ufe0f\U000e0100-\U000e01ef]"
)


@lru_cache(maxsize=4096)
def is_hidden(char: str) -> bool:
    """Whether nothing is seen of a character.

    Controls, formats (bidi, zero width, tags), surrogates, private use, unassigned, selectors,
    blank letters.
    """
    if _BLANK.match(char):
        return True
    return char != "\n" and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn"}


def _is_visible(line: str) -> bool:
    """A quick yes for most lines: what Python does not print are the categories of `is_hidden`."""
    return line.isprintable() and not _BLANK.search(line)


def _draws_emoji(char: str) -> bool:
    return unicodedata.category(char) in {"So", "Sk"} or char == _STYLE


def _belongs_to_emoji(text: str, at: int) -> bool:
    """Whether a joiner between two emoji, or a selector after one, makes it what it is."""
    before = text[at - 1] if at else ""
    after = text[at + 1] if at + 1 < len(text) else ""
    if text[at] == _ZWJ:
        return bool(before and after) and _draws_emoji(before) and _draws_emoji(after)
    keycap = after == "\u20e3"
    return text[at] == _STYLE and bool(before) and (unicodedata.category(before) == "So" or keycap)


def cut(text: str, limit: int) -> tuple[str, int]:
    """At most `limit` characters, and how many were left out."""
    return (text, 0) if len(text) <= limit else (text[:limit], len(text) - limit)


@dataclass
class Visible:
    """Cleans text and keeps count of what it took out."""

    hidden: int = 0

    def text(self, raw: str) -> str:
        """Several lines, divided by line feeds only; tabs are spaces."""
        if _is_visible(raw):
            return raw
        plain = _NEWLINES.sub("\n", raw).replace("\t", " ")
        if _is_visible(plain.replace("\n", "")):
            return plain
        kept = [
            char
            for at, char in enumerate(plain)
            if not is_hidden(char) or _belongs_to_emoji(plain, at)
        ]
        self.hidden += len(plain) - len(kept)
        return "".join(kept)

    def line(self, raw: str, limit: int = 80) -> str:
        """One line: names, titles, file names."""
        kept, left_out = cut(" ".join(self.text(raw).split()), limit)
        return kept.rstrip() + "…" if left_out else kept

    def report(self) -> str:
        """For the header of an answer; empty when nothing was hidden."""
        return f"hidden_chars: {self.hidden}" if self.hidden else ""
