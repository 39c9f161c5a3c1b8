"""A backup put back: whole, private, and nothing that may have left leaves again."""

import os
import random
import shutil
import sqlite3
import statistics
import tarfile
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection, insert

from messengers.clock import SystemClock
from messengers.core.bulk import Addressee
from messengers.core.callers import OWNER
from messengers.errors import InvalidInput, StorageUnavailable
from messengers.store import Store
from messengers.store.integrity import fault_of
from messengers.store.restore import restore
from messengers.store.tables import EventRow, table
from tests.core.conftest import OpenHouse, open_house
from tests.store.test_backup import ONE, OTHER, add_sessions

__all__ = ["open_house"]

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVENTS = table(EventRow)
Scaled = Callable[[int, int], int]


async def remember(store: Store, word: str) -> None:
    def unit(conn: Connection) -> None:
        conn.execute(insert(EVENTS).values(at=1, kind=word, instance_id="", data="x" * 500))

    await store.write(unit)


def words(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [str(kind) for (kind,) in connection.execute("SELECT kind FROM event ORDER BY seq")]


def names(directory: Path) -> set[str]:
    return {each.name for each in directory.iterdir()}


def contents(directory: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in directory.rglob("*") if file.is_file()}


def damage(database: Path) -> None:
    """Other bytes in the middle of pages, the header left as it is."""
    content = bytearray(database.read_bytes())
    for page in range(1, len(content) // 4096):
        content[page * 4096 : page * 4096 + 64] = os.urandom(64)
    database.write_bytes(content)


async def kept(home: Path, copy: Path, *after: str) -> None:
    """A home with a backup of it, and what was stored since."""
    store = await Store.open(home, SystemClock())
    await remember(store, "before")
    await store.backup(copy)
    for word in after:
        await remember(store, word)
    await store.aclose()


async def test_a_backup_takes_the_place_and_what_was_there_is_set_aside(
    tmp_path: Path, home: Path
) -> None:
    copy = tmp_path / "copy.db"
    await kept(home, copy, "after")

    aside = restore(home, copy, NOW)

    assert aside is not None
    assert aside == home / "backups" / "replaced-20261120T120000.db"
    assert words(aside) == ["before", "after"]
    assert words(home / "messengers.db") == ["before"]
    assert (home / "messengers.db").stat().st_mode & 0o777 == 0o600
    store = await Store.open(home, SystemClock())
    await remember(store, "goes on")
    await store.aclose()
    assert words(home / "messengers.db") == ["before", "goes on"]
    assert names(home) == {"secret.key", "messengers.db", "backups"}


async def test_sessions_come_back_where_that_is_asked_for(tmp_path: Path, home: Path) -> None:
    copy = tmp_path / "copy.db"
    store = await Store.open(home, SystemClock())
    with closing(add_sessions(home)):
        await store.backup(copy, sessions=True)
    await store.aclose()
    session = home / "instances" / ONE
    (session / "keys.json").write_bytes(b"newer")
    shutil.rmtree(home / "instances" / OTHER)

    restore(home, copy, NOW)
    assert (session / "keys.json").read_bytes() == b"newer"
    restore(home, copy, NOW, sessions=True)

    assert (session / "keys.json").read_bytes() == b"{}"
    assert (session / "keys.json").stat().st_mode & 0o777 == 0o600
    assert (home / "instances" / OTHER).stat().st_mode & 0o777 == 0o700
    assert names(session) == {"keys.json", "session.db"}
    with closing(sqlite3.connect(session / "session.db")) as found:
        assert found.execute("SELECT id FROM device").fetchall() == [("linked",)]
    assert (session.with_name(f"{ONE}.old") / "keys.json").read_bytes() == b"newer"
    assert "instances.restored" not in names(home)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        (f"instances/{ONE}/../../secret.key", tarfile.REGTYPE),
        (f"/instances/{ONE}/keys.json", tarfile.REGTYPE),
        ("instances/../secret.key", tarfile.REGTYPE),
        (f"instances/{ONE}", tarfile.REGTYPE),
        ("secret.key", tarfile.REGTYPE),
        (f"instances/{ONE}/keys.json", tarfile.SYMTYPE),
        (f"instances/{ONE}/keys.json", tarfile.FIFOTYPE),
        ("", b""),
    ],
)
async def test_an_archive_of_anything_else_changes_nothing(
    tmp_path: Path, home: Path, name: str, kind: bytes
) -> None:
    copy = tmp_path / "copy.db"
    await kept(home, copy, "after")
    before = contents(home)
    if name:
        with tarfile.open(tmp_path / "copy-sessions.tar", "w") as archive:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = kind, "/etc/hostname"
            archive.addfile(entry)

    with pytest.raises(InvalidInput, match="no archive of sessions"):
        restore(home, copy, NOW, sessions=True)

    assert contents(home) == before


@pytest.mark.case("F11")
async def test_a_damaged_page_stops_the_start_and_a_backup_ends_that(
    tmp_path: Path, home: Path
) -> None:
    copy = tmp_path / "copy.db"
    await kept(home, copy)
    database = home / "messengers.db"
    damage(database)
    before = database.read_bytes()

    with pytest.raises(StorageUnavailable, match="damaged") as raised:
        await Store.open(home, SystemClock())

    assert "messengers restore" in raised.value.remedy
    assert database.read_bytes() == before
    assert fault_of(database) != ""
    aside = restore(home, copy, NOW)
    assert aside is not None
    assert aside.read_bytes() == before
    store = await Store.open(home, SystemClock())
    await store.aclose()
    assert words(database) == ["before"]


@pytest.mark.case("F11")
async def test_damage_that_is_met_later_stops_all_writing(home: Path) -> None:
    store = await Store.open(home, SystemClock())
    for number in range(50):
        await remember(store, f"event {number}")
    assert await store.scrub()
    damage(home / "messengers.db")

    def look(conn: Connection) -> None:
        conn.exec_driver_sql("PRAGMA shrink_memory")
        conn.exec_driver_sql("SELECT count(data) FROM event").fetchall()

    with pytest.raises(StorageUnavailable, match="damaged"):
        await store.write(look)

    assert store.damaged
    with pytest.raises(StorageUnavailable, match="nothing more is written"):
        await remember(store, "later")
    await store.aclose()


async def test_what_is_no_sound_backup_replaces_nothing(tmp_path: Path, home: Path) -> None:
    copy, torn, other = (tmp_path / name for name in ("copy.db", "torn.db", "other.db"))
    await kept(home, copy)
    torn.write_bytes(copy.read_bytes())
    damage(torn)
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE recipes(name TEXT)")
    before = (home / "messengers.db").read_bytes()

    with pytest.raises(StorageUnavailable, match="That backup is damaged"):
        restore(home, torn, NOW)
    with pytest.raises(StorageUnavailable, match="no database of Messengers"):
        restore(home, other, NOW)
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    with pytest.raises(StorageUnavailable, match="no backup of this version"):
        restore(home, copy, NOW)
    with pytest.raises(InvalidInput):
        restore(home, tmp_path / "none.db", NOW)

    assert (home / "messengers.db").read_bytes() == before


async def test_the_backup_of_another_key_is_refused(tmp_path: Path, home: Path) -> None:
    copy, elsewhere = tmp_path / "copy.db", tmp_path / "elsewhere"
    await kept(home, copy)
    other = await Store.open(elsewhere, SystemClock())
    await other.aclose()
    before = (elsewhere / "messengers.db").read_bytes()

    with pytest.raises(StorageUnavailable, match="not the key of this store"):
        restore(elsewhere, copy, NOW)

    assert (elsewhere / "messengers.db").read_bytes() == before


async def test_into_an_empty_directory_with_its_key_a_backup_is_all_it_takes(
    tmp_path: Path, home: Path
) -> None:
    copy, fresh = tmp_path / "copy.db", tmp_path / "fresh"
    await kept(home, copy)
    fresh.mkdir(mode=0o700)
    (fresh / "secret.key").write_bytes((home / "secret.key").read_bytes())

    assert restore(fresh, copy, NOW) is None

    store = await Store.open(fresh, SystemClock())
    await store.aclose()
    assert words(fresh / "messengers.db") == ["before"]


async def test_what_may_have_left_since_is_in_doubt_and_does_not_leave_again(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    copy, home = tmp_path / "copy.db", tmp_path / "home"
    async with open_house() as opened:
        await opened.personal.say("hi ann", **{"from": "me"})
        known = (await opened.told("hi ann")).chat
        await opened.personal.say("who are you", chat="eve")
        eve = (await opened.told("who are you")).chat
        opened.personal.hang = anyio.Event()
        under_way = await opened.send(known, "under way", wait_s=0)
        held = await opened.send(eve, "held")
        later = timedelta(hours=1)
        act = await opened.core.bulk.prepare(OWNER, [Addressee(chat=eve)], "Hi", send_at=later)
        await opened.core.approvals.perform(act)
        await opened.core.store.backup(copy)
        opened.personal.hang.set()
    sent = [text for _, text, _ in opened.personal.accepted]

    restore(home, copy, NOW)

    async with open_house() as opened:
        core = opened.core
        message = (await core.history.get(OWNER, under_way.message)).message
        assert message.delivery == "unknown"
        assert await core.approvals.waiting() == []
        batch = await core.batches.get(OWNER, "b1")
        assert (batch.state, batch.counts) == ("paused", {"waiting": 1})
        assert "may have been written to since" in batch.reason
        assert held.message
        assert [text for _, text, _ in opened.personal.accepted] == sent


@pytest.mark.soak
@pytest.mark.case("F13")
async def test_a_backup_under_load_holds_all_that_was_acknowledged_before_it(
    home: Path, tmp_path: Path, scaled: Scaled
) -> None:
    store = await Store.open(home, SystemClock())
    rate, seconds = scaled(200, 2_000), scaled(2, 20)
    acknowledged: list[str] = []
    took: list[float] = []
    copies: list[tuple[Path, int]] = []
    done = anyio.Event()

    async def produce(name: int) -> None:
        chance, number = random.Random(name), 0
        while not done.is_set():
            started = anyio.current_time()
            await remember(store, f"{name} {number}")
            took.append(anyio.current_time() - started)
            acknowledged.append(f"{name} {number}")
            number += 1
            await anyio.sleep(chance.uniform(0, 20 / rate))

    async with anyio.create_task_group() as tasks:
        for name in range(10):
            tasks.start_soon(produce, name)
        ends = anyio.current_time() + seconds
        while anyio.current_time() < ends:
            copy, before = tmp_path / f"{len(copies)}.db", len(acknowledged)
            await store.backup(copy)
            assert len(acknowledged) >= before
            copies.append((copy, before))
        done.set()
    await store.aclose()

    for copy, before in copies:
        assert fault_of(copy) == ""
        assert set(acknowledged[:before]) <= set(words(copy))
    restore(home, copies[-1][0], NOW)
    assert set(acknowledged[: copies[-1][1]]) <= set(words(home / "messengers.db"))
    assert len(acknowledged) > copies[0][1]
    assert statistics.quantiles(took, n=100)[98] < scaled(2_000, 250) / 1000
