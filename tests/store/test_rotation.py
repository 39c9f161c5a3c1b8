"""Another master key: everything sealed opens by it, whenever the replacement was cut."""

import ast
import sys
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection, LargeBinary

from messengers.clock import SystemClock
from messengers.core.callers import OWNER
from messengers.core.endpoints import Endpoints
from messengers.errors import Conflict, StorageUnavailable
from messengers.models import SentMessage
from messengers.store import Store
from messengers.store.restore import restore
from messengers.store.rotation import rotate
from messengers.store.sealed import SEALED
from messengers.store.tables import metadata
from messengers.urls import SafeUrl
from tests.core.conftest import OpenHouse, open_house
from tests.programs import ROOT
from tests.store.test_secrets import CANARY, PLACE, add_credential, keyring

__all__ = ["keyring", "open_house"]

OPEN_BYTES = {"inbound.payload", "early.payload"}
"""What messengers delivered, as it came: no secret of ours, and as open as the messages."""


async def opened(home: Path, *, ring: bool = False) -> bytes:
    """The canary, as the store opens it now."""
    store = await Store.open(home, SystemClock(), keyring=ring)
    row = await store.write(
        lambda conn: conn.exec_driver_sql("SELECT ciphertext FROM credential").scalar_one()
    )
    found = store.cipher.open(*PLACE, bytes(row))
    await store.aclose()
    return found


async def filled(home: Path, *, ring: bool = False) -> bytes:
    """A home with something sealed; what its API keys are hashed with."""
    store = await Store.open(home, SystemClock(), keyring=ring)
    await add_credential(store)
    await store.aclose()
    return store.pepper


async def pepper(home: Path) -> bytes:
    store = await Store.open(home, SystemClock())
    await store.aclose()
    return store.pepper


def keys_in(home: Path) -> list[str]:
    return sorted(each.name for each in home.glob("secret.key*"))


@pytest.mark.case("S63")
def test_every_sealed_column_is_in_the_list() -> None:
    listed = {f"{each.table.name}.{each.column}" for each in SEALED}
    binary = {
        f"{table.name}.{column.name}"
        for table in metadata.tables.values()
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }

    assert binary - OPEN_BYTES == listed - {"setting.value"}


@pytest.mark.case("S63")
def test_every_place_that_seals_names_a_table_of_the_list() -> None:
    named = {each.table.name for each in SEALED}
    calls = [
        call
        for path in (ROOT / "src").rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "seal"
        and len(call.args) == 4
    ]
    literal = {arg.value for call in calls if isinstance(arg := call.args[0], ast.Constant)}

    assert literal <= named
    assert literal == {"credential", "approval", "setting"}
    # The one that is no literal is that of core.endpoints.
    assert len([call for call in calls if isinstance(call.args[0], ast.Name)]) == 1


@pytest.mark.case("S63")
async def test_accounts_approvals_webhooks_and_keys_go_on_under_the_new_key(
    open_house: OpenHouse,
) -> None:
    async with open_house(private_hosts=["127.0.0.1:9"]) as house:
        _, secret = await house.core.keys.create(OWNER, "laptop")
        await house.core.webhooks.add(
            "crm", SafeUrl.parse("http://127.0.0.1:9/in?t=1"), instance="", types=(), chats="all",
            numbers=(),
        )  # fmt: skip
        await house.personal.say("hello", chat="eve")
        held = await house.send((await house.told("hello")).chat, "as agreed")
        home = house.core.store.home
    before = (home / "secret.key").read_text("ascii")

    count = rotate(home, 0)

    async with open_house() as house:
        assert house.core.keys.verify(secret) is not None
        (endpoint,) = await Endpoints(house.core.store, house.core.clock).all()
        answer = await house.core.approvals.decide(held.approval, "once", OWNER.actor)
        assert isinstance(answer, SentMessage)
        assert answer.outcome == "accepted"
        assert str(endpoint.url) == "http://127.0.0.1:9/in?t=1"
    assert (home / "secret.key").read_text("ascii") != before
    assert (home / "secret.key").stat().st_mode & 0o077 == 0
    assert not (home / "secret.key.new").exists()
    assert not (home / "secret.key.old").exists()
    assert count == 4 + 1 + 2 + 2  # accounts, approval, endpoint, proof and pepper


@pytest.mark.case("S63")
@pytest.mark.parametrize("step", ["pending", "sealing", "sealed", "promoted"])
async def test_killed_at_any_step_the_store_opens_and_can_be_rotated_again(
    home: Path, step: str
) -> None:
    hashed = await filled(home)
    program = [sys.executable, str(Path(__file__).with_name("killed_rotation.py"))]

    done = await anyio.run_process([*program, str(home), step], check=False)

    assert done.returncode == -9, done.stderr
    assert await opened(home) == CANARY
    rotate(home, 0)
    assert await opened(home) == CANARY
    assert await pepper(home) == hashed
    assert keys_in(home) == ["secret.key"]


async def test_what_does_not_open_stops_it_and_nothing_is_changed(home: Path) -> None:
    await filled(home)
    store = await Store.open(home, SystemClock())

    def damage(conn: Connection) -> None:
        conn.exec_driver_sql("UPDATE credential SET instance_id = instance_id, field = 'other'")

    await store.write(damage)
    await store.aclose()
    before = (home / "secret.key").read_bytes()

    with pytest.raises(StorageUnavailable):
        rotate(home, 0)

    assert (home / "secret.key").read_bytes() == before
    assert await pepper(home)


async def test_a_backup_of_before_opens_by_the_old_key_which_is_kept_when_asked(
    home: Path,
) -> None:
    await filled(home)
    store = await Store.open(home, SystemClock())
    copy = home.parent / "copy.db"
    await store.backup(copy)
    await store.aclose()

    rotate(home, 0, keeps_old=True)

    with pytest.raises(StorageUnavailable, match="not the key of this store"):
        restore(home, copy, SystemClock().now())
    assert await opened(home) == CANARY
    with pytest.raises(Conflict):
        rotate(home, 0, keeps_old=True)
    (home / "secret.key.old").replace(home / "secret.key")
    restore(home, copy, SystemClock().now())
    assert await opened(home) == CANARY


@pytest.mark.usefixtures("keyring")
async def test_the_systems_keyring_has_the_new_key_and_no_file_keeps_the_old(home: Path) -> None:
    await filled(home)
    assert await opened(home, ring=True) == CANARY

    rotate(home, 0, keyring=True)

    assert await opened(home, ring=True) == CANARY
    assert keys_in(home) == []
