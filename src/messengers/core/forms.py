"""Forms for what must not be said in a chat: each link opens one form, once, for a quarter hour.

The token stands in memory only, and only as its hash. Filling the form is the owner's consent to
what it is for.
"""

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from messengers.clock import Clock
from messengers.core.address import Address

__all__ = ["Form", "Forms"]

_LIFETIME_S = 15 * 60.0
_MAX_OPEN = 100


@dataclass(frozen=True, slots=True)
class Form:
    """What is asked, and for what."""

    provider: str
    name: str
    instance_id: str = ""
    """Set: new credentials for this instance, instead of a new one."""
    given: Mapping[str, str] = field(default_factory=dict[str, str])
    """What is known already and no secret."""
    ends_s: float = 0.0
    """Monotonic."""


class Forms:
    """The open forms of this process."""

    def __init__(self, clock: Clock, address: Address) -> None:
        self._clock = clock
        self._address = address
        self._open: dict[str, Form] = {}

    def open(self, form: Form) -> str:
        """A token for a form. Of too many open ones the oldest ends."""
        now = self._clock.monotonic_s()
        kept = [(digest, other) for digest, other in self._open.items() if other.ends_s > now]
        self._open = dict(kept[-_MAX_OPEN + 1 :])
        token = secrets.token_urlsafe(32)
        self._open[_digest(token)] = replace(form, ends_s=now + _LIFETIME_S)
        return token

    def link(self, token: str) -> str:
        """Where the owner finds it, on this machine."""
        return self._address.form(token)

    def look(self, token: str) -> Form | None:
        """The form behind a token, left open. None for one that is wrong, used or too old."""
        form = self._open.get(_digest(token))
        return form if form is not None and form.ends_s > self._clock.monotonic_s() else None

    def take(self, token: str) -> Form | None:
        """The form behind a token, which ends with this."""
        form = self.look(token)
        self._open.pop(_digest(token), None)
        return form


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
