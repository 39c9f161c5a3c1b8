"""The keyring of the system, for owners who opt in with MESSENGERS_KEYRING=1.

The `keyring` library is no dependency: who opts in installs it.
"""

import importlib
from pathlib import Path

from messengers.errors import StorageUnavailable

__all__ = ["Keyring"]

_SERVICE = "messengers"


class Keyring:
    """The entry that belongs to a data directory, and a second while its key is replaced."""

    def __init__(self, home: Path) -> None:
        try:
            self._library = importlib.import_module("keyring")
            self._errors = importlib.import_module("keyring.errors")
        except ImportError as exc:
            raise StorageUnavailable(
                "MESSENGERS_KEYRING is set, but the keyring library is not installed.",
                "Run `pip install keyring` in this environment, or unset MESSENGERS_KEYRING.",
            ) from exc
        self._entry = str(home.resolve())

    def read(self, *, pending: bool = False) -> str | None:
        """The stored text, or None; `pending`: of the key that is about to be the key."""
        try:
            return self._library.get_password(_SERVICE, self._named(pending=pending))
        except self._errors.KeyringError as exc:
            raise _unusable() from exc

    def write(self, text: str, *, pending: bool = False) -> None:
        """Store the text and read it again: some backends forget without a word."""
        try:
            self._library.set_password(_SERVICE, self._named(pending=pending), text)
        except self._errors.KeyringError as exc:
            raise _unusable() from exc
        if self.read(pending=pending) != text:
            raise _unusable()

    def forget_pending(self) -> None:
        """The key that was about to be the key is it."""
        try:
            self._library.delete_password(_SERVICE, self._named(pending=True))
        except self._errors.KeyringError as exc:
            raise _unusable() from exc

    def _named(self, *, pending: bool) -> str:
        return f"{self._entry}#new" if pending else self._entry


def _unusable() -> StorageUnavailable:
    return StorageUnavailable(
        "The system's keyring cannot be used.", "Unlock it, or unset MESSENGERS_KEYRING."
    )
