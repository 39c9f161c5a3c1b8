"""A client may go away at any moment: what it asked for is done or not, and says which."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import pytest
from sqlalchemy import Connection

from messengers.clock import SystemClock
from messengers.core.callers import OWNER
from messengers.core.chats import ChatFilter
from messengers.core.events import Events
from messengers.store import Store, outbox
from tests.core.conftest import AGENT, House

CANCELS = 500


@pytest.mark.case("F05")
@pytest.mark.timeout(120)
async def test_cancelled_sends_are_done_or_not_and_say_which(house: House) -> None:
    await house.personal.say("hi", **{"from": "me"})
    chat = await house.chat_of(await house.told("hi"))
    seed = random.randrange(2**32)
    chance = random.Random(seed)

    async def asked(number: int) -> None:
        with anyio.move_on_after(chance.random() * 0.02):
            await house.send(chat.id, f"try {number}", wait_s=0.05)

    for start in range(0, CANCELS, 50):
        async with anyio.create_task_group() as tasks:
            for number in range(start, start + 50):
                tasks.start_soon(asked, number)

    async def settled() -> bool | None:
        store = house.core.store
        open_rows = await store.rows(outbox.todo_chats), await store.rows(outbox.claimed)
        return None if any(open_rows) else True

    assert await house.core.events.wait(settled, 60), f"still pending, seed {seed}"
    listed: list[str] = []
    cursor = "start"
    while cursor:
        page = await house.core.history.read(
            OWNER, chat, limit=200, cursor=cursor.removeprefix("start")
        )
        listed += [m.text for m in page.items if m.delivery == "sent" and m.text != "hi"]
        cursor = page.cursor
    accepted = [text for _, text, _ in house.personal.accepted]
    assert sorted(listed) == sorted(accepted), f"seed {seed}"
    assert len(set(accepted)) == len(accepted), f"seed {seed}"
    assert accepted, "a test in which nothing was ever sent shows nothing"
    summary = (await house.core.chats.list(AGENT, ChatFilter())).items[0]
    newest = (await house.core.history.read(AGENT, chat, limit=1)).items[0]
    assert summary.last_text == newest.text
    found = await house.core.search.messages(AGENT, "try", limit=1)
    assert found.items[0].message.id == newest.id


@pytest.fixture
async def events(tmp_path: Path) -> AsyncIterator[Events]:
    """The log alone: in a whole house something happens all the time."""
    store = await Store.open(tmp_path / "home", SystemClock())
    yield Events(store, SystemClock(), str)
    await store.aclose()


@pytest.mark.case("F05")
async def test_an_event_whose_caller_was_cancelled_wakes_followers_all_the_same(
    events: Events,
) -> None:
    async with events.follow() as wakes:
        with anyio.CancelScope() as caller:
            caller.cancel()
            await events.write(lambda conn: events.record(conn, "test.happened"))
        assert caller.cancelled_caught
        with anyio.fail_after(5):
            await wakes.receive()

    assert [event.kind for _, event in await events.since(OWNER, 0)] == ["test.happened"]


async def test_what_was_not_committed_wakes_nobody(events: Events) -> None:
    def refused(_: Connection) -> None:
        raise ValueError("no")

    async with events.follow() as wakes:
        with pytest.raises(ValueError, match="no"):
            await events.write(refused)

        assert wakes.statistics().current_buffer_used == 0
