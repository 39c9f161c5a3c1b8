"""What a model may see of text that strangers wrote: nothing invisible, no line it could forge.

The store keeps every character; here the ones nobody can see are taken out and counted, because a
whole command fits into them (Unicode's tag block mirrors ASCII).
"""

import re
from dataclasses import dataclass

from messengers.core.legible import BLANK, belongs_to_emoji, is_hidden

__all__ = ["Visible", "cut"]

_NEWLINES = re.compile("\r\n|[\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029]")


def _is_visible(line: str) -> bool:
    """A quick yes for most lines: what Python does not print are the categories of `is_hidden`."""
    return line.isprintable() and (line.isascii() or not BLANK.search(line))


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
            if not is_hidden(char) or belongs_to_emoji(plain, at)
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
