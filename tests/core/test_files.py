"""Bytes on disk: room, time, and what is never lost for them."""

import os
import stat
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from messengers.core.files import Files, places
from messengers.errors import NotFound, StorageUnavailable

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def later(**time: float) -> datetime:
    return NOW + timedelta(**time)


def put(files: Files, data: bytes, now: datetime = NOW, *, again: bool = False) -> str:
    digest = sha256(data).hexdigest()
    files.write(digest, data, now, given_again=again)
    return digest


def test_what_is_given_again_makes_room_the_longest_unused_first(tmp_path: Path) -> None:
    files = Files(tmp_path, quota_bytes=300, retention_days=0)
    own = put(files, b"o" * 100)
    old = put(files, b"a" * 100, later(minutes=1), again=True)
    used = put(files, b"b" * 100, later(minutes=2), again=True)
    files.read(old, later(minutes=3))

    new = put(files, b"c" * 100, later(minutes=4), again=True)

    assert [files.has(each) for each in (own, old, used, new)] == [True, True, False, True]
    with pytest.raises(NotFound):
        files.read(used, NOW)


def test_what_only_we_have_is_kept_and_a_new_file_is_refused(tmp_path: Path) -> None:
    files = Files(tmp_path, quota_bytes=250, retention_days=0)
    kept = [put(files, each * 100) for each in (b"a", b"b")]

    with pytest.raises(StorageUnavailable, match="used up"):
        put(files, b"c" * 100)

    assert all(files.has(each) for each in kept)
    put(files, b"d" * 50)
    assert list(tmp_path.rglob("*.part")) == []


def test_what_an_earlier_process_stored_counts(tmp_path: Path) -> None:
    put(Files(tmp_path, 0, 0), b"a" * 200)

    with pytest.raises(StorageUnavailable):
        put(Files(tmp_path, 250, 0), b"b" * 100)


def test_room_that_others_freed_is_seen(tmp_path: Path) -> None:
    files = Files(tmp_path, 250, 0)
    digest = put(files, b"a" * 200)
    places(tmp_path, digest)[0].unlink()

    other = put(files, b"b" * 200)

    assert places(tmp_path, other)[0].read_bytes() == b"b" * 200


def test_the_same_file_takes_room_once_and_is_ours_once_we_alone_need_it(tmp_path: Path) -> None:
    files = Files(tmp_path, 250, 0)
    digest = put(files, b"a" * 100, again=True)
    put(files, b"a" * 100, again=True)
    put(files, b"a" * 100)
    own, again = places(tmp_path, digest)

    assert (own.exists(), again.exists()) == (True, True)
    put(files, b"b" * 100, again=True)
    assert (own.exists(), again.exists()) == (True, False)


def test_time_ends_what_nobody_used(tmp_path: Path) -> None:
    files = Files(tmp_path, 0, retention_days=30)
    unused, used = put(files, b"a"), put(files, b"b", again=True)
    files.read(used, later(days=20))

    assert files.expire(later(days=29)) == 0
    assert files.expire(later(days=31)) == 1
    assert (files.has(unused), files.has(used)) == (False, True)
    assert Files(tmp_path, 0, 0).expire(later(days=9_999)) == 0


def test_a_file_is_private_and_its_time_is_that_of_its_last_use(tmp_path: Path) -> None:
    files = Files(tmp_path, 0, 0)
    [path] = [each for each in places(tmp_path, put(files, b"a")) if each.exists()]
    put(files, b"a", later(days=1))

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.stat().st_mtime == later(days=1).timestamp()


def test_a_directory_in_the_way_is_said(tmp_path: Path) -> None:
    files = Files(tmp_path, 0, 0)
    digest = sha256(b"a").hexdigest()
    os.makedirs(places(tmp_path, digest)[0])

    with pytest.raises(StorageUnavailable):
        put(files, b"a")
    with pytest.raises(StorageUnavailable):
        files.read(digest, NOW)
