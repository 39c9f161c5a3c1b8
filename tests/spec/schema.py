"""Writes `schema.sql`, from which a new database is made, out of what the revisions make.

    .venv/bin/python tests/spec/schema.py

Run it after a new revision; a test tells when it was forgotten.
"""

import sqlite3
import sys
import tempfile
from contextlib import closing
from pathlib import Path

from messengers.store import sqlite
from messengers.store.migrations import REVISIONS, SCHEMA, upgrade

# What SQLite makes by itself has no statement or is made along with another one.
STATEMENTS = """
    SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite^_%' ESCAPE '^'
    AND name NOT LIKE 'message^_search^_%' ESCAPE '^' AND name NOT LIKE 'passage^_%' ESCAPE '^'
    ORDER BY tbl_name, type DESC, name
"""


def schema_of(database: Path) -> str:
    """All statements that make what is in a database."""
    with closing(sqlite3.connect(database)) as connection:
        found = [str(sql).replace("\t", "    ") for (sql,) in connection.execute(STATEMENTS)]
    return "\n".join(f"{clean(sql)};\n" for sql in found)


def clean(sql: str) -> str:
    return "\n".join(line.rstrip() for line in sql.splitlines())


def migrated_schema(directory: Path) -> str:
    """What the revisions make of an empty database."""
    database = directory / "messengers.db"
    sqlite.make_file(database)
    upgrade(database, REVISIONS[-1])
    return schema_of(database)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        SCHEMA.write_text(migrated_schema(Path(directory)), "utf-8")
    sys.stdout.write(f"wrote {SCHEMA}\n")
