"""The file that links an account to its phone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from messengers.errors import Conflict, InvalidInput
from messengers.providers.whatsapp_web import session
from messengers.providers.whatsapp_web.protocol import secret_of

TABLE = "CREATE TABLE whatsmeow_message_secrets (message_id TEXT, key BLOB)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wa" / session.FILE


def write(file: Path, *statements: str, key: str = "") -> None:
    file.parent.mkdir(exist_ok=True)
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
        if key:
            row = ("3EB0ID", secret_of(key))
            connection.execute("INSERT INTO whatsmeow_message_secrets VALUES (?, ?)", row)


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
    write(source, TABLE, key="k1")
    source.chmod(0o644)

    session.adopt(source, file)
    session.prepare(file)

    assert session.begun(file, "k1") == "3EB0ID"
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert sorted(path.name for path in file.parent.iterdir())[0] == session.FILE


def test_a_send_that_never_began_has_no_id(file: Path) -> None:
    assert session.begun(file, "k1") is None
    write(file, "CREATE TABLE other (id)")
    assert session.begun(file, "k1") is None
    write(file, TABLE, key="k2")
    assert session.begun(file, "k1") is None
    assert session.begun(file, "k2") == "3EB0ID"


def test_a_damaged_session_file_is_not_taken_for_a_send_that_never_began(file: Path) -> None:
    file.parent.mkdir()
    file.write_bytes(b"SQLite format 3\0" + bytes(4096))

    with pytest.raises(sqlite3.DatabaseError):
        session.begun(file, "k1")


def test_what_is_no_session_is_not_adopted(file: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes.txt"
    other.write_text("no database", "utf-8")
    link = tmp_path / "link.db"
    link.symlink_to(other)

    for source in (other, link, tmp_path / "missing.db"):
        with pytest.raises(InvalidInput):
            session.adopt(source, file)

    assert not file.exists()


def test_a_session_that_is_there_is_not_overwritten(file: Path, tmp_path: Path) -> None:
    source = tmp_path / "theirs.db"
    write(source, TABLE)
    write(file, TABLE, key="k1")

    with pytest.raises(Conflict):
        session.adopt(source, file)

    assert session.begun(file, "k1") == "3EB0ID"


def test_forgetting_a_session_leaves_nothing_of_it(file: Path) -> None:
    write(file, TABLE)
    for name in (f"{session.FILE}-wal", f"{session.FILE}-shm", "timers.json"):
        (file.parent / name).write_bytes(b"")

    session.forget(file)

    assert list(file.parent.iterdir()) == []
