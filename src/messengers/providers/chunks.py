"""Cutting Markdown into parts that fit, for providers whose dialect is Markdown.

A cut falls between paragraphs, else lines, else words, else characters; never inside a character
as a person sees it (a grapheme), and a code fence that must be cut is closed in one part and
opened again in the next, unless its opening line is absurdly long.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from typing import Literal

__all__ = ["Unit", "measured", "split"]

Unit = Literal["chars", "utf16", "utf8"]
"""What a platform counts in: codepoints, UTF-16 units or UTF-8 bytes."""

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})(.*)$", re.MULTILINE)
_LONGEST_GRAPHEME = 64
"""Codepoints looked back for the start of a grapheme; longer ones are made to hurt."""
_BREAKS = ("\n\n", "\n", " ")
_SMALLEST_SHARE = 0.25
"""A cut at a nicer place may cost at most the rest of a part."""


def split(text: str, limit: int, length: Callable[[str], int] = len) -> list[str]:
    """The text in parts of at most `limit`, measured by `length`; none for blank text.

    Joined, the parts are the text but for blanks at the cuts and repeated fences. `limit` must
    leave room for a fence line twice.
    """
    parts: list[str] = []
    rest = text.strip("\n")
    while rest.strip():
        if length(rest) <= limit:
            parts.append(rest)
            break
        part, rest = _first(rest, limit, length)
        parts.append(part)
    return [part for part in parts if part.strip()]


def measured(text: str, unit: Unit) -> int:
    """The length of a text as a platform counts it."""
    match unit:
        case "chars":
            return len(text)
        case "utf16":
            return len(text) + sum(char > "\uffff" for char in text)
        case "utf8":
            return len(text.encode())


def _first(text: str, limit: int, length: Callable[[str], int]) -> tuple[str, str]:
    """One part, and what remains of the text, both with whole fences."""
    room = _longest(text, limit, length)
    cut = _place(text, room)
    fence = _open_fence(text[:cut])
    if fence is None or length(fence[1]) > limit * _SMALLEST_SHARE:
        return text[:cut].rstrip(), text[cut:].lstrip("\n").removeprefix(" ")
    start, opening, mark = fence
    if start > room * _SMALLEST_SHARE:
        return text[:start].rstrip(), text[start:]
    closing = f"\n{mark}"
    room = _longest(text, limit - length(closing), length)
    cut = max(_place(text, room, (len(opening) + 1)), start + len(opening) + 2)
    return text[:cut].rstrip("\n") + closing, f"{opening}\n" + text[cut:].removeprefix("\n")


def _longest(text: str, limit: int, length: Callable[[str], int]) -> int:
    """How many codepoints of the text fit."""
    low, high = 1, min(len(text), limit)
    while low < high:
        middle = (low + high + 1) // 2
        if length(text[:middle]) <= limit:
            low = middle
        else:
            high = middle - 1
    return low


def _place(text: str, room: int, least: int = 0) -> int:
    """The nicest cut at or before `room`."""
    least = max(least, int(room * _SMALLEST_SHARE))
    for mark in _BREAKS:
        found = text.rfind(mark, least, room + 1)
        if found > least:
            return found
    cut = room
    while cut > max(room - _LONGEST_GRAPHEME, 1) and _joined(text, cut):
        cut -= 1
    return cut if not _joined(text, cut) else room


def _joined(text: str, at: int) -> bool:
    """Whether the codepoints before and after `at` belong to one visible character."""
    if at >= len(text):
        return False
    before, after = text[at - 1], text[at]
    if before == "\r" and after == "\n":
        return True
    if before == "\u200d" or after in "\u200d\u200c" or "\U0001f3fb" <= after <= "\U0001f3ff":
        return True
    if unicodedata.category(after) in ("Mn", "Mc", "Me") or "\u1160" <= after <= "\u11ff":
        return True
    return _flag_halves(text, at) % 2 == 1 and "\U0001f1e6" <= after <= "\U0001f1ff"


def _flag_halves(text: str, at: int) -> int:
    """How many regional indicators stand right before `at`: two make one flag."""
    count = 0
    while count < at and "\U0001f1e6" <= text[at - 1 - count] <= "\U0001f1ff":
        count += 1
    return count


def _open_fence(text: str) -> tuple[int, str, str] | None:
    """Start, opening line and mark of the fence that is open at the end of the text."""
    current: tuple[int, str, str] | None = None
    for start, line, mark, rest in _fences(text):
        if current is None:
            current = (start, line, mark)
        elif mark[0] == current[2][0] and len(mark) >= len(current[2]) and not rest.strip():
            current = None
    return current


def _fences(text: str) -> Iterator[tuple[int, str, str, str]]:
    for found in _FENCE.finditer(text):
        yield found.start(), found[0], found[1], found[2]
