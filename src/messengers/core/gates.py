"""What an instance lets through: how much at once, how often, and when its messenger wants a rest.

Every time here is monotonic: a clock that is set changes nothing. Instances know nothing of one
another, so that one that is slow or gone holds up its own messages alone.
"""

from collections import OrderedDict, deque

import anyio

from messengers.clock import Clock
from messengers.providers.capabilities import Capabilities, Rate
from messengers.store.rows import Row

__all__ = ["LONGEST_REST_S", "Gate", "Gates", "at_once"]

LONGEST_REST_S = 900.0
"""An absurd wish of a messenger is tried again after this: a quarter of an hour."""
_WITH_KEY = 8
"""Calls at once where a second call with the same key is the same message."""
_LONGEST_OUTAGE_PAUSE_S = 60.0
_MANY_FAILURES = 10
_MANY_CHATS = 10_000
"""Whose last messages are remembered."""


def at_once(capabilities: Capabilities) -> int:
    """How many calls of an instance may be open: a crash leaves a doubt for each without a key."""
    return _WITH_KEY if capabilities.reuses_key else 1


class _Window:
    """The last messages of each key, as many as a rate allows within its time."""

    def __init__(self, clock: Clock, rate: Rate) -> None:
        self._clock = clock
        self._rate = rate
        self._left: OrderedDict[str, deque[float]] = OrderedDict()

    def wait_s(self, key: str) -> float:
        """How long until one more fits."""
        left = self._left.get(key)
        if left is None or len(left) < self._rate.count:
            return 0.0
        return max(0.0, left[0] + self._rate.period_s - self._clock.monotonic_s())

    def take(self, key: str, messages: int) -> None:
        """So many more leave."""
        left = self._left.pop(key, None) or deque[float](maxlen=self._rate.count)
        left.extend([self._clock.monotonic_s()] * messages)
        self._left[key] = left
        if len(self._left) > _MANY_CHATS:
            self._left.popitem(last=False)


class Gate:
    """One instance's. `line` holds those whose turn has not come, in the order they came."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._rates: tuple[Rate, ...] = ()
        self._windows: list[tuple[Rate, _Window]] = []
        self._failures = 0
        self._rests_until_s = 0.0
        self.line = anyio.CapacityLimiter(1)

    def fit(self, capabilities: Capabilities) -> None:
        """Follow what the provider can do now."""
        self.line.total_tokens = at_once(capabilities)
        if capabilities.rates != self._rates:
            self._rates = capabilities.rates
            self._windows = [
                (rate, _Window(self._clock, rate))
                for rate in capabilities.rates
                if rate.of != "new_contact"  # known over restarts: the pace of the instance
            ]

    def wait_s(self) -> float:
        """How long nothing of the instance may leave: a rest, an outage, its rate."""
        waits = [w.wait_s("") for rate, w in self._windows if rate.of == "instance"]
        return max(0.0, self._rests_until_s - self._clock.monotonic_s(), *waits)

    def chat_wait_s(self, chat: Row) -> float:
        """How long nothing may leave for one chat, whatever the others do."""
        key = str(chat["id"])
        waits = [w.wait_s(key) for rate, w in self._windows if _is_of(rate, chat)]
        return max(waits, default=0.0)

    def take(self, chat: Row, messages: int = 1) -> None:
        """A call for this chat begins. Of an album the first may leave, and the others count."""
        for rate, window in self._windows:
            if rate.of == "instance":
                window.take("", messages)
            elif _is_of(rate, chat):
                window.take(str(chat["id"]), messages)

    def rest(self, seconds: float) -> None:
        """The messenger wants nothing of this instance for a while."""
        until_s = self._clock.monotonic_s() + min(seconds, LONGEST_REST_S)
        self._rests_until_s = max(self._rests_until_s, until_s)

    def reached(self) -> None:
        """The messenger answered."""
        self._failures = 0

    def unreachable(self) -> float:
        """The messenger was not reached: until it is, one call tries, at most once a minute.

        Returns the pause in seconds.
        """
        pause_s = min(2.0**self._failures, _LONGEST_OUTAGE_PAUSE_S)
        self._failures = min(self._failures + 1, _MANY_FAILURES)
        self.rest(pause_s)
        return pause_s


class Gates:
    """The gate of each instance."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._gates: dict[str, Gate] = {}

    def of(self, instance_id: str, capabilities: Capabilities) -> Gate:
        """The one of an instance, as its provider is now."""
        gate = self._gates.setdefault(instance_id, Gate(self._clock))
        gate.fit(capabilities)
        return gate


def _is_of(rate: Rate, chat: Row) -> bool:
    match rate.of:
        case "chat":
            return True
        case "person":
            return bool(chat["kind"] == "dm")
        case "group":
            return bool(chat["kind"] != "dm")
        case "instance" | "new_contact":
            return False
