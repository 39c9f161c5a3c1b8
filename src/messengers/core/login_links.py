"""Links to the page that logs an instance in: each for one browser, for a quarter hour.

Whoever sees the code of a login can take the account over, so nothing here is stored: tokens and
the cookies of the browsers stand in memory only, and only as their hashes.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from messengers.clock import Clock
from messengers.core.address import Address

__all__ = ["LoginLinks"]

_LIFETIME_S = 15 * 60.0
_MAX_OPEN = 100


@dataclass(slots=True)
class _Link:
    instance_id: str
    ends_s: float
    """Monotonic."""
    browser: str = ""
    """Hash of the cookie of the browser that opened it; empty while nobody has."""


class LoginLinks:
    """The links of this process."""

    lifetime_s = _LIFETIME_S

    def __init__(self, clock: Clock, address: Address) -> None:
        self._clock = clock
        self._address = address
        self._links: dict[str, _Link] = {}

    def open(self, instance_id: str) -> str:
        """A new link to log an instance in. Of too many the oldest ends."""
        now = self._clock.monotonic_s()
        kept = [(digest, link) for digest, link in self._links.items() if link.ends_s > now]
        self._links = dict(kept[-_MAX_OPEN + 1 :])
        token = secrets.token_urlsafe(32)
        self._links[_digest(token)] = _Link(instance_id, now + _LIFETIME_S)
        return self._address.login(token)

    def take(self, token: str) -> str:
        """The cookie for the browser that comes first; '' for every other, and without a link."""
        link = self._find(token)
        if link is None or link.browser:
            return ""
        cookie = secrets.token_urlsafe(32)
        link.browser = _digest(cookie)
        return cookie

    def look(self, token: str, cookie: str) -> str:
        """The instance, for the browser that took the link; '' for every other."""
        link = self._find(token)
        if link is None or not link.browser:
            return ""
        return link.instance_id if hmac.compare_digest(link.browser, _digest(cookie)) else ""

    def end(self, token: str) -> None:
        """It has done what it was for."""
        self._links.pop(_digest(token), None)

    def _find(self, token: str) -> _Link | None:
        link = self._links.get(_digest(token))
        return link if link is not None and link.ends_s > self._clock.monotonic_s() else None


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
