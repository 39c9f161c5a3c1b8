"""Names with `*` for any run of characters, matched in time linear in the text.

There are no regular expressions here: their engine of the standard library can be stalled by a
pattern and a text that fit each other badly, and a thread does not help, since the match holds the
interpreter.
"""

from messengers.errors import InvalidInput

__all__ = ["check_glob", "fits"]

_LONGEST = 100
_STARS = 8
_REGULAR = frozenset("()[]{}|^$\\")


def check_glob(glob: str) -> str:
    """The glob as it is kept. Raises InvalidInput for what is none, or says nothing."""
    folded = glob.casefold()
    if _REGULAR & set(folded):
        raise InvalidInput(
            "Regular expressions are not understood: a text can be made to stall them.",
            "Write * for any characters: spam*, *_bot, @promo*.",
        )
    if len(folded) > _LONGEST or folded.count("*") > _STARS:
        raise InvalidInput(f"A rule takes {_LONGEST} characters and {_STARS} stars at most.")
    if not folded.strip("@*"):
        raise InvalidInput("That fits everybody.", "For that there is `any`.")
    return folded


def fits(glob: str, text: str) -> bool:
    """Whether a whole text is one that a checked glob means, whatever its case.

    Each piece is looked for once, after the one before it: the first place is as good as any.
    """
    folded = text.casefold()
    first, *others = glob.split("*")
    if not others:
        return folded == first
    *pieces, last = others
    if not folded.startswith(first) or not folded.endswith(last):
        return False
    place, end = len(first), len(folded) - len(last)
    for piece in pieces:
        place = folded.find(piece, place, end)
        if place < 0:
            return False
        place += len(piece)
    return place <= end
