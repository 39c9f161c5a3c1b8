"""A copy put in the place of the database, while no daemon runs; what was there is set aside.

A copy knows nothing of what left after it was made. So whatever it holds as about to leave may have
left: it becomes unknown, and nothing goes on by itself.
"""

import os
import shutil
import sqlite3
from contextlib import closing, nullcontext, suppress
from datetime import datetime
from pathlib import Path

from messengers.clock import to_ms
from messengers.errors import InvalidInput, StorageUnavailable
from messengers.store import audit, sqlite
from messengers.store.backup import copied
from messengers.store.integrity import fault_of
from messengers.store.keyring import Keyring
from messengers.store.migrations import REVISIONS, stored_revision, upgrade
from messengers.store.secrets import settle_key
from messengers.store.session_copies import beside, unpacked

__all__ = ["restore"]

_DOUBT = "Restored from a backup: it may have been sent since the backup was made."
_PAUSED = "Restored from a backup: those who come next may have been written to since."
_DOUBTS = (
    """UPDATE message SET delivery = 'unknown' WHERE id IN
    (SELECT message_id FROM outbox WHERE state IN ('queued', 'claimed'))""",
    # What waits for its turn in a batch stays so; whether it goes on is the owner's to say.
    """UPDATE outbox SET state = 'unknown', error_code = 'uncertain', error = :doubt
    WHERE state IN ('queued', 'claimed') OR (state = 'held' AND
    (batch_id IS NULL OR batch_id IN (SELECT id FROM batch WHERE state = 'held')))""",
    "UPDATE approval SET state = 'expired', payload = x'' WHERE state = 'waiting'",
    "UPDATE audit SET outcome = 'unknown' WHERE outcome = 'queued'",
    "UPDATE batch SET state = 'cancelled', reason = :doubt WHERE state = 'held'",
    "UPDATE batch SET state = 'paused', reason = :paused WHERE state = 'running'",
)


def restore(
    home: Path, copy: Path, now: datetime, *, keyring: bool = False, sessions: bool = False
) -> Path | None:
    """Put a copy in place; returns where the database lies that was there.

    With `sessions` also those of the archive beside it. The caller holds the lock of the data
    directory.

    Raises:
        InvalidInput: there is no such file, or no archive of sessions.
        StorageUnavailable: it is damaged, no database of ours or of a newer version, its key is
            another, or the disk refused. The database that is there was left as it is.
    """
    if not copy.is_file():
        raise InvalidInput("There is no such file.", "Name a file that `messengers backup` wrote.")
    if fault := fault_of(copy):
        raise StorageUnavailable(f"That backup is damaged: {fault}.", "Take another one.")
    found = stored_revision(copy)
    if found not in REVISIONS:
        raise StorageUnavailable(
            "That file is no backup of this version of Messengers or an earlier one.",
            "Install the version that wrote it, or take another.",
        )
    part = home / f"{sqlite.DATABASE}.restored"
    try:
        copied(copy, part)
        if found != REVISIONS[-1]:
            upgrade(part, REVISIONS[-1])
        _settle(part, home, Keyring(home) if keyring else None, now, copy.name)
        with unpacked(home, beside(copy)) if sessions else nullcontext() as put_back:
            aside = _exchange(home, part, now)
            if put_back is not None:
                put_back()
    except OSError as exc:
        raise StorageUnavailable(
            "The backup could not be put in place.", "Check the data directory's rights and space."
        ) from exc
    finally:
        for file in (part, sqlite.wal_of(part), part.with_name(part.name + "-shm")):
            file.unlink(missing_ok=True)
    return aside


def _settle(part: Path, home: Path, keyring: Keyring | None, now: datetime, source: str) -> None:
    """Prove the key, and doubt what the copy holds as under way."""
    engine = sqlite.engine(part)
    try:
        with sqlite.storage_errors(), engine.begin() as connection:
            settle_key(connection, home, keyring)
            for statement in _DOUBTS:
                connection.exec_driver_sql(statement, _named(statement))
            audit.add(connection, at=to_ms(now), actor="owner", action="restore", detail=source)
    finally:
        engine.dispose()
    with closing(sqlite3.connect(part)) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")  # folds its log in


def _named(statement: str) -> dict[str, str]:
    values = {"doubt": _DOUBT, "paused": _PAUSED}
    return {name: value for name, value in values.items() if f":{name}" in statement}


def _exchange(home: Path, part: Path, now: datetime) -> Path | None:
    """The new file takes the name of the old in one step; the old one's log goes with it."""
    database = home / sqlite.DATABASE
    if not database.exists():
        os.replace(part, database)
        return None
    folder = home / "backups"
    folder.mkdir(mode=0o700, exist_ok=True)
    aside = folder / f"replaced-{now:%Y%m%dT%H%M%S}.db"
    _fold(database)
    wal = sqlite.wal_of(database)
    if wal.exists():
        # It could not be folded in: a new database under its name would take it for its own.
        os.replace(wal, sqlite.wal_of(aside))
    database.with_name(database.name + "-shm").unlink(missing_ok=True)
    try:
        os.link(database, aside)
    except OSError:
        shutil.copy2(database, aside)
    os.replace(part, database)
    return aside


def _fold(database: Path) -> None:
    """Close the database as its last user would; a damaged one stays as it is."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
