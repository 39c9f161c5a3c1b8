"""Keys: shown once, stored as a keyed hash, and all that do not hold answer alike."""

import hashlib
import hmac
import os
from datetime import timedelta
from pathlib import Path

import pytest

from messengers.core.callers import OWNER
from messengers.core.keys import Keys, read_local_key
from messengers.errors import Conflict, InvalidInput, NotFound, StorageUnavailable
from messengers.models import Preset
from messengers.redaction import redact
from messengers.store import Store
from tests.core.keyring import NOW, SetClock, clock, keys, loaded, store

__all__ = ["clock", "keys", "store"]


def all_bytes(directory: Path) -> bytes:
    return b"".join(file.read_bytes() for file in directory.rglob("*") if file.is_file())


@pytest.mark.case("S59")
async def test_a_key_is_shown_once_and_stored_nowhere(
    keys: Keys, store: Store, tmp_path: Path
) -> None:
    key, secret = await keys.create(OWNER, "cursor")

    await store.aclose()
    stored = all_bytes(tmp_path)

    assert secret.startswith("msk_")
    assert len(secret) >= 4 + 43
    assert secret.encode() not in stored
    assert secret[4:].encode() not in stored
    assert key.prefix.encode() in stored
    assert secret not in key.model_dump_json()
    assert "[redacted]" in redact(f"key {secret}")


@pytest.mark.case("S59")
async def test_what_is_stored_of_a_key_proves_nothing_without_the_pepper(
    keys: Keys, store: Store
) -> None:
    _, secret = await keys.create(OWNER, "cursor")

    (stored,) = await store.write(
        lambda conn: list(conn.exec_driver_sql("SELECT digest FROM api_key").scalars())
    )

    assert stored == hmac.digest(store.pepper, secret.encode(), "sha256").hex()
    assert stored != hashlib.sha256(secret.encode()).hexdigest()
    assert len(store.pepper) >= 32


async def test_no_two_keys_are_alike(keys: Keys) -> None:
    secrets = [(await keys.create(OWNER, f"key {number}"))[1] for number in range(20)]

    assert len(set(secrets)) == 20


@pytest.mark.parametrize("preset", ["reader", "messenger", "setup", "admin"])
async def test_a_key_opens_what_it_was_made_for(keys: Keys, preset: Preset) -> None:
    key, secret = await keys.create(OWNER, "cursor", preset, instances=["i-1", "i-2"])

    caller = keys.verify(secret)

    assert caller is not None
    assert (caller.actor, caller.preset, caller.local) == (key.id, preset, False)
    assert caller.instances == {"i-1", "i-2"}


async def test_a_key_without_instances_sees_all(keys: Keys) -> None:
    _, secret = await keys.create(OWNER, "cursor")

    caller = keys.verify(secret)

    assert caller is not None
    assert caller.sees("any")


@pytest.mark.case("S60")
async def test_unknown_wrong_expired_and_revoked_keys_are_alike(
    keys: Keys, clock: SetClock
) -> None:
    _, revoked = await keys.create(OWNER, "revoked")
    _, expiring = await keys.create(OWNER, "expiring", expires_at=NOW + timedelta(hours=1))
    _, good = await keys.create(OWNER, "good")
    await keys.revoke(OWNER, "revoked")

    assert keys.verify(expiring) is not None

    clock.time += timedelta(hours=1)

    tried = (revoked, expiring, good[:-1], good + "x", good.upper(), "msk_", "", "\ud800", "ключ")
    assert [keys.verify(secret) for secret in tried] == [None] * 9
    assert keys.verify(good) is not None


async def test_keys_survive_a_restart(keys: Keys, store: Store, clock: SetClock) -> None:
    _, good = await keys.create(OWNER, "good", "reader", instances=["i-1"])
    _, revoked = await keys.create(OWNER, "revoked")
    await keys.revoke(OWNER, "revoked")

    again = await loaded(store, clock)

    caller = again.verify(good)
    assert caller is not None
    assert caller.preset == "reader"
    assert again.verify(revoked) is None
    assert [key.name for key in again.list(OWNER)] == ["good", "revoked"]


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "\x1b[2J"])
async def test_a_name_that_does_not_fit_is_refused(keys: Keys, name: str) -> None:
    with pytest.raises(InvalidInput):
        await keys.create(OWNER, name)


async def test_an_end_that_is_past_is_refused(keys: Keys) -> None:
    with pytest.raises(InvalidInput):
        await keys.create(OWNER, "cursor", expires_at=NOW)


async def test_a_name_may_be_used_again_once_its_key_is_revoked(keys: Keys) -> None:
    await keys.create(OWNER, "cursor")
    with pytest.raises(Conflict):
        await keys.create(OWNER, "cursor")
    first = await keys.revoke(OWNER, "cursor")
    second, _ = await keys.create(OWNER, "cursor")

    assert (await keys.revoke(OWNER, "cursor")).id == second.id
    assert first.id != second.id


async def test_a_key_is_revoked_once_by_id_or_name(keys: Keys) -> None:
    key, _ = await keys.create(OWNER, "cursor")

    assert (await keys.revoke(OWNER, key.id)).revoked_at == NOW
    with pytest.raises(Conflict):
        await keys.revoke(OWNER, key.id)
    with pytest.raises(NotFound):
        await keys.revoke(OWNER, "nobody")


async def test_uses_are_counted_and_written_together(
    keys: Keys, store: Store, clock: SetClock
) -> None:
    _, secret = await keys.create(OWNER, "cursor")
    await keys.create(OWNER, "unused")
    clock.time += timedelta(minutes=5)
    assert [keys.verify(secret) for _ in range(3)].count(None) == 0
    await keys.flush()
    await keys.flush()

    used, unused = (await loaded(store, clock)).list(OWNER)

    assert (used.use_count, used.last_used_at) == (3, NOW + timedelta(minutes=5))
    assert (unused.use_count, unused.last_used_at) == (0, None)


async def test_whether_any_key_holds_is_known(keys: Keys) -> None:
    assert not keys.any_hold()

    await keys.create(OWNER, "cursor")

    assert keys.any_hold()

    await keys.revoke(OWNER, "cursor")

    assert not keys.any_hold()


async def test_the_local_key_opens_from_this_machine_only(keys: Keys, tmp_path: Path) -> None:
    local = (tmp_path / "local.key").read_text("ascii").strip()

    caller = keys.verify(local, from_loopback=True)

    assert caller is not None
    assert (caller.actor, caller.preset, caller.local) == ("local", "setup", True)
    assert keys.verify(local) is None


def test_the_local_key_is_private_and_stays(tmp_path: Path) -> None:
    key = read_local_key(tmp_path)
    file = tmp_path / "local.key"
    file.chmod(0o644)

    assert read_local_key(tmp_path) == key
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_empty_local_key_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "local.key").touch()

    assert len(read_local_key(tmp_path)) >= 43


@pytest.mark.case("F10")
@pytest.mark.parametrize("content", [b"\xff\xfe\n", None])
def test_a_local_key_that_cannot_be_read_is_named_and_left(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "local.key"
    os.mkdir(file) if content is None else file.write_bytes(content)

    with pytest.raises(StorageUnavailable, match="local key"):
        read_local_key(tmp_path)

    assert file.exists()
