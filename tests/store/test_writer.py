"""The writer: what is answered is durable, what fails undoes only itself."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from messengers.errors import StorageUnavailable
from messengers.store import sqlite
from messengers.store.writer import Writer

Rows = Callable[[], list[int]]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "messengers.db"
    sqlite.make_file(path)
    return path


@pytest.fixture
def writer(database: Path) -> Iterator[Writer]:
    opened = Writer(database)
    opened.opening(_make_tables)
    opened.start()
    yield opened
    opened.close()


@pytest.fixture
def stored(database: Path) -> Rows:
    """What another connection sees."""

    def read() -> list[int]:
        connection = sqlite3.connect(database)
        found = connection.execute("SELECT x FROM n ORDER BY x").fetchall()
        connection.close()
        return [x for (x,) in found]

    return read


def _make_tables(conn: Connection) -> None:
    conn.exec_driver_sql("CREATE TABLE n(x INTEGER PRIMARY KEY)")
    conn.exec_driver_sql("CREATE TABLE blob(x BLOB)")


def _add(x: int) -> Callable[[Connection], int]:
    def unit(conn: Connection) -> int:
        conn.exec_driver_sql("INSERT INTO n VALUES (?)", (x,))
        return x

    return unit


def _fill(conn: Connection) -> None:
    conn.exec_driver_sql("INSERT INTO blob VALUES (zeroblob(1000000))")


def _limit_to_what_is_there(conn: Connection) -> None:
    pages = sqlite.raw(conn).execute("PRAGMA page_count").fetchone()[0]
    sqlite.raw(conn).execute(f"PRAGMA max_page_count={pages + 4}")


def _give_space(conn: Connection) -> None:
    sqlite.raw(conn).execute("PRAGMA max_page_count=1000000")


async def test_a_result_comes_after_its_commit(writer: Writer, stored: Rows) -> None:
    assert await writer.run(_add(7)) == 7
    assert stored() == [7]


async def test_the_connection_is_as_durable_and_strict_as_promised(writer: Writer) -> None:
    names = ("journal_mode", "synchronous", "busy_timeout", "journal_size_limit", "foreign_keys")

    def read(conn: Connection) -> list[object]:
        return [conn.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await writer.run(read) == ["wal", 2, 5_000, 64 * 1024 * 1024, 1]


async def test_a_unit_that_fails_undoes_only_itself(writer: Writer, stored: Rows) -> None:
    def fails_late(conn: Connection) -> None:
        _add(2)(conn)
        raise LookupError("mine")

    async with anyio.create_task_group() as group:
        group.start_soon(writer.run, _add(1))
        with pytest.raises(LookupError, match="mine"):
            await writer.run(fails_late)
        group.start_soon(writer.run, _add(3))

    assert stored() == [1, 3]


async def test_a_broken_constraint_reaches_the_unit_that_broke_it(
    writer: Writer, stored: Rows
) -> None:
    await writer.run(_add(1))

    with pytest.raises(IntegrityError):
        await writer.run(_add(1))

    assert stored() == [1]


async def test_units_that_wait_share_one_commit(writer: Writer, database: Path) -> None:
    inside, go = threading.Event(), threading.Event()
    begun: list[str] = []

    def hold(_conn: Connection) -> None:
        inside.set()
        go.wait(10)

    def traced(conn: Connection) -> None:
        sqlite.raw(conn).set_trace_callback(begun.append)

    async with anyio.create_task_group() as group:
        group.start_soon(writer.run, hold)
        await anyio.to_thread.run_sync(inside.wait)
        group.start_soon(writer.run, traced)
        for x in range(600):
            group.start_soon(writer.run, _add(x))
        await anyio.wait_all_tasks_blocked()
        go.set()

    begins = [sql for sql in begun if sql.startswith("BEGIN")]
    assert len(begins) == 1  # the first 500 began before the trace, the rest in one more
    assert begins == ["BEGIN IMMEDIATE"]


async def test_cancelling_stops_the_waiting_not_the_write(writer: Writer, stored: Rows) -> None:
    inside, go = threading.Event(), threading.Event()

    def hold(conn: Connection) -> None:
        inside.set()
        go.wait(10)
        _add(1)(conn)

    async with anyio.create_task_group() as group:
        group.start_soon(writer.run, hold)
        await anyio.to_thread.run_sync(inside.wait)
        group.start_soon(writer.run, _add(2))
        await anyio.wait_all_tasks_blocked()
        group.cancel_scope.cancel()
    go.set()
    await writer.run(_add(3))

    assert stored() == [1, 2, 3]


async def test_a_full_disk_fails_its_units_and_writing_goes_on_when_there_is_space(
    writer: Writer, stored: Rows
) -> None:
    await writer.run(_add(1))
    await writer.run(_limit_to_what_is_there)
    errors: list[StorageUnavailable] = []

    async def write(unit: Callable[[Connection], object]) -> None:
        with pytest.raises(StorageUnavailable) as caught:
            await writer.run(unit)
        errors.append(caught.value)

    async with anyio.create_task_group() as group:
        group.start_soon(write, _fill)
    await writer.run(_give_space)
    await writer.run(_fill)
    await writer.run(_add(2))

    assert [error.code for error in errors] == ["storage_unavailable"]
    assert "full" in errors[0].cause
    assert stored() == [1, 2]


async def test_whoever_shares_the_commit_of_a_full_disk_is_told_too(
    writer: Writer, stored: Rows
) -> None:
    await writer.run(_limit_to_what_is_there)
    inside, go = threading.Event(), threading.Event()
    told: list[str] = []

    def hold(_conn: Connection) -> None:
        inside.set()
        go.wait(10)

    async def refused(unit: Callable[[Connection], object]) -> None:
        with pytest.raises(StorageUnavailable) as caught:
            await writer.run(unit)
        told.append(caught.value.cause)

    async with anyio.create_task_group() as group:
        group.start_soon(writer.run, hold)
        await anyio.to_thread.run_sync(inside.wait)
        for unit in (_add(1), _fill, _add(2)):
            group.start_soon(refused, unit)
        await anyio.wait_all_tasks_blocked()
        go.set()
    await writer.run(_give_space)
    await writer.run(_add(3))

    assert len(told) == 3
    assert stored() == [3]


async def test_a_database_locked_by_another_program_is_said_and_survived(
    writer: Writer, database: Path, stored: Rows
) -> None:
    await writer.run(lambda conn: sqlite.raw(conn).execute("PRAGMA busy_timeout=1"))
    other = sqlite3.connect(database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StorageUnavailable, match="locked"):
        await writer.run(_add(1))
    other.execute("ROLLBACK")
    other.close()
    await writer.run(_add(2))

    assert stored() == [2]


async def test_a_commit_that_is_refused_fails_whoever_shared_it(
    writer: Writer, stored: Rows
) -> None:
    def owe(conn: Connection) -> None:
        conn.exec_driver_sql("CREATE TABLE debt(x REFERENCES n(x) DEFERRABLE INITIALLY DEFERRED)")
        conn.exec_driver_sql("INSERT INTO debt VALUES (404)")

    with pytest.raises(StorageUnavailable, match="refused to commit"):
        await writer.run(owe)
    await writer.run(_add(1))

    assert stored() == [1]


@pytest.mark.parametrize("sql", ["COMMIT", "ROLLBACK"])
async def test_a_unit_that_ends_the_transaction_fails_and_the_next_one_runs(
    writer: Writer, stored: Rows, sql: str
) -> None:
    with pytest.raises(StorageUnavailable):
        await writer.run(lambda conn: sqlite.raw(conn).execute(sql))
    await writer.run(_add(1))

    assert stored() == [1]


async def test_a_unit_that_breaks_off_leaves_the_writer_alive(writer: Writer, stored: Rows) -> None:
    class Stopped(BaseException):
        pass

    def stop(conn: Connection) -> None:
        _add(1)(conn)
        raise Stopped

    with pytest.raises(Stopped):
        await writer.run(stop)
    await writer.run(_add(2))

    assert stored() == [2]


async def test_closing_finishes_what_waits_and_refuses_what_comes_after(
    writer: Writer, stored: Rows
) -> None:
    async with anyio.create_task_group() as group:
        for x in range(20):
            group.start_soon(writer.run, _add(x))
        await anyio.wait_all_tasks_blocked()
        await anyio.to_thread.run_sync(writer.close)

    assert stored() == list(range(20))
    with pytest.raises(StorageUnavailable, match="closed"):
        await writer.run(_add(99))


def test_an_answer_to_a_loop_that_ended_is_dropped(writer: Writer, stored: Rows) -> None:
    inside, go = threading.Event(), threading.Event()

    def hold(_conn: Connection) -> None:
        inside.set()
        go.wait(10)

    async def leave() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(writer.run, hold)
            await anyio.to_thread.run_sync(inside.wait)
            group.cancel_scope.cancel()

    anyio.run(leave)
    go.set()

    assert anyio.run(writer.run, _add(5)) == 5
    assert stored() == [5]


async def test_a_large_log_is_cut(database: Path) -> None:
    writer = Writer(database, large_wal_bytes=200_000)
    writer.opening(_make_tables)
    writer.start()
    try:
        await writer.run(_fill)
        # The log is cut after the answer, and before the next unit.
        await writer.run(lambda _conn: None)
        small_bytes = sqlite.wal_of(database).stat().st_size
    finally:
        writer.close()

    assert small_bytes < 200_000


async def test_a_reader_holds_the_log_only_for_a_while(database: Path) -> None:
    writer = Writer(database, large_wal_bytes=200_000)
    writer.opening(_make_tables)
    writer.start()
    reader = sqlite3.connect(database, isolation_level=None)
    try:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM n").fetchall()
        await writer.run(_fill)
        await writer.run(_add(1))
        held_bytes = sqlite.wal_of(database).stat().st_size
        reader.execute("ROLLBACK")
        await writer.run(_fill)
        await writer.run(_fill)
        await writer.run(_add(2))
        freed_bytes = sqlite.wal_of(database).stat().st_size
    finally:
        reader.close()
        writer.close()

    assert held_bytes > 200_000
    assert freed_bytes < 200_000


async def test_a_log_that_cannot_be_cut_stops_no_writing(database: Path) -> None:
    def refuse(_action: int, name: str | None, *_: str | None) -> int:
        return sqlite3.SQLITE_DENY if name == "wal_checkpoint" else sqlite3.SQLITE_OK

    def forbid_cutting(conn: Connection) -> None:
        sqlite.raw(conn).set_authorizer(refuse)

    writer = Writer(database, large_wal_bytes=1)
    writer.opening(_make_tables)
    writer.start()
    try:
        await writer.run(forbid_cutting)
        await writer.run(_fill)

        assert await writer.run(_add(1)) == 1
        assert sqlite.wal_of(database).stat().st_size > 1_000_000
    finally:
        writer.close()


async def test_a_log_that_somebody_removed_stops_no_writing(writer: Writer, database: Path) -> None:
    await writer.run(_add(1))
    sqlite.wal_of(database).unlink()

    assert await writer.run(_add(2)) == 2


@pytest.mark.parametrize("content", [None, b"This is no database. " * 500])
def test_what_cannot_be_opened_is_said(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "directory" / "messengers.db"
    if content is not None:
        path.parent.mkdir()
        path.write_bytes(content)

    with pytest.raises(StorageUnavailable):
        Writer(path)


async def test_an_idle_writer_folds_its_log_into_the_database(database: Path) -> None:
    writer = Writer(database, idle_s=0.01)
    writer.opening(_make_tables)
    writer.start()
    wal = sqlite.wal_of(database)
    try:
        await writer.run(_add(1))
        with anyio.fail_after(5):
            while wal.stat().st_size:
                await anyio.lowlevel.checkpoint()
    finally:
        writer.close()

    assert not wal.exists()
