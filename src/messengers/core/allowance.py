"""How often somebody may do something: a token bucket per key, for a bounded number of keys."""

import math
from collections import OrderedDict
from dataclasses import dataclass

from messengers.clock import Clock

__all__ = ["Allowance", "Standing"]

_MAX_KEYS = 10_000


@dataclass(frozen=True, slots=True)
class Standing:
    """What is left of an allowance."""

    limit: int
    remaining: int
    reset_s: float
    """Until all of it is there again."""
    wait_s: float = 0.0
    """Until there is one again; 0.0: there is."""


class Allowance:
    """`count` at once, refilled evenly within `period_s`.

    A bucket is the one moment at which it is full again: a million keys would be a lot otherwise.
    """

    def __init__(
        self, clock: Clock, count: int, period_s: float, max_keys: int = _MAX_KEYS
    ) -> None:
        self._clock = clock
        self._count = count
        self._period_s = period_s
        self._max_keys = max_keys
        self._full_at_s: OrderedDict[str, float] = OrderedDict()

    def take(self, key: str, count: int | None = None) -> float:
        """Use one. Returns 0.0, or the seconds until there is one again and takes nothing.

        `count` is the key's own, in place of everybody's.
        """
        return self.spend(key, count).wait_s

    def spend(self, key: str, count: int | None = None) -> Standing:
        """The same, with what is left."""
        standing = self.look(key, count)
        if not standing.wait_s:
            each_s = self._period_s / standing.limit
            full_at_s = self._clock.monotonic_s() + standing.reset_s + each_s
            self._full_at_s[key] = full_at_s
            self._full_at_s.move_to_end(key)
            if len(self._full_at_s) > self._max_keys:
                self._full_at_s.popitem(last=False)  # idle longest, so the one most likely full
            left = standing.remaining - 1
            return Standing(standing.limit, left, standing.reset_s + each_s)
        return standing

    def look(self, key: str, count: int | None = None) -> Standing:
        """What is left, and nothing is taken."""
        limit = count or self._count
        each_s = self._period_s / limit
        reset_s = max(0.0, self._full_at_s.get(key, 0.0) - self._clock.monotonic_s())
        wait_s = reset_s - (limit - 1) * each_s
        # A billionth of a period, which sums of times are off by, makes nobody wait.
        if wait_s > self._period_s * 1e-9:
            self._full_at_s.move_to_end(key)
            return Standing(limit, 0, reset_s, wait_s)
        return Standing(limit, limit - math.ceil(reset_s / each_s - 1e-6), reset_s)
