"""The file that links an account to its phone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from messengers.errors import InvalidInput
from messengers.providers.whatsapp_web import session
from tests.providers.whatsapp_web.databases import DEVICES, ONE_DEVICE, TABLE, write


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wa" / session.FILE


def test_a_new_session_is_private_and_waits_for_the_disk_once_a_commit(file: Path) -> None:
    file.parent.mkdir()

    session.prepare(file)
    session.prepare(file)

    with closing(sqlite3.connect(file)) as connection:
        (mode,) = connection.execute("PRAGMA journal_mode").fetchone()
    assert mode == "wal"
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_adopted_session_becomes_private_and_stays_readable(file: Path, tmp_path: Path) -> None:
    source = tmp_path / "theirs.db"
    write(source, TABLE, DEVICES, ONE_DEVICE, key="k1")
    source.chmod(0o644)
    file.parent.mkdir()

    session.adopt(source, file)
    session.prepare(file)

    assert session.begun(file, "k1") == "3EB0ID"
    assert file.stat().st_mode & 0o777 == 0o600
    assert not source.exists()


def test_a_send_that_never_began_has_no_id(file: Path) -> None:
    write(file, TABLE, DEVICES, ONE_DEVICE, key="k2")

    assert session.begun(file, "k1") is None
    assert session.begun(file, "k2") == "3EB0ID"


@pytest.mark.parametrize("statements", [(), ("CREATE TABLE other (id)",), (TABLE, DEVICES)])
def test_without_a_link_nobody_knows_whether_a_send_began(
    file: Path, statements: tuple[str, ...]
) -> None:
    write(file, *statements)

    assert session.begun(file, "k1") == ""
    assert session.begun(file.with_name("missing"), "k1") == ""


def test_a_damaged_session_file_is_not_taken_for_a_send_that_never_began(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"SQLite format 3\0" + bytes(4096))

    with pytest.raises(sqlite3.DatabaseError):
        session.begun(file, "k1")


@pytest.mark.parametrize(
    "statements", [(TABLE,), (TABLE, DEVICES), (TABLE, DEVICES, ONE_DEVICE, ONE_DEVICE)]
)
def test_a_database_that_holds_not_one_account_is_not_adopted(
    file: Path, tmp_path: Path, statements: tuple[str, ...]
) -> None:
    source = tmp_path / "theirs.db"
    write(source, *statements)

    with pytest.raises(InvalidInput, match="no session of one WhatsApp account"):
        session.adopt(source, file)

    assert not file.exists()


def test_what_is_no_database_is_not_adopted(file: Path, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("no database", "utf-8")

    with pytest.raises(InvalidInput, match="no session of one WhatsApp account"):
        session.adopt(notes, file)

    assert not file.exists()


def test_forgetting_a_session_leaves_nothing_of_it(file: Path) -> None:
    write(file, TABLE)
    for name in (f"{session.FILE}-wal", f"{session.FILE}-shm", "timers.json"):
        (file.parent / name).write_bytes(b"")

    session.forget(file)

    assert list(file.parent.iterdir()) == []
