"""The database without a daemon: one unit of work by who holds the lock of its directory."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from messengers.store import sqlite
from messengers.store.migrations import migrate

__all__ = ["alone"]

T = TypeVar("T")


def alone(home: Path, unit: Callable[[Connection], T]) -> T:
    """The unit's result, committed; killed in the middle, nothing of it happened.

    Raises:
        StorageUnavailable: the database cannot be used, or is of a newer version.
    """
    path = home / sqlite.DATABASE
    sqlite.make_file(path)
    migrate(path)
    engine = sqlite.engine(path)
    try:
        with sqlite.storage_errors(), engine.begin() as connection:
            return unit(connection)
    finally:
        engine.dispose()
