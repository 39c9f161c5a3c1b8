"""Sessions: ended at the messenger, taken over from another program, gone with their instance."""

import os
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from messengers.core.callers import OWNER
from messengers.errors import (
    Conflict,
    Forbidden,
    InvalidInput,
    MessengersError,
    NotConnected,
    PlatformRefused,
    Uncertain,
    Unsupported,
)
from messengers.models import Lifecycle
from tests.core.conftest import AGENT, House, OpenHouse
from tests.fakes.scripted import SESSION, Platform, platform


async def phone_of(house: House, *, scanned: bool = True, connect: bool = True) -> Platform:
    """An account that a phone logs in, logged in or waiting."""
    token = uuid4().hex
    account = platform(token)
    account.login.text, account.login.scanned = "code", scanned
    await house.core.instances.create(
        OWNER, "scripted_scanned", "phone", {"token": token}, connect=connect
    )
    return account


def directory_of(house: House) -> Path:
    return house.core.store.home / "instances" / house.core.instances.by_name("phone").id


def state_of(house: House) -> Lifecycle:
    return house.core.instances.registry.by_name("phone").health.lifecycle


async def test_logging_out_tells_the_messenger_and_removes_the_session(house: House) -> None:
    account = await phone_of(house)
    directory = directory_of(house)
    assert list(directory.iterdir()) != []

    answer = await house.core.instances.log_out(OWNER, "phone")

    assert account.calls == [("logout",)]
    assert (answer.state, answer.user_action) == ("logged_out", "relogin")
    assert "messengers instances connect phone" in answer.next_step
    assert not directory.exists()
    assert house.core.instances.by_name("phone").wanted == "stopped"
    again = await house.core.instances.connect(OWNER, "phone")
    assert again.user_action == "scan_qr"


async def test_what_the_messenger_has_ended_already_is_removed_here(house: House) -> None:
    account = await phone_of(house, scanned=False)
    directory = directory_of(house)
    directory.mkdir(parents=True)
    account.login.end("Unlinked on the phone.")
    entry = house.core.instances.registry.by_name("phone")
    await house.core.supervisor.until(
        entry, lambda health: health.lifecycle is Lifecycle.LOGGED_OUT, 5
    )

    await house.core.instances.log_out(OWNER, "phone")

    assert account.calls == []
    assert not directory.exists()


async def test_a_messenger_that_refuses_keeps_the_session(house: House) -> None:
    account = await phone_of(house)
    account.answers = [lambda: PlatformRefused("Not now.")]

    with pytest.raises(PlatformRefused):
        await house.core.instances.log_out(OWNER, "phone")

    assert directory_of(house).exists()
    assert state_of(house) is Lifecycle.CONNECTED


async def test_a_messenger_that_does_not_answer_leaves_doubt(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messengers.core.sessions._DEADLINE_S", 0.05)
    account = await phone_of(house)
    account.hang = anyio.Event()

    with pytest.raises(Uncertain, match="Look on the phone"):
        await house.core.instances.log_out(OWNER, "phone")

    assert directory_of(house).exists()


async def test_only_the_owner_logs_out_and_only_what_is_connected_and_can(house: House) -> None:
    await phone_of(house, scanned=False)

    with pytest.raises(NotConnected, match="unlink this computer"):
        await house.core.instances.log_out(OWNER, "phone")
    with pytest.raises(Unsupported, match="instances remove me"):
        await house.core.instances.log_out(OWNER, "me")
    with pytest.raises(Forbidden):
        await house.core.instances.log_out(AGENT, "phone")


@pytest.mark.parametrize("purge", [False, True])
async def test_removing_logs_out_first_and_leaves_no_session(house: House, purge: bool) -> None:
    account = await phone_of(house)
    directory = directory_of(house)

    answer = await house.core.instances.delete(OWNER, "phone", purge=purge)

    assert account.calls == [("logout",)]
    assert "It was logged out at the messenger." in answer.notes
    assert not directory.exists()


@pytest.mark.parametrize(
    "fault", [PlatformRefused("No."), ValueError("a bug"), KeyError("another")]
)
async def test_removing_goes_on_when_logging_out_fails_and_says_so(
    house: House, fault: Exception
) -> None:
    account = await phone_of(house)
    account.answers = [lambda: fault]
    directory = directory_of(house)

    answer = await house.core.instances.delete(OWNER, "phone")

    assert "unlink this computer on the phone" in answer.notes[1]
    assert not directory.exists()


async def test_removing_what_is_stopped_says_that_the_phone_still_lists_it(house: House) -> None:
    account = await phone_of(house)
    await house.core.instances.disconnect(OWNER, "phone")

    answer = await house.core.instances.delete(OWNER, "phone")

    assert account.calls == []
    assert "it was not connected" in answer.notes[1]


async def test_removing_what_never_logged_in_says_nothing_of_it(house: House) -> None:
    await phone_of(house, scanned=False)

    answer = await house.core.instances.delete(OWNER, "phone")

    assert len(answer.notes) == 1


async def test_a_session_that_could_not_be_removed_goes_at_the_next_start(
    open_house: OpenHouse,
) -> None:
    async with open_house() as house:
        await phone_of(house)
        directory = directory_of(house)
        await house.core.instances.delete(OWNER, "phone")
        directory.mkdir(parents=True)
        (directory / "session.db").write_bytes(SESSION)
    async with open_house():
        assert not directory.exists()


async def test_a_session_is_taken_over_into_a_private_place(house: House, tmp_path: Path) -> None:
    await phone_of(house, scanned=False, connect=False)
    file = tmp_path / "other.db"
    file.write_bytes(SESSION + b" of the other program")
    file.chmod(0o644)

    await house.core.instances.adopt(OWNER, "phone", file)
    answer = await house.core.instances.connect(OWNER, "phone")

    directory = directory_of(house)
    kept = directory / "session.db"
    assert [path.name for path in directory.iterdir()] == ["session.db"]
    assert kept.read_bytes() == file.read_bytes()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert answer.state == "connected"
    with closing(sqlite3.connect(house.core.store.home / "messengers.db")) as database:
        (actor,) = database.execute(
            "SELECT actor FROM audit WHERE action='instance.adopted'"
        ).fetchone()
    assert actor == "owner"


async def test_a_session_is_replaced_on_demand_only(house: House, tmp_path: Path) -> None:
    await phone_of(house, scanned=False, connect=False)
    first, second = tmp_path / "first.db", tmp_path / "second.db"
    first.write_bytes(SESSION + b"1")
    second.write_bytes(SESSION + b"2")
    await house.core.instances.adopt(OWNER, "phone", first)

    with pytest.raises(Conflict, match="--replace"):
        await house.core.instances.adopt(OWNER, "phone", second)
    kept = directory_of(house) / "session.db"
    assert kept.read_bytes() == first.read_bytes()
    await house.core.instances.adopt(OWNER, "phone", second, replace=True)

    assert kept.read_bytes() == second.read_bytes()
    assert [each.name for each in directory_of(house).parent.iterdir()] == [kept.parent.name]


async def test_what_is_no_session_leaves_the_one_there_was(house: House, tmp_path: Path) -> None:
    await phone_of(house, scanned=False, connect=False)
    good, bad = tmp_path / "good.db", tmp_path / "bad.db"
    good.write_bytes(SESSION)
    bad.write_bytes(b"something else")
    await house.core.instances.adopt(OWNER, "phone", good)

    with pytest.raises(InvalidInput, match="no session"):
        await house.core.instances.adopt(OWNER, "phone", bad, replace=True)

    assert [path.read_bytes() for path in directory_of(house).iterdir()] == [SESSION]


def _link(place: Path) -> Path:
    (place / "real.db").write_bytes(SESSION)
    (place / "link.db").symlink_to(place / "real.db")
    return place / "link.db"


def _pipe(place: Path) -> Path:
    os.mkfifo(place / "pipe")
    return place / "pipe"


def _huge(place: Path) -> Path:
    with (place / "huge.db").open("wb") as file:
        file.truncate(600 * 1024 * 1024)
    return place / "huge.db"


def _folder(place: Path) -> Path:
    return place


def _missing(place: Path) -> Path:
    return place / "missing"


@pytest.mark.case("S40")
@pytest.mark.parametrize(
    ("made", "told"),
    [
        (_link, "is a link"),
        (_pipe, "no regular file"),
        (_huge, "larger than 512 MB"),
        (_folder, "no regular file"),
        (_missing, "cannot be read"),
    ],
)
async def test_only_a_regular_file_of_some_size_is_taken(
    house: House, tmp_path: Path, made: Callable[[Path], Path], told: str
) -> None:
    await phone_of(house, scanned=False, connect=False)
    place = tmp_path / "given"
    place.mkdir()

    with anyio.fail_after(5), pytest.raises(InvalidInput, match=told):
        await house.core.instances.adopt(OWNER, "phone", made(place))

    assert not directory_of(house).exists()


@pytest.mark.parametrize(("name", "error"), [("me", Unsupported), ("phone", Conflict)])
async def test_nothing_is_adopted_by_what_runs_or_cannot(
    house: House, tmp_path: Path, name: str, error: type[MessengersError]
) -> None:
    await phone_of(house, scanned=False)
    file = tmp_path / "other.db"
    file.write_bytes(SESSION)

    with pytest.raises(error):
        await house.core.instances.adopt(OWNER, name, file)
    with pytest.raises(Forbidden):
        await house.core.instances.adopt(AGENT, "phone", file)
