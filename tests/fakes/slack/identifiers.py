"""Ids as Slack makes them: a letter that tells the kind, then capitals and digits."""

from itertools import count

__all__ = ["Identifiers", "encoded"]

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_FIRST = 36**8 * 7
_STEP = 7_919_317  # neighbours do not look alike


def encoded(prefix: str, number: int) -> str:
    value, text = _FIRST + number * _STEP, ""
    while value:
        value, digit = divmod(value, 36)
        text = _DIGITS[digit] + text
    return f"{prefix}0{text}"


class Identifiers:
    """No id is given twice, whatever its kind."""

    def __init__(self) -> None:
        self._numbers = count(1)

    def number(self) -> int:
        return next(self._numbers)

    def new(self, prefix: str) -> str:
        return encoded(prefix, self.number())
