"""A program: migrate a database again and again, killed before one statement after the other.

    python killed_migration.py DATABASE SCRIPTS KILLS REVISION...

Starts each time from the database as it was given. Prints one line per kill: the
revision found after the kill, after the restart, and what SQLite thinks of the file.
"""

import json
import os
import shutil
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import Engine, event

from messengers.store.migrations import migrate, stored_revision


def main(database: Path, scripts: Path, kills: int, revisions: tuple[str, ...]) -> None:
    given = database.with_name("given.db")
    if database.exists():
        shutil.copy(database, given)
    statements = count(database, scripts, revisions)
    # The first and the last ones, where files and the commit are, and an even choice between.
    between = range(4, statements - 2, max(1, statements // kills))
    for step in sorted({1, 2, 3, *between, statements - 2, statements - 1, statements}):
        restore(given, database)
        killed = fork(partial(run, database, scripts, revisions, step))
        found = stored_revision(database)
        fork(partial(run, database, scripts, revisions, 0))
        line = {"killed": killed, "found": found, "then": stored_revision(database)}
        sys.stdout.write(json.dumps(line | {"integrity": integrity(database)}) + "\n")


def count(database: Path, scripts: Path, revisions: tuple[str, ...]) -> int:
    """How many statements an undisturbed migration takes, the commit included."""
    copy = database.with_name("counted") / database.name
    copy.parent.mkdir()
    shutil.copy(database, copy)
    return run(copy, scripts, revisions, 0)


def run(database: Path, scripts: Path, revisions: tuple[str, ...], die_at: int) -> int:
    seen = 0

    def counted(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", counted)
    event.listen(Engine, "commit", counted)
    migrate(database, revisions=revisions, scripts=scripts)
    event.remove(Engine, "before_cursor_execute", counted)
    event.remove(Engine, "commit", counted)
    return seen


def fork(work: Callable[[], object]) -> bool:
    """Run in a child; whether it was killed."""
    child = os.fork()
    if child == 0:
        work()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFEXITED(status) and os.WEXITSTATUS(status):
        raise SystemExit("the migration failed by itself")
    return os.WIFSIGNALED(status)


def restore(given: Path, database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{database}{suffix}").unlink(missing_ok=True)
    if given.exists():
        shutil.copy(given, database)
    else:
        database.touch()


def integrity(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), tuple(sys.argv[4:]))
