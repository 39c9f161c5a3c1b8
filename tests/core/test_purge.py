"""What is removed for good is nowhere any more: no row, no word, no byte of the files."""

from pathlib import Path

import pytest

from messengers.core.bulk import Addressee
from messengers.core.callers import OWNER
from messengers.errors import StorageUnavailable
from tests.core.conftest import AGENT, House, OpenHouse

NEEDLES = (b"zanzibar", b"quokka", b"marmalade", b"periwinkle")
"""In a text, a name, a file, and what waits for approval."""


async def fill(house: House) -> str:
    """Something of every kind; the chat's id."""
    for number in range(40):
        await house.bot.say(
            f"Zanzibar {number} " + "filler words " * 20, chat="eve", id_=f"n{number}"
        )
    await house.bot.say("from Quokka", chat="quokka")
    chat = (await house.told("from Quokka", "bot")).chat
    bot = house.core.instances.by_name("bot")
    await house.core.media.store(bot.id, chat, b"marmalade " * 500, "marmalade.txt")
    act = await house.core.bulk.prepare(AGENT, [Addressee(chat=chat)], "Periwinkle")
    await house.core.approvals.perform(act)
    await house.core.opt_outs.add(OWNER, "quokka", "bot")
    return chat


def left(home: Path) -> dict[str, list[bytes]]:
    """Which needles stand in which files."""
    found: dict[str, list[bytes]] = {}
    for file in home.rglob("*"):
        if file.is_file() and not file.is_relative_to(home / "log"):
            content = file.read_bytes().lower()
            needles = [needle for needle in NEEDLES if needle in content]
            if needles:
                found[file.name] = needles
    return found


@pytest.mark.case("S80")
async def test_a_purge_leaves_nothing_in_any_file(house: House, tmp_path: Path) -> None:
    home = tmp_path / "home"
    await fill(house)
    before = left(home)
    assert {needle for needles in before.values() for needle in needles} == set(NEEDLES)

    await house.core.instances.delete(OWNER, "bot", purge=True)

    assert left(home) == {}
    assert (home / "messengers.db-wal").stat().st_size == 0
    assert (await house.core.search.messages(OWNER, "zanzibar")).items == ()


@pytest.mark.case("S80")
async def test_a_purge_takes_nothing_of_others(open_house: OpenHouse) -> None:
    async with open_house() as house:
        await house.personal.say("Zanzibar is mine")
        mine = await house.told("Zanzibar is mine")
        await fill(house)

        await house.core.instances.delete(OWNER, "bot", purge=True)

        found = await house.core.search.messages(OWNER, "zanzibar")
        assert [hit.message.id for hit in found.items] == [mine.id]


@pytest.mark.case("S80")
async def test_a_purge_that_could_not_end_is_ended_at_the_next_start(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    async with open_house() as house:
        await fill(house)
        (path,) = (tmp_path / "home" / "media").glob("??/*")
        aside = path.rename(tmp_path / "aside")
        path.mkdir()
        with pytest.raises(StorageUnavailable):
            await house.core.instances.delete(OWNER, "bot", purge=True)
    path.rmdir()
    aside.rename(path)

    async with open_house():
        assert left(tmp_path / "home") == {}


@pytest.mark.case("S80")
async def test_a_backup_is_private_and_lies_where_the_data_does(
    house: House, tmp_path: Path
) -> None:
    copy = tmp_path / "home" / "backups" / "copy.db"
    copy.parent.mkdir(mode=0o700)

    await house.core.store.backup(copy)

    assert copy.stat().st_mode & 0o777 == 0o600
