"""What an address answered, and the words for when it did not."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from messengers.errors import InvalidInput, Unreachable
from messengers.urls import SafeUrl

__all__ = ["Reply", "unreachable"]

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whatever its status."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case; of a repeated one the last."""
    body: bytes = field(repr=False)
    url: SafeUrl
    """Where it came from, after redirects."""

    @property
    def is_redirect(self) -> bool:
        return self.status in _REDIRECTS

    @property
    def next_url(self) -> SafeUrl:
        """Where a redirect leads. Raises InvalidInput: nowhere that can be followed."""
        following = self.url.join(self.headers.get("location", ""))
        if self.url.scheme == "https" and following.scheme == "http":
            raise InvalidInput("That address leads from https to http.", "Use another.")
        return following

    def require_success(self) -> "Reply":
        """Itself. Raises InvalidInput or Unreachable when the status tells of a refusal."""
        if 200 <= self.status < 300:
            return self
        said = f"That address answered with status {self.status}."
        if self.status == 429 or self.status >= 500:
            raise Unreachable(said, "Try again later.")
        raise InvalidInput(said, "Check it.")


def unreachable() -> Unreachable:
    """The same words, whatever the cause: they tell nothing of a network the asker cannot see."""
    return Unreachable("That address was not reached.", "Check it; the owner's log says more.")
