"""Power is lost: nothing that the disk had not got is half there, and what was told is there."""

import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Connection

from messengers.store import sqlite
from messengers.store.writer import Writer

pytestmark = pytest.mark.timeout(60)
Scaled = Callable[[int, int], int]
CLAIMS = 40


def opened(path: Path) -> Writer:
    sqlite.make_file(path)
    writer = Writer(path)
    writer.opening(
        lambda conn: conn.exec_driver_sql("CREATE TABLE claim (id INTEGER PRIMARY KEY, text TEXT)")
    )
    writer.start()
    return writer


def claim(number: int) -> Callable[[Connection], None]:
    def unit(conn: Connection) -> None:
        sqlite.raw(conn).execute("INSERT INTO claim VALUES (?, ?)", (number, "x" * 300))

    return unit


def copied(path: Path, target: Path, wal_bytes: int) -> Path:
    """The database as a disk has it that got so many bytes of the log."""
    shutil.copyfile(path, target)
    with sqlite.wal_of(path).open("rb") as whole:
        sqlite.wal_of(target).write_bytes(whole.read(wal_bytes))
    return target


def found(path: Path) -> list[int]:
    """The claims, after the checks that SQLite has."""
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        made = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,)
        rows = connection.execute("SELECT id FROM claim ORDER BY id").fetchall() if made else []
    for file in (path, sqlite.wal_of(path), path.with_name(path.name + "-shm")):
        file.unlink(missing_ok=True)
    return [number for (number,) in rows]


@pytest.mark.case("F12")
@pytest.mark.soak
async def test_a_torn_log_leaves_a_prefix_and_every_claim_that_was_told(
    tmp_path: Path, scaled: Scaled
) -> None:
    path, step = tmp_path / "messengers.db", scaled(64 * 16, 64)
    writer = opened(path)
    try:
        told: list[tuple[int, int]] = []
        for number in range(1, CLAIMS + 1):
            await writer.run(claim(number))
            # What was told is in the log by then: FULL waits for the disk.
            told.append((sqlite.wal_of(path).stat().st_size, number))
        whole = sqlite.wal_of(path).stat().st_size
        for kept in [*range(0, whole, step), whole]:
            claims = found(copied(path, tmp_path / "torn.db", kept))
            promised = max((number for size, number in told if size <= kept), default=0)
            assert claims == list(range(1, len(claims) + 1))
            assert len(claims) >= promised
        synchronous = await writer.run(
            lambda conn: sqlite.raw(conn).execute("PRAGMA synchronous").fetchone()[0]
        )
    finally:
        writer.close()

    assert synchronous == 2
