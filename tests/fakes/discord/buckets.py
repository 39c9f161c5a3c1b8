"""Rate limits: the headers of every answer, and 429 for who does not heed them.

Source: https://docs.discord.com/developers/topics/rate-limits
"""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.discord.faults import Answer
from tests.fakes.discord.requests import Call

if TYPE_CHECKING:
    from tests.fakes.discord.people import Json

__all__ = ["Buckets", "Limit", "too_many"]

# The real ones are secret and change. These are wide, so that tests are not slowed down.
_LIMIT, _PER_S = 1000, 1.0
_MAJOR = ("channel_id", "guild_id", "webhook_id", "webhook_token")


@dataclass
class Limit:
    requests: int
    per_s: float


@dataclass
class _Window:
    ends_at: float
    used: int = 0


@dataclass
class Buckets:
    limits: dict[str, Limit] = field(default_factory=dict[str, Limit])
    """By operation; what is not there has a wide one."""
    global_limit: Limit | None = None
    """Of each bot, for all operations: 50 a second on the real server."""
    limited: list[Call] = field(default_factory=list[Call])
    """The requests that were refused for their number."""
    _windows: dict[str, _Window] = field(default_factory=dict[str, _Window])

    def headers(self, call: Call, now: float) -> dict[str, str]:
        limit = self.limits.get(call.operation, Limit(_LIMIT, _PER_S))
        window = self._window(self._key(call), limit.per_s, now)
        left_s = window.ends_at - now
        return {
            "X-RateLimit-Limit": str(limit.requests),
            "X-RateLimit-Remaining": str(max(limit.requests - window.used, 0)),
            "X-RateLimit-Reset": f"{window.ends_at:.3f}",
            "X-RateLimit-Reset-After": f"{left_s:.3f}",
            "X-RateLimit-Bucket": hashlib.sha256(call.operation.encode()).hexdigest()[:32],
        }

    def take(self, call: Call, now: float) -> Answer | None:
        """Counts the request in; the refusal if it is one too many."""
        if call.bot and self.global_limit is not None:
            window = self._window(f"global {call.bot.id}", self.global_limit.per_s, now)
            window.used += 1
            if window.used > self.global_limit.requests:
                self.limited.append(call)
                return too_many(window.ends_at - now, "global")
        limit = self.limits.get(call.operation, Limit(_LIMIT, _PER_S))
        window = self._window(self._key(call), limit.per_s, now)
        window.used += 1
        if window.used <= limit.requests:
            return None
        self.limited.append(call)
        return too_many(window.ends_at - now, "user")

    def _key(self, call: Call) -> str:
        major = [call.path[name] for name in _MAJOR if name in call.path]
        return " ".join([call.operation, str(call.bot and call.bot.id), *major])

    def _window(self, key: str, per_s: float, now: float) -> _Window:
        window = self._windows.get(key)
        if window is None or window.ends_at <= now:
            window = self._windows[key] = _Window(now + per_s)
        return window


def too_many(retry_after_s: float | None, scope: str, *, via: bool = True) -> Answer:
    """None tells no time. `scope` is user, shared or global."""
    thing = "The resource is" if scope == "shared" else "You are"
    body: Json = {"message": f"{thing} being rate limited.", "global": scope == "global"}
    headers = {"X-RateLimit-Scope": scope}
    if scope == "global":
        headers["X-RateLimit-Global"] = "true"
    if retry_after_s is not None:
        body["retry_after"] = round(retry_after_s, 3)
        headers["Retry-After"] = str(max(int(retry_after_s + 0.999), 1))
    return Answer(429, body, headers, via)
