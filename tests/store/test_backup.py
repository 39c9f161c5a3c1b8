"""Backups: whole, private, made while everything runs, and without the key."""

import sqlite3
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


async def test_what_an_interrupted_backup_left_is_in_nobodys_way(
    store: Store, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.db"
    (tmp_path / "copy.db.part").write_bytes(b"half of it")

    await store.backup(copy)

    assert look(copy) == ("ok", 0)
    assert names(tmp_path) == {"home", "copy.db"}
