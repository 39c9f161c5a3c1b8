"""Copies of the live database. None holds secret.key: who has only a copy can open no secret."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from messengers.errors import Conflict, StorageUnavailable
from messengers.store import sqlite

__all__ = ["NOTE", "back_up", "before_migration", "copied", "newest"]

NOTE = (
    "secret.key is not in this backup. Keep a copy of it somewhere else: "
    "without it the stored credentials cannot be opened."
)
_KEPT = 3
_ASIDE = "replaced-"
"""What a restored copy took the place of, which may be damaged."""


def back_up(database: Path, target: Path) -> str:
    """Copy the database as it is at this moment while it is used; returns what the owner must know.

    The copy is 0600 and appears under its name only when it is complete.

    Raises:
        Conflict: there is a file of that name already.
        StorageUnavailable: the copy could not be written; nothing is left of it.
    """
    if target.exists():
        raise Conflict("A file of that name is there already.", "Choose another name.")
    copied(database, target)
    return NOTE


def newest(home: Path) -> Path | None:
    """The last copy that lies in the data directory."""
    found = [each for each in (home / "backups").glob("*.db") if not each.stem.startswith(_ASIDE)]
    return max(found, key=lambda each: each.stat().st_mtime_ns, default=None)


def before_migration(database: Path, revision: str) -> Path:
    """Copy to `backups/pre-<revision>.db`; of such copies the newest three are kept."""
    folder = database.parent / "backups"
    target = folder / f"pre-{revision}.db"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        copied(database, target)
        found = sorted(folder.glob("pre-*.db"), key=lambda each: each.stat().st_mtime_ns)
        for old in found[:-_KEPT]:
            old.unlink()
    except OSError as exc:
        raise _failed() from exc
    return target


def copied(database: Path, target: Path) -> None:
    """A whole 0600 file or none. Raises StorageUnavailable.

    In one step: a copy in several starts over whenever the writer commits between two.
    """
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with (
                sqlite.storage_errors(),
                closing(sqlite.open_reader(database)) as source,
                closing(sqlite3.connect(part)) as copy,
            ):
                source.backup(copy)
                # One file that opens anywhere, without a log beside it.
                copy.execute("PRAGMA journal_mode=DELETE")
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as exc:
        raise _failed() from exc


def _failed() -> StorageUnavailable:
    return StorageUnavailable(
        "The backup could not be written.", "Check its directory's rights and the space there."
    )
