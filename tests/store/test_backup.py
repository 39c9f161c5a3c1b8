"""Backups: whole, private, made while everything runs, and without the key."""

import sqlite3
import tarfile
from contextlib import closing
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection, insert

from messengers.errors import Conflict, StorageUnavailable
from messengers.store import Store
from messengers.store.tables import EventRow, table

EVENTS = table(EventRow)


def add_event(conn: Connection) -> None:
    conn.execute(insert(EVENTS).values(at=1, kind="k", instance_id="", data="x" * 500))


def look(copy: Path) -> tuple[str, int]:
    with closing(sqlite3.connect(copy)) as connection:
        integrity = connection.execute("PRAGMA integrity_check").fetchone()[0]
        return integrity, connection.execute("SELECT count(*) FROM event").fetchone()[0]


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


def names(directory: Path) -> set[str]:
    return {each.name for each in directory.iterdir()}


async def test_a_backup_holds_all_that_was_committed_and_not_the_key(
    store: Store, tmp_path: Path
) -> None:
    await store.write(add_event)
    target = tmp_path / "copies"
    target.joinpath("x").parent.mkdir()
    copy = target / "copy.db"

    note = await store.backup(copy)

    assert look(copy) == ("ok", 1)
    assert rights(copy) == 0o600
    assert names(target) == {"copy.db"}
    assert "secret.key is not in this backup" in note


async def test_a_backup_is_whole_while_others_write(store: Store, tmp_path: Path) -> None:
    copies = [tmp_path / f"{n}.db" for n in range(5)]
    done = anyio.Event()

    async def keep_writing() -> None:
        while not done.is_set():
            await store.write(add_event)

    async with anyio.create_task_group() as group:
        for _ in range(10):
            group.start_soon(keep_writing)
        for copy in copies:
            await store.backup(copy)
        done.set()

    found = [look(copy) for copy in copies]
    assert [integrity for integrity, _ in found] == ["ok"] * 5
    assert [count for _, count in found] == sorted(count for _, count in found)


async def test_a_backup_replaces_no_file(store: Store) -> None:
    before = (store.home / "secret.key").read_bytes()

    with pytest.raises(Conflict):
        await store.backup(store.home / "secret.key")

    assert (store.home / "secret.key").read_bytes() == before


async def test_a_backup_that_cannot_be_written_says_so_and_leaves_nothing(
    store: Store, tmp_path: Path
) -> None:
    with pytest.raises(StorageUnavailable, match="backup could not be written"):
        await store.backup(tmp_path / "nowhere" / "copy.db")

    assert names(tmp_path) == {"home"}


ONE = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
OTHER = ONE.replace("6", "7")


def add_sessions(home: Path) -> sqlite3.Connection:
    """Two instances' sessions: a file, and a database that is in use with its log beside it."""
    first, second = home / "instances" / ONE, home / "instances" / OTHER
    aside = home / "instances" / f"{ONE}.old"
    for place in (first, second, aside):
        place.mkdir(parents=True, mode=0o700)
        (place / "keys.json").write_bytes(b"{}")
    (first / "elsewhere").symlink_to(home / "secret.key")
    used = sqlite3.connect(first / "session.db", isolation_level=None)
    used.execute("PRAGMA journal_mode=WAL")
    used.execute("CREATE TABLE device (id)")
    used.execute("INSERT INTO device VALUES ('linked')")
    return used


async def test_sessions_are_in_no_backup_unless_they_are_asked_for(
    store: Store, tmp_path: Path
) -> None:
    plain, whole = tmp_path / "plain", tmp_path / "whole"
    plain.mkdir()
    whole.mkdir()
    with closing(add_sessions(store.home)):
        told = await store.backup(plain / "copy.db")
        warned = await store.backup(whole / "copy.db", sessions=True)

    assert names(plain) == {"copy.db"}
    assert "sessions" not in told
    archive = whole / "copy-sessions.tar"
    assert names(whole) == {"copy.db", archive.name}
    assert rights(archive) == 0o600
    assert f"{archive} holds the sessions of 2 instances" in warned
    assert "whoever has it has those accounts" in warned


async def test_the_archive_holds_the_files_of_living_instances(
    store: Store, tmp_path: Path
) -> None:
    with closing(add_sessions(store.home)):
        await store.backup(tmp_path / "copy.db", sessions=True)

    with tarfile.open(tmp_path / "copy-sessions.tar") as archive:
        entries = {entry.name: entry.mode for entry in archive.getmembers()}

    assert entries == {
        f"instances/{ONE}/keys.json": 0o600,
        f"instances/{ONE}/session.db": 0o600,
        f"instances/{OTHER}/keys.json": 0o600,
    }


async def test_without_any_session_the_archive_is_empty_and_says_so(
    store: Store, tmp_path: Path
) -> None:
    warned = await store.backup(tmp_path / "copy.db", sessions=True)

    assert "the sessions of 0 instances" in warned
    with tarfile.open(tmp_path / "copy-sessions.tar") as archive:
        assert archive.getnames() == []


async def test_sessions_replace_no_file_and_leave_nothing_behind(
    store: Store, tmp_path: Path
) -> None:
    taken, mine = tmp_path / "taken.db", tmp_path / "mine-sessions.tar"
    taken.write_bytes(b"mine")
    mine.write_bytes(b"mine")

    with pytest.raises(Conflict):
        await store.backup(taken, sessions=True)
    with pytest.raises(Conflict):
        await store.backup(tmp_path / "mine.db", sessions=True)
    with pytest.raises(StorageUnavailable, match="sessions could not be written"):
        await store.backup(tmp_path / "nowhere" / "copy.db", sessions=True)

    assert names(tmp_path) == {"home", "taken.db", "mine-sessions.tar"}
    assert mine.read_bytes() == taken.read_bytes() == b"mine"


async def test_a_session_that_is_locked_is_said_to_be(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messengers.store.sqlite.BUSY_TIMEOUT_MS", 50)
    with closing(add_sessions(store.home)) as used:
        used.execute("PRAGMA journal_mode=DELETE")
        used.execute("BEGIN EXCLUSIVE")

        with pytest.raises(StorageUnavailable, match="sessions could not be written"):
            await store.backup(tmp_path / "copy.db", sessions=True)

    assert names(tmp_path) == {"home"}


async def test_what_an_interrupted_backup_left_is_in_nobodys_way(
    store: Store, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    (tmp_path / "copy.db.part").write_bytes(b"half of it")

    await store.backup(copy)

    assert look(copy) == ("ok", 0)
    assert names(tmp_path) == {"home", "copy.db"}
