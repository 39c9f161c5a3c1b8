"""Tickets: a key's word for one request of a browser, which sends no header of its own there.

Each opens one path once, within half a minute, for whom it was made. They stand in memory only, as
their hashes, and none outlives its key.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from messengers.clock import Clock
from messengers.core.callers import Caller
from messengers.core.keys import Keys
from messengers.models import Model

__all__ = ["Ticket", "Tickets"]

_PREFIX = "mst_"
_LIFETIME_S = 30.0
_OPEN_MAX = 50
"""Of one key; the oldest makes room."""


class Ticket(Model):
    """What a key holder hands to his page."""

    ticket: str
    """Goes into the address as `?ticket=…`."""
    path: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class _Open:
    caller: Caller
    path: str
    ends_s: float
    """Monotonic."""


class Tickets:
    """The tickets of this process."""

    def __init__(self, clock: Clock, keys: Keys) -> None:
        self._clock = clock
        self._keys = keys
        self._open: dict[str, _Open] = {}
        """By hash, oldest first."""

    def issue(self, caller: Caller, path: str) -> Ticket:
        """A new one for a path."""
        now = self._clock.monotonic_s()
        self._open = {digest: each for digest, each in self._open.items() if each.ends_s > now}
        own = [digest for digest, each in self._open.items() if each.caller.actor == caller.actor]
        for digest in own[: max(0, len(own) - _OPEN_MAX + 1)]:
            del self._open[digest]
        value = _PREFIX + secrets.token_urlsafe(32)
        self._open[_digest(value)] = _Open(caller, path, now + _LIFETIME_S)
        ends_at = self._clock.now() + timedelta(seconds=_LIFETIME_S)
        return Ticket(ticket=value, path=path, expires_at=ends_at)

    def take(self, value: str, path: str) -> Caller | None:
        """Whom it was made for; None for every other path, a second time, too late, and no ticket.

        Whatever is shown is used up by it.
        """
        found = self._open.pop(_digest(value), None)
        if found is None or found.path != path or found.ends_s <= self._clock.monotonic_s():
            return None
        return found.caller if self._keys.still_opens(found.caller) else None


def _digest(value: str) -> str:
    return hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()
