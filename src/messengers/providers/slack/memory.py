"""Whose token an instance was given first, so that another account's is not taken for it.

Kept in the instance's own directory; without the file nothing else is lost.
"""

import os
from pathlib import Path

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

    def account(self) -> str:
        """`TEAM/USER`, empty before Slack was asked."""
        try:
            known = as_object(orjson.loads(self._file.read_bytes()))
        except (FileNotFoundError, orjson.JSONDecodeError):
            return ""
        return str(known.get("account", ""))

    def set_account(self, account: str) -> None:
        """Whole or not at all."""
        part = self._file.with_suffix(".part")
        try:
            home.make_private(str(self._file.parent))
            file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as out:
                out.write(orjson.dumps({"account": account}))
            part.replace(self._file)
        except OSError as exc:
            raise StorageUnavailable(
                "Whose account it is could not be kept.", "Check the data directory."
            ) from exc
