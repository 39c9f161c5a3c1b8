"""Where a text must not be cut: a judge of its own, so that no provider judges itself."""

import unicodedata

__all__ = ["splits_grapheme", "units"]

_EXTENDS = ("Mn", "Mc", "Me")


def splits_grapheme(before: str, after: str) -> bool:
    """Whether a cut between these two codepoints goes through one visible character."""
    if not before or not after:
        return False
    last, first = before[-1], after[0]
    joiner = last == "\u200d" or first in "\u200d\ufe0e\ufe0f\u20e3"
    extends = unicodedata.category(first) in _EXTENDS or "\U0001f3fb" <= first <= "\U0001f3ff"
    halves = len(before) - len(before.rstrip("".join(map(chr, range(0x1F1E6, 0x1F200)))))
    flag = "\U0001f1e6" <= first <= "\U0001f1ff" and halves % 2 == 1
    return joiner or extends or flag


def units(text: str, unit: str) -> int:
    """The length of a text as its platform counts it."""
    match unit:
        case "utf16":
            return len(text.encode("utf-16-le")) // 2
        case "utf8":
            return len(text.encode())
        case _:
            return len(text)
