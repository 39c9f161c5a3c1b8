"""Who sits before the approvals page: browsers that the owner let in from his terminal.

A link opens once, for one browser, for five minutes; the browser is known by its cookie from then
on, for eight hours at most. Nothing of it is stored, and in memory stand hashes only: when the
daemon ends, so does every login.
"""

import hashlib
import hmac
import secrets

from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.address import Address
from messengers.core.callers import OWNER
from messengers.store import Store, audit

__all__ = ["OwnerSessions"]

_LINK_S = 5 * 60.0
_SESSION_S = 8 * 3600.0
_MAX_OPEN = 20


class OwnerSessions:
    """The owner's browsers of this process."""

    lifetime_s = _SESSION_S

    def __init__(self, store: Store, clock: Clock, address: Address) -> None:
        self._store = store
        self._clock = clock
        self._address = address
        self._links: dict[str, float] = {}
        self._browsers: dict[str, float] = {}

    async def link(self) -> str:
        """A new link to the page. Of too many the oldest ends."""
        token = secrets.token_urlsafe(32)
        _keep(self._links, token, self._now(), _LINK_S)
        await self._store.write(lambda conn: self._audit(conn, "page.link"))
        return self._address.page_login(token)

    async def take(self, token: str) -> str:
        """The cookie for the browser that comes first with a link; '' for every other."""
        if self._links.pop(_digest(token), 0.0) <= self._now():
            return ""
        cookie = secrets.token_urlsafe(32)
        _keep(self._browsers, cookie, self._now(), _SESSION_S)
        await self._store.write(lambda conn: self._audit(conn, "page.login"))
        return cookie

    def holds(self, cookie: str) -> bool:
        """Whether it is one of the owner's browsers."""
        return self.left_s(cookie) > 0

    def proof(self, cookie: str, form: str) -> str:
        """What a form of ours carries: nobody knows it who has not read that form in that browser.

        No other browser's, and no other form's, fits.
        """
        return hmac.digest(cookie.encode(), b"form\0" + form.encode(), "sha256").hex()

    def proves(self, cookie: str, form: str, given: str) -> bool:
        """Whether what came with a form is its proof."""
        expected = self.proof(cookie, form).encode()
        return hmac.compare_digest(expected, given.encode("utf-8", "surrogatepass"))

    def left_s(self, cookie: str) -> float:
        """How long a browser stays logged in."""
        return max(0.0, self._browsers.get(_digest(cookie), 0.0) - self._now())

    async def leave(self, cookie: str) -> None:
        """One browser logs out."""
        if self._browsers.pop(_digest(cookie), None) is not None:
            await self._store.write(lambda conn: self._audit(conn, "page.logout"))

    async def end_all(self) -> int:
        """Log every browser out and make every link void; how many browsers that were."""
        now = self._now()
        count = sum(ends > now for ends in self._browsers.values())
        self._browsers.clear()
        self._links.clear()
        await self._store.write(lambda conn: self._audit(conn, "page.logout"))
        return count

    def _now(self) -> float:
        return self._clock.monotonic_s()

    def _audit(self, conn: Connection, action: str) -> None:
        now = to_ms(self._clock.now())
        audit.add(conn, at=now, actor=OWNER.actor, action=action, outcome="done")


def _keep(held: dict[str, float], secret: str, now: float, lifetime_s: float) -> None:
    """Hold a secret's hash until its end; what has ended goes, and the oldest of too many."""
    kept = [(digest, ends) for digest, ends in held.items() if ends > now]
    held.clear()
    held.update(kept[-_MAX_OPEN + 1 :])
    held[_digest(secret)] = now + lifetime_s


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
