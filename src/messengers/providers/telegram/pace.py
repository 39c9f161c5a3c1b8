"""When Telegram says later: for one chat, or for the bot.

Telegram names no bucket when it says so. A chat that is told so waits alone; when a second one is
told so meanwhile, the bot as a whole is too fast.
"""

from messengers.clock import Clock
from messengers.errors import RateLimited

__all__ = ["Pace"]

_LONGEST_S = 900.0
"""An absurd wish is tried again after this: a quarter of an hour."""


class Pace:
    """What Telegram asked one bot to wait."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[int, float] = {}
        """Chat → when it may be written to again, monotonic."""
        self._until_all = 0.0

    def require(self, chat: int) -> None:
        """Raises RateLimited while Telegram wants nothing for this chat or from this bot."""
        now = self._clock.monotonic_s()
        until = max(self._until_all, self._until.get(chat, 0.0))
        if until > now:
            raise RateLimited(
                "Telegram asked to wait.",
                retry_after_s=until - now,
                whole=self._until_all >= until,
            )

    def later(self, chat: int, pause_s: float) -> None:
        """Telegram said 429 for a chat; 0 for what belongs to none."""
        now = self._clock.monotonic_s()
        until = now + min(pause_s, _LONGEST_S)
        self._until = {each: end for each, end in self._until.items() if end > now}
        if not chat or any(each != chat for each in self._until):
            self._until_all = max(self._until_all, until)
        if chat:
            self._until[chat] = until
