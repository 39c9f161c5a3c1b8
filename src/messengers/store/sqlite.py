"""Everything that is SQLite's own: connections, pragmas, the full-text table, upserts, errors."""

import os
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import StaticPool

from messengers.errors import StorageUnavailable

__all__ = [
    "BUSY_TIMEOUT_MS",
    "CLOSED",
    "DAMAGED",
    "DATABASE",
    "PASSAGE_DDL",
    "SEARCH_DDL",
    "engine",
    "last_key",
    "make_file",
    "open_reader",
    "raw",
    "storage_errors",
    "take_room",
    "upsert",
    "wal_of",
]

DATABASE = "messengers.db"
BUSY_TIMEOUT_MS = 5_000
_BURST_BYTES = 64 * 1024
CLOSED = ("The store is closed.", "Start Messengers again.")
SEARCH_DDL = (
    "CREATE VIRTUAL TABLE message_search USING fts5(text, scope, content='', "
    "tokenize=\"unicode61 remove_diacritics 2 categories 'L* N* Co So Sk Mn'\", prefix='3 4')"
)
"""Contentless: the words stand in the message rows. Emoji and combining marks are words too."""
PASSAGE_DDL = (
    "CREATE VIRTUAL TABLE passage USING fts5(terms, content='', detail=none, tokenize='ascii')"
)
"""Terms are checksums of stretches of text: no order, no positions, no text. What stands in it is
known by `passage_docsize`, which FTS5 keeps."""
_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA temp_store=MEMORY",
    # What is deleted is overwritten; else its bytes lie in the file until others take the place.
    "PRAGMA secure_delete=ON",
    "PRAGMA cache_size=-8000",  # KiB: in less, a history's pages are written and read many times
)
DAMAGED = (
    "The database is damaged; it was left as it is, and nothing more is written to it.",
    "`messengers doctor` names the last backup, `messengers restore FILE` puts one in its place.",
)
_NOT_WRITABLE = (
    "The data directory or its database cannot be written.",
    "Make it belong to this user, on a disk that is not read-only.",
)
_CAUSES = {
    sqlite3.SQLITE_FULL: (
        "The disk is full; nothing of this was stored.",
        "Free some space: writing goes on by itself.",
    ),
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
    sqlite3.SQLITE_PERM: _NOT_WRITABLE,
    sqlite3.SQLITE_CANTOPEN: (
        "The database cannot be opened.",
        "Make the data directory and messengers.db readable and writable for this user.",
    ),
    sqlite3.SQLITE_IOERR: ("The disk failed while the database used it.", "Check the disk."),
    sqlite3.SQLITE_CORRUPT: DAMAGED,
    sqlite3.SQLITE_NOTADB: DAMAGED,
    sqlite3.SQLITE_BUSY: (
        "Another program holds the database locked.",
        "Close whatever else has messengers.db open.",
    ),
}


def make_file(path: Path) -> None:
    """Create the file as 0600, or narrow the rights of one that is there.

    SQLite gives its -wal and -shm files the rights of the database.
    """
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
        if os.name != "nt" and path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as exc:
        raise StorageUnavailable(*_NOT_WRITABLE) from exc


def wal_of(path: Path) -> Path:
    """The write-ahead log beside a database."""
    return path.with_name(path.name + "-wal")


def engine(path: Path, *, foreign_keys: bool = True) -> Engine:
    """The engine behind the one writing connection.

    Transactions begin IMMEDIATE: a deferred one that meets another writer fails at once, whatever
    the busy timeout. Migrations rebuild tables, and so take it without foreign keys.
    """

    def connect() -> sqlite3.Connection:
        connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        try:
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            connection.execute(f"PRAGMA foreign_keys={int(foreign_keys)}")
        except BaseException:
            connection.close()
            raise
        return connection

    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    made = create_engine("sqlite://", creator=connect, poolclass=StaticPool)
    event.listen(made, "begin", begin)
    return made


def raw(conn: Connection) -> sqlite3.Connection:
    """The driver's connection under a unit's: a fifth of the time per statement."""
    return cast("sqlite3.Connection", conn.connection.driver_connection)


def last_key(conn: Connection, table: str) -> int:
    """The highest key that an autoincremented table ever had; 0 before the first."""
    found = raw(conn).execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
    return found[0] if found else 0


def take_room(conn: Connection) -> None:
    """Write what a burst of messages takes, and take it back; fails where there is no room."""
    connection = raw(conn)
    connection.execute("INSERT OR REPLACE INTO setting VALUES ('room', ?)", (" " * _BURST_BYTES,))
    connection.execute("DELETE FROM setting WHERE name = 'room'")


def open_reader(path: Path) -> sqlite3.Connection:
    """A connection that can only read; any one thread at a time may use it."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False, isolation_level=None)
    connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    return connection


@contextmanager
def storage_errors() -> Generator[None]:
    """Say in one sentence what is wrong with the disk, the file or its rights.

    A statement's own errors pass as they are.
    """
    try:
        yield
    except (sqlite3.Error, DBAPIError) as exc:
        found = exc.orig if isinstance(exc, DBAPIError) else exc
        code: int = getattr(found, "sqlite_errorcode", 0)
        cause = _CAUSES.get(code & 0xFF)  # the low byte is the primary code
        if cause is None:
            raise
        raise StorageUnavailable(*cause) from exc
