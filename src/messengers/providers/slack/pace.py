"""Where Slack said later: each method has its own allowance, posting has one for each channel.

https://docs.slack.dev/apis/web-api/rate-limits
"""

from messengers.clock import Clock
from messengers.errors import RateLimited

__all__ = ["Pace"]

_LONGEST_S = 900.0
"""An absurd wish is tried again after this: a quarter of an hour."""


class Pace:
    """The waits of one token."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, float] = {}
        """What is asked → when it may be asked again, monotonic."""

    def require(self, what: str) -> None:
        """Raises RateLimited while Slack wants none of this."""
        now = self._clock.monotonic_s()
        until = self._until.get(what, 0.0)
        if until > now:
            raise RateLimited("Slack asked to wait.", retry_after_s=until - now)

    def later(self, what: str, pause_s: float) -> None:
        """Slack said 429."""
        now = self._clock.monotonic_s()
        self._until = {each: end for each, end in self._until.items() if end > now}
        self._until[what] = now + min(pause_s, _LONGEST_S)
