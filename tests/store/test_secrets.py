"""Secrets at rest: sealed to their row, by a key that is proven and never replaced."""

import importlib
import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert

from messengers.clock import SystemClock
from messengers.errors import StorageUnavailable
from messengers.store import Store, sqlite
from messengers.store.tables import CredentialRow, SettingRow, table
from tests.store.conftest import INSTANCE, add_chat

CANARY = b"canary-7d1f0f1c5e"
PLACE = ("credential", INSTANCE, "token")
FAKE_KEYRING = """
import json, pathlib
from keyring import errors
_FILE = pathlib.Path(__file__).with_name("entries.json")

def _entries():
    return json.loads(_FILE.read_text()) if _FILE.exists() else {}

def get_password(service, entry):
    if _FILE.with_name("locked").exists():
        raise errors.KeyringError("locked")
    return _entries().get(f"{service}:{entry}")

def set_password(service, entry, text):
    if _FILE.with_name("read-only").exists():
        raise errors.KeyringError("read-only")
    if not _FILE.with_name("forgetful").exists():
        _FILE.write_text(json.dumps(_entries() | {f"{service}:{entry}": text}))

def delete_password(service, entry):
    entries = _entries()
    del entries[f"{service}:{entry}"]
    _FILE.write_text(json.dumps(entries))
"""


@pytest.fixture
def keyring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A keyring library that keeps its entries in a file; the directory it stands in."""
    package = tmp_path / "libraries" / "keyring"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(FAKE_KEYRING)
    (package / "errors.py").write_text("class KeyringError(Exception): pass\n")
    monkeypatch.setattr(sys, "path", [str(package.parent), *sys.path])
    importlib.invalidate_caches()
    for name in ("keyring", "keyring.errors"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    return package


async def open_once(home: Path, *, keyring: bool = False) -> Store:
    """Opened and closed: its keys are all that is asked for."""
    store = await Store.open(home, SystemClock(), keyring=keyring)
    await store.aclose()
    return store


async def refusal(home: Path, *, keyring: bool = False) -> StorageUnavailable:
    with pytest.raises(StorageUnavailable) as caught:
        await open_once(home, keyring=keyring)
    return caught.value


async def add_credential(store: Store) -> None:
    blob = store.cipher.seal(*PLACE, CANARY)

    def unit(conn: Connection) -> None:
        add_chat(conn)
        values = {"instance_id": INSTANCE, "field": "token", "ciphertext": blob}
        conn.execute(insert(table(CredentialRow)).values(values))

    await store.write(unit)


def contents(home: Path) -> dict[str, bytes]:
    """Every file but the database's own shared memory."""
    files = [each for each in home.rglob("*") if each.is_file() and each.suffix != ".db-shm"]
    return {each.name: each.read_bytes() for each in files}


async def test_what_is_sealed_opens_in_its_place(store: Store) -> None:
    assert store.cipher.open(*PLACE, store.cipher.seal(*PLACE, CANARY)) == CANARY
    assert store.cipher.seal(*PLACE, CANARY) != store.cipher.seal(*PLACE, CANARY)


@pytest.mark.case("S63")
@pytest.mark.parametrize(
    "place",
    [
        ("webhook_endpoint", INSTANCE, "token"),
        ("credential", INSTANCE[:-1] + "9", "token"),
        ("credential", INSTANCE, "secret"),
        ("credential", INSTANCE + "t", "oken"),
    ],
)
async def test_what_is_sealed_opens_in_no_other_place(
    store: Store, place: tuple[str, str, str]
) -> None:
    blob = store.cipher.seal(*PLACE, CANARY)

    with pytest.raises(StorageUnavailable):
        store.cipher.open(*place, blob)


@pytest.mark.case("S63")
async def test_a_changed_or_cut_ciphertext_does_not_open(store: Store) -> None:
    blob = store.cipher.seal(*PLACE, CANARY)
    changed = [blob[:at] + bytes([blob[at] ^ 1]) + blob[at + 1 :] for at in range(len(blob))]

    for damaged in [*changed, b"", blob[:5], blob[:-1], blob + b"\0"]:
        with pytest.raises(StorageUnavailable):
            store.cipher.open(*PLACE, damaged)


@pytest.mark.case("S63")
async def test_a_secret_stands_in_no_file_in_the_clear(store: Store) -> None:
    await add_credential(store)
    await store.backup(store.home / "copy.db")

    found = contents(store.home)

    assert {"messengers.db", "messengers.db-wal", "copy.db"} <= found.keys()
    assert [name for name, data in found.items() if CANARY in data] == []


@pytest.mark.case("S63")
@pytest.mark.skipif(os.name == "nt", reason="rights are a POSIX matter")
async def test_the_key_is_a_private_file_and_stays_one(home: Path) -> None:
    first = await open_once(home)
    key = home / "secret.key"
    made_as = key.stat().st_mode & 0o777
    key.chmod(0o644)
    second = await open_once(home)

    assert made_as == key.stat().st_mode & 0o777 == 0o600
    assert first.pepper == second.pepper


async def test_every_purpose_has_a_key_of_its_own(home: Path, tmp_path: Path) -> None:
    store, other = await open_once(home), await open_once(tmp_path / "other")
    keys = [store.pepper, store.request_state_key, other.pepper, other.request_state_key]

    assert len(set(keys)) == 4
    assert {len(key) for key in keys} == {32}


@pytest.mark.case("S63")
@pytest.mark.case("F10")
async def test_a_missing_key_is_never_made_anew(home: Path) -> None:
    await open_once(home)
    key = home / "secret.key"
    kept = key.read_bytes()
    key.unlink()
    before = contents(home)

    error = await refusal(home)
    after = contents(home)
    key.write_bytes(kept)
    await open_once(home)

    assert "secret.key, is missing" in error.cause
    assert "MESSENGERS_KEYRING" in error.remedy
    assert before == after


@pytest.mark.case("S63")
@pytest.mark.parametrize(
    ("content", "cause"),
    [
        (b"MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n", "is not the key of this store"),
        (b"", "holds no key"),
        (b"\xff\xfe\x00", "holds no key"),
        (b"bm90IGEga2V5", "holds no key"),
        (b"not base64!", "holds no key"),
    ],
)
async def test_a_wrong_key_is_refused_and_nothing_overwritten(
    home: Path, content: bytes, cause: str
) -> None:
    await open_once(home)
    (home / "secret.key").write_bytes(content)
    before = contents(home)

    error = await refusal(home)

    assert cause in error.cause
    assert contents(home) == before


@pytest.mark.case("S63")
async def test_a_store_whose_proof_was_taken_out_trusts_no_key(home: Path) -> None:
    store = await Store.open(home, SystemClock())
    await add_credential(store)
    await store.write(lambda conn: conn.execute(delete(table(SettingRow))))
    await store.aclose()

    assert "is not the key of this store" in (await refusal(home)).cause
    (home / "secret.key").unlink()
    assert "is missing" in (await refusal(home)).cause


async def test_a_key_without_a_store_is_taken(home: Path, tmp_path: Path) -> None:
    first = await open_once(home)
    store = tmp_path / "without database"
    shutil.copytree(home, store, ignore=shutil.ignore_patterns("messengers.db*"))

    assert (await open_once(store)).pepper == first.pepper


async def test_a_key_that_cannot_be_written_leaves_nothing_behind(home: Path) -> None:
    (home / "secret.key.part" / "in the way").mkdir(parents=True)

    error = await refusal(home)

    assert "cannot be written" in error.cause
    assert not (home / "secret.key").exists()


@pytest.mark.case("F10")
async def test_a_key_that_cannot_be_read_is_said(home: Path) -> None:
    (home / "secret.key").mkdir(parents=True)

    assert "cannot be read" in (await refusal(home)).cause


async def test_the_keyring_holds_the_key_of_who_opts_in(home: Path, keyring: Path) -> None:
    first = await open_once(home, keyring=True)
    second = await open_once(home, keyring=True)
    entries = json.loads((keyring / "entries.json").read_text())

    assert first.pepper == second.pepper
    assert not (home / "secret.key").exists()
    assert list(entries) == [f"messengers:{home}"]


async def test_a_key_in_the_file_is_copied_to_the_keyring(home: Path, keyring: Path) -> None:
    first = await open_once(home)
    await open_once(home, keyring=True)
    (home / "secret.key").unlink()
    second = await open_once(home, keyring=True)

    assert first.pepper == second.pepper


async def test_a_wrong_key_does_not_reach_the_keyring(home: Path, keyring: Path) -> None:
    await open_once(home)
    (home / "secret.key").write_text("MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=")

    await refusal(home, keyring=True)

    assert not (keyring / "entries.json").exists()


@pytest.mark.parametrize("fault", ["locked", "read-only", "forgetful"])
async def test_a_keyring_that_fails_is_said(home: Path, keyring: Path, fault: str) -> None:
    (keyring / fault).touch()

    assert "keyring cannot be used" in (await refusal(home, keyring=True)).cause


async def test_a_key_that_left_the_keyring_is_never_made_anew(home: Path, keyring: Path) -> None:
    await open_once(home, keyring=True)
    (keyring / "entries.json").unlink()

    error = await refusal(home, keyring=True)

    assert "missing from the keyring" in error.cause
    assert "MESSENGERS_KEYRING" not in error.remedy


async def test_opting_in_without_the_library_says_how_to_get_it(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)

    error = await refusal(home, keyring=True)

    assert "not installed" in error.cause
    assert "pip install keyring" in error.remedy
    assert not (home / "secret.key").exists()
    assert (home / sqlite.DATABASE).exists()
