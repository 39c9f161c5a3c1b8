"""How often somebody may do something: a token bucket per key, for a bounded number of keys."""

from collections import OrderedDict
from dataclasses import dataclass

from messengers.clock import Clock

__all__ = ["Allowance"]

_MAX_KEYS = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class Allowance:
    """`count` at once, refilled evenly within `period_s`."""

    def __init__(self, clock: Clock, count: int, period_s: float) -> None:
        self._clock = clock
        self._count = count
        self._per_s = count / period_s
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> float:
        """Use one. Returns 0.0, or the seconds until there is one again and takes nothing."""
        now_s = self._clock.monotonic_s()
        bucket = self._buckets.pop(key, None) or _Bucket(float(self._count), now_s)
        self._buckets[key] = bucket
        if len(self._buckets) > _MAX_KEYS:
            self._buckets.popitem(last=False)  # idle longest, so the one most likely full again
        refill = (now_s - bucket.at_s) * self._per_s
        bucket.left = min(float(self._count), bucket.left + refill)
        bucket.at_s = now_s
        if bucket.left < 1:
            return (1 - bucket.left) / self._per_s
        bucket.left -= 1
        return 0.0
