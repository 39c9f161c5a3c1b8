"""Time, injected: wall time for what people read, monotonic time for leases and waits."""

import time
from datetime import UTC, datetime, timedelta
from typing import Protocol

__all__ = ["Clock", "SystemClock", "from_ms", "to_ms"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Clock(Protocol):
    """What the product asks of time."""

    def now(self) -> datetime:
        """The wall clock, aware, UTC. It may jump: never used for uniqueness or leases."""
        ...

    def monotonic_s(self) -> float:
        """Seconds that never go back within one process."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        return time.monotonic()


def to_ms(moment: datetime) -> int:
    """Milliseconds since 1970 UTC, the form in which the store keeps times."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def from_ms(ms: int) -> datetime:
    """The inverse of `to_ms`; aware, UTC."""
    return _EPOCH + timedelta(0, ms // 1000, ms % 1000 * 1000)
