"""How fast a bot sends: as Telegram asks bots to, and later when it says so.

Telegram names no bucket when it says later. A chat that is told so waits alone; when a second one
is told so meanwhile, the bot as a whole is too fast.
"""

from collections import deque

from messengers.clock import Clock
from messengers.errors import RateLimited
from messengers.providers.telegram.limits import PER_BOT, PER_CHAT, PER_GROUP

__all__ = ["Pace"]

_BURST = 3
"""Messages that one chat may get at once; Telegram allows short bursts and says no number."""
_LONGEST_S = 900.0
"""An absurd wish is tried again after this: a quarter of an hour."""
_MANY = 10_000
"""Chats whose last messages are remembered."""


class Pace:
    """The messages of one bot."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._sent: dict[int, deque[float]] = {}
        self._all: deque[float] = deque(maxlen=PER_BOT[0])
        self._until: dict[int, float] = {}
        """Chat → when it may be written to again, monotonic."""
        self._until_all = 0.0

    def require(self, chat: int) -> None:
        """Raises RateLimited while Telegram wants nothing for this chat or from this bot."""
        now = self._clock.monotonic_s()
        until = max(self._until_all, self._until.get(chat, 0.0))
        if until > now:
            raise RateLimited("Telegram asked to wait.", retry_after_s=until - now)

    def take(self, chat: int, messages: int = 1) -> None:
        """Count what is about to leave. Raises RateLimited when it is too early.

        An album leaves when one message may: its others are counted, and what follows waits.
        """
        self.require(chat)
        now = self._clock.monotonic_s()
        sent = self._sent.setdefault(chat, deque(maxlen=PER_GROUP[0]))
        # The oldest of a full window tells when there is room again.
        waits = [_wait_s(self._all, PER_BOT, now)]
        if chat < 0:
            waits.append(_wait_s(sent, PER_GROUP, now))
        waits.append(_wait_s(sent, (_BURST, _BURST * PER_CHAT[1] / PER_CHAT[0]), now))
        if max(waits) > 0:
            raise RateLimited("That is faster than Telegram allows.", retry_after_s=max(waits))
        sent.extend([now] * messages)
        self._all.extend([now] * messages)
        if len(self._sent) > _MANY:
            self._sent.pop(next(iter(self._sent)))

    def later(self, chat: int, pause_s: float) -> None:
        """Telegram said 429 for a chat; 0 for what belongs to none."""
        now = self._clock.monotonic_s()
        until = now + min(pause_s, _LONGEST_S)
        self._until = {each: end for each, end in self._until.items() if end > now}
        if not chat or any(each != chat for each in self._until):
            self._until_all = max(self._until_all, until)
        if chat:
            self._until[chat] = until


def _wait_s(times: deque[float], rate: tuple[int, float], now: float) -> float:
    """How long until one more fits into `rate`."""
    count, seconds = rate
    if len(times) < count:
        return 0.0
    return times[-count] + seconds - now
