"""Messages of ours as the gateway tells them back, known by the nonce they left with.

An answer may be lost while its message was taken: the echo says so, with the message's id.
"""

import hashlib
from collections.abc import Generator
from contextlib import contextmanager

import anyio

from messengers.providers.discord.limits import MAX_NONCE

__all__ = ["Echo", "Echoes", "nonce_of"]


def nonce_of(key: str) -> str:
    """The same key gives the same nonce, of as many characters as Discord takes."""
    return hashlib.sha256(key.encode()).hexdigest()[:MAX_NONCE]


class Echo:
    """What comes back of one message that is under way."""

    def __init__(self) -> None:
        self.message: dict[str, object] = {}
        self._came = anyio.Event()

    def come(self, message: dict[str, object]) -> None:
        """The message was taken."""
        self.message = message
        self._came.set()

    async def wait(self, timeout_s: float) -> bool:
        """Whether it comes within this time."""
        with anyio.move_on_after(timeout_s):
            await self._came.wait()
        return self._came.is_set()


class Echoes:
    """Of all messages that are under way."""

    def __init__(self) -> None:
        self._awaited: dict[str, Echo] = {}

    @contextmanager
    def awaited(self, nonce: str) -> Generator[Echo]:
        """While this is entered the echo is no news."""
        echo = self._awaited[nonce] = Echo()
        try:
            yield echo
        finally:
            del self._awaited[nonce]

    def take(self, message: dict[str, object]) -> bool:
        """Whether a message of ours is one that is under way."""
        echo = self._awaited.get(str(message.get("nonce") or ""))
        if echo is None:
            return False
        echo.come(message)
        return True
