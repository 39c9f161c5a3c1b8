"""The keyring of the system, for owners who opt in with MESSENGERS_KEYRING=1.

The `keyring` library is no dependency: who opts in installs it.
"""

import importlib
from pathlib import Path

from messengers.errors import StorageUnavailable

__all__ = ["Keyring"]

_SERVICE = "messengers"


class Keyring:
    """The one entry that belongs to a data directory."""

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

    def read(self) -> str | None:
        """The stored text, or None."""
        try:
            return self._library.get_password(_SERVICE, self._entry)
        except self._errors.KeyringError as exc:
            raise _unusable() from exc

    def write(self, text: str) -> None:
        """Store the text and read it again: some backends forget without a word."""
        try:
            self._library.set_password(_SERVICE, self._entry, text)
        except self._errors.KeyringError as exc:
            raise _unusable() from exc
        if self.read() != text:
            raise _unusable()


def _unusable() -> StorageUnavailable:
    return StorageUnavailable(
        "The system's keyring cannot be used.", "Unlock it, or unset MESSENGERS_KEYRING."
    )
