"""Opening: a private directory, what was stored before, and a sentence for whatever is wrong."""

import filecmp
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import alembic.command  # before the rights are dropped: imports need them
import pytest
from sqlalchemy import insert, select

from messengers.clock import SystemClock
from messengers.errors import StorageUnavailable
from messengers.store import Store, sqlite
from messengers.store.tables import SettingRow, table

NOBODY = 65_534
SETTINGS = table(SettingRow)
NAMED = select(SETTINGS.c.value).where(SETTINGS.c.name == "mine")
assert alembic.command


@pytest.fixture
def owned_home() -> Iterator[Path]:
    """A home of a user without privileges, whom rights bind: root may write what is read-only."""
    root = Path(tempfile.mkdtemp())
    home = root / "home"
    home.mkdir()
    privileged = os.geteuid() == 0
    if privileged:
        root.chmod(0o755)
        os.chown(home, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, 0)
    yield home
    if privileged:
        os.setresuid(0, 0, 0)
    home.chmod(0o700)
    shutil.rmtree(root)


async def open_and_close(home: Path) -> None:
    store = await Store.open(home, SystemClock())
    await store.aclose()


async def refusal(home: Path) -> StorageUnavailable:
    with pytest.raises(StorageUnavailable) as caught:
        await open_and_close(home)
    return caught.value


def rights(home: Path) -> dict[str, int]:
    return {each.name: each.stat().st_mode & 0o777 for each in (home, *home.iterdir())}


def contents(home: Path) -> dict[str, bytes]:
    return {each.name: each.read_bytes() for each in home.iterdir() if each.is_file()}


async def test_what_was_written_is_there_after_a_restart(home: Path) -> None:
    store = await Store.open(home, SystemClock())
    values = {"name": "mine", "value": "yes"}
    await store.write(lambda conn: conn.execute(insert(SETTINGS), values))
    await store.aclose()

    again = await Store.open(home, SystemClock())
    row = await again.row(NAMED)
    await again.aclose()

    assert row == {"value": "yes"}


async def test_closing_leaves_one_file_and_the_key(home: Path) -> None:
    await open_and_close(home)

    assert sorted(contents(home)) == ["messengers.db", "secret.key"]


async def test_a_store_can_be_closed_twice_and_refuses_after(home: Path) -> None:
    store = await Store.open(home, SystemClock())
    await store.aclose()
    await store.aclose()

    with pytest.raises(StorageUnavailable, match="closed"):
        await store.write(lambda _conn: None)
    with pytest.raises(StorageUnavailable, match="closed"):
        await store.rows(NAMED)


async def test_its_size_counts_the_log_too(store: Store) -> None:
    await store.write(
        lambda conn: conn.execute(insert(SETTINGS).values(name="a", value="b" * 9_999))
    )
    database = store.home / sqlite.DATABASE

    sizes = [each.stat().st_size for each in (database, sqlite.wal_of(database))]
    assert store.size_bytes() == sum(sizes) > sizes[0] > 0


@pytest.mark.skipif(os.name == "nt", reason="rights are a POSIX matter")
async def test_everything_it_makes_is_for_its_owner_only(home: Path) -> None:
    before = os.umask(0)
    try:
        store = await Store.open(home, SystemClock())
        await store.write(lambda conn: conn.execute(insert(SETTINGS).values(name="a", value="b")))
        found = rights(home)
        await store.aclose()
    finally:
        os.umask(before)

    assert found.pop("home") == 0o700
    assert set(found) == {"messengers.db", "messengers.db-wal", "messengers.db-shm", "secret.key"}
    assert set(found.values()) == {0o600}


@pytest.mark.skipif(os.name == "nt", reason="rights are a POSIX matter")
async def test_rights_that_were_opened_are_narrowed(home: Path) -> None:
    await open_and_close(home)
    for path in (home, home / "messengers.db"):
        path.chmod(0o777)

    await open_and_close(home)

    assert rights(home) == {"home": 0o700, "messengers.db": 0o600, "secret.key": 0o600}


@pytest.mark.case("F10")
async def test_a_home_that_is_a_file_is_refused(home: Path) -> None:
    shutil.copy(__file__, home)

    assert "data directory cannot be used" in (await refusal(home)).cause
    assert filecmp.cmp(__file__, home, shallow=False)


@pytest.mark.case("F10")
@pytest.mark.skipif(os.name == "nt", reason="rights are a POSIX matter")
async def test_a_read_only_database_is_refused_and_left_alone(owned_home: Path) -> None:
    await open_and_close(owned_home)
    (owned_home / "messengers.db").chmod(0o400)
    before = contents(owned_home)

    error = await refusal(owned_home)

    assert "cannot be written" in error.cause
    assert contents(owned_home) == before


@pytest.mark.case("F10")
@pytest.mark.skipif(os.name == "nt", reason="rights are a POSIX matter")
async def test_a_read_only_directory_is_refused_and_left_alone(owned_home: Path) -> None:
    await open_and_close(owned_home)
    before = contents(owned_home)
    os.chmod(owned_home, 0o500)

    error = await refusal(owned_home)

    assert error.code == "storage_unavailable"
    assert contents(owned_home) == before


@pytest.mark.case("F10")
@pytest.mark.skipif(os.name == "nt", reason="rights are a POSIX matter")
async def test_an_unreadable_key_is_refused_and_left_alone(owned_home: Path) -> None:
    await open_and_close(owned_home)
    before = contents(owned_home)
    (owned_home / "secret.key").chmod(0)

    error = await refusal(owned_home)
    (owned_home / "secret.key").chmod(0o600)

    assert "secret.key cannot be read" in error.cause
    assert contents(owned_home) == before


async def test_a_damaged_database_is_refused_and_left_alone(home: Path) -> None:
    await open_and_close(home)
    database = home / "messengers.db"
    whole = database.read_bytes()
    database.write_bytes(b"\xff" * 4_096 + whole[4_096:])
    before = contents(home)

    assert "damaged" in (await refusal(home)).cause
    assert contents(home) == before


async def test_readers_that_cannot_open_close_the_writer(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [sqlite.open_reader]

    def only_one(path: Path) -> sqlite3.Connection:
        return readers.pop()(path) if readers else sqlite3.connect(home / "no" / "such.db")

    await open_and_close(home)
    monkeypatch.setattr(sqlite, "open_reader", only_one)

    assert "cannot be opened" in (await refusal(home)).cause
    monkeypatch.undo()
    await open_and_close(home)
