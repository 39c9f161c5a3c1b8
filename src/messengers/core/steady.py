"""A wall clock that never jumps: the time at the start, and what has passed since.

What is stored as a time and compared later (pauses, retries) is told by it: a clock that is set
forward sends nothing too early, one that is set back holds nothing up.
"""

from messengers.clock import Clock, to_ms

__all__ = ["Steady"]


class Steady:
    """Anchored once for each process."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began_s = clock.monotonic_s()
        self._began_ms = to_ms(clock.now())

    def now_ms(self) -> int:
        """Milliseconds since 1970 UTC, as far as the clock was right at the start."""
        return self._began_ms + round((self._clock.monotonic_s() - self._began_s) * 1000)
