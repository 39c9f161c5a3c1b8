"""Small files of an instance, written whole or not at all."""

import os
from pathlib import Path
from typing import Any

import orjson

from messengers import home
from messengers.errors import StorageUnavailable

__all__ = ["read", "write"]


def read(file: Path) -> Any:  # noqa: ANN401 - any JSON
    """What a file holds; None where there is none that can be read."""
    try:
        return orjson.loads(file.read_bytes())
    except (FileNotFoundError, orjson.JSONDecodeError):
        return None


def write(file: Path, value: object) -> None:
    """Raises StorageUnavailable."""
    part = file.with_suffix(".part")
    try:
        home.make_private(str(file.parent))
        opened = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(opened, "wb") as out:
            out.write(orjson.dumps(value))
        part.replace(file)
    except OSError as exc:
        raise StorageUnavailable(
            "What is known of the bot could not be kept.", "Check the data directory."
        ) from exc
