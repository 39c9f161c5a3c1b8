"""What an instance must not forget: whose token it was given first, and that Slack delivers here.

Kept in the instance's own directory. Without the file nothing is lost but that.
"""

import os
from pathlib import Path
from typing import Any

import orjson

from messengers import home
from messengers.errors import StorageUnavailable
from messengers.providers.slack.wire import as_object

__all__ = ["Memory"]

_FILE = "slack.json"


class Memory:
    """Of one instance."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE
        self._known: dict[str, Any] | None = None

    def account(self) -> str:
        """`TEAM/USER`, empty before Slack was asked."""
        return str(self._read().get("account", ""))

    def heard(self) -> bool:
        """Whether a request of Slack's ever came."""
        return bool(self._read().get("heard"))

    def set_account(self, account: str) -> None:
        self._write({"account": account})

    def set_heard(self) -> None:
        self._write({"heard": True})

    def _read(self) -> dict[str, Any]:
        if self._known is None:
            try:
                self._known = dict(as_object(orjson.loads(self._file.read_bytes())))
            except (FileNotFoundError, orjson.JSONDecodeError):
                self._known = {}
        return self._known

    def _write(self, new: dict[str, Any]) -> None:
        """Whole or not at all."""
        self._known = {**self._read(), **new}
        part = self._file.with_suffix(".part")
        try:
            home.make_private(str(self._file.parent))
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as out:
                out.write(orjson.dumps(self._known))
            part.replace(self._file)
        except OSError as exc:
            raise StorageUnavailable(
                "What is known of the account could not be kept.", "Check the data directory."
            ) from exc
