"""Summaries and search made anew are those that the messages kept."""

import sqlite3
from contextlib import closing
from pathlib import Path

from messengers.core.callers import OWNER
from messengers.core.chats import ChatFilter
from messengers.core.summaries import rebuild
from messengers.store.offline import alone
from tests.core.conftest import House, OpenHouse

WORDS = ("pelican", "ёлка", "你好", "gone", "changed", "nothing")


async def fill(house: House) -> None:
    """What moves a summary: both sides, edits, deletions, service words, reading, sending."""
    side = house.personal
    await side.say("pelican one", "ann", minute=1)
    await side.say("hi ann", "ann", minute=2, **{"from": "me"})
    await side.say("ёлка", "bob", minute=3)
    await side.say("你好世界", "bob", minute=4)
    await side.say("will be gone", "carl", minute=5, id_="g")
    await side.deliver("delete", "carl", id="g")
    await side.say("will change", "dora", minute=6, id_="e")
    await side.deliver("edit", "dora", id="e", text="changed")
    await side.say("past pelican", "eve", minute=0, origin="history")
    await side.say("last", "zoe", minute=7)
    ann = (await house.told("hi ann")).chat
    await house.send(ann, "pelican three")
    await house.core.receipts.up_to(OWNER, await house.chat_of(await house.told("你好世界")))
    await house.told("last")
    await house.told("changed")


async def shown(house: House) -> object:
    chats = (await house.core.chats.list(OWNER, ChatFilter(), 100)).items
    found = {
        word: [hit.message.id for hit in (await house.core.search.messages(OWNER, word)).items]
        for word in WORDS
    }
    return [chat.model_dump() for chat in chats], found


async def test_made_anew_everything_is_shown_as_before(
    open_house: OpenHouse, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    async with open_house() as house:
        await fill(house)
        before = await shown(house)

    with closing(sqlite3.connect(home / "messengers.db")) as database:
        database.execute("UPDATE chat SET last_id=0, last_at=1, last_text='?', waiting=1-waiting")
        database.execute("UPDATE message SET search_rowid = NULL WHERE id % 2")
        database.execute("INSERT INTO message_search(message_search) VALUES ('delete-all')")
        database.commit()
    async with open_house() as house:
        assert await shown(house) != before
    made = alone(home, rebuild)

    async with open_house() as house:
        assert await shown(house) == before
    assert made == (6, 8)


async def test_an_empty_store_is_made_anew_too(tmp_path: Path) -> None:
    home = tmp_path / "fresh"
    home.mkdir(mode=0o700)

    assert alone(home, rebuild) == (0, 0)
