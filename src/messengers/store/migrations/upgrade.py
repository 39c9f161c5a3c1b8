"""The way from an older database to this one: forward only, in one transaction, after a copy.

A revision that landed is never edited. A new one is a file in `versions/`, named after its number,
and its number goes to the end of REVISIONS. A new database is made from `schema.sql`, which holds
what all revisions make: that takes a quarter of the time, and alembic is imported for an older
database only. Tests hold the revisions equal to `schema.sql` and to `tables.py`.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from messengers.errors import StorageUnavailable
from messengers.store import sqlite
from messengers.store.backup import before_migration

__all__ = ["REVISIONS", "SCHEMA", "SCRIPTS", "migrate", "stored_revision", "upgrade"]

REVISIONS: tuple[str, ...] = (
    "0001",
    "0002",
    "0003",
    "0004",
    "0005",
    "0006",
    "0007",
    "0008",
    "0009",
    "0010",
    "0011",
)
SCRIPTS = Path(__file__).parent
SCHEMA = SCRIPTS / "schema.sql"
"""`python tests/spec/schema.py` writes it from the revisions."""


def migrate(
    database: Path, *, revisions: tuple[str, ...] = REVISIONS, scripts: Path = SCRIPTS
) -> None:
    """Bring the database to the last of `revisions`. Killed at any moment, it starts over whole.

    Raises:
        StorageUnavailable: the database is newer than this program, is none of ours or is damaged.
            It was left as it is.
    """
    found = stored_revision(database)
    if found == revisions[-1]:
        return
    if found is not None and found not in revisions:
        raise StorageUnavailable(
            "The database was written by a newer version of Messengers.", "Install that version."
        )
    if found is None:
        _create(database)
        return
    before_migration(database, revisions[-1])
    upgrade(database, revisions[-1], scripts)


def stored_revision(database: Path) -> str | None:
    """The revision of the database; None when it is empty."""
    with (
        sqlite.storage_errors(),
        closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=rw", uri=True)) as connection,
    ):
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type='table'").fetchall()
        if not tables:
            return None
        if ("alembic_version",) not in tables:
            raise StorageUnavailable(
                "messengers.db is no database of Messengers.", "Move it out of the data directory."
            )
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else ""


def _create(database: Path) -> None:
    """The whole schema and its version row in one transaction."""
    engine = sqlite.engine(database)
    try:
        with sqlite.storage_errors(), engine.begin() as connection:
            for statement in SCHEMA.read_text("utf-8").split(";\n")[:-1]:
                connection.exec_driver_sql(statement)
            connection.exec_driver_sql("INSERT INTO alembic_version VALUES (?)", (REVISIONS[-1],))
    finally:
        engine.dispose()


def upgrade(database: Path, revision: str, scripts: Path = SCRIPTS) -> None:
    """All revisions and the version row in one transaction: SQLite undoes it whole."""
    # Half a second of imports, needed once per release.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(scripts).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    # Rebuilding a table would delete what refers to it, so the keys are checked at the end instead.
    engine = sqlite.engine(database, foreign_keys=False)
    try:
        with sqlite.storage_errors(), engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, revision)
            if connection.exec_driver_sql("PRAGMA foreign_key_check").first():
                raise StorageUnavailable(
                    "The database could not be brought up to date: rows refer to missing ones.",
                    "It was left as it is; a copy lies in backups/.",
                )
    finally:
        engine.dispose()
