"""Ids that carry their time, and times as the API writes them."""

from datetime import UTC, datetime

__all__ = ["Clock", "iso", "moment"]

_EPOCH_MS = 1_420_070_400_000  # the first second of 2015


class Clock:
    """Each id is larger than all before, and tells when it was made."""

    def __init__(self) -> None:
        self.ahead_s = 0.0
        self._last = 0

    def now(self) -> float:
        return datetime.now(UTC).timestamp() + self.ahead_s

    def new_id(self) -> int:
        found = (int(self.now() * 1000) - _EPOCH_MS) << 22
        self._last = max(found, self._last + 1)
        return self._last

    def text(self) -> str:
        return iso(self.now())


def moment(snowflake: int) -> float:
    """When it was made, in seconds."""
    return ((snowflake >> 22) + _EPOCH_MS) / 1000


def iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")
