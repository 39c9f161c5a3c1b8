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
CHATS = 10
"""Each has a lane of its own, so what is sent is on its way while more is cancelled."""


@pytest.mark.case("F05")
@pytest.mark.timeout(60)
async def test_cancelled_sends_are_done_or_not_and_say_which(house: House) -> None:
    for number in range(CHATS):
        await house.personal.say(f"hi {number}", chat=f"ann{number}", **{"from": "me"})
    chats = [await house.chat_of(await house.told(f"hi {number}")) for number in range(CHATS)]
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    began_s = anyio.current_time()
    await house.send(chats[0].id, "try first")
    usual_s = anyio.current_time() - began_s

    async def asked(number: int) -> None:
        with anyio.move_on_after(chance.random() * usual_s * 2):
            await house.send(chats[number % CHATS].id, f"try {number}", wait_s=0.05)

    for start in range(0, CANCELS, 50):
        async with anyio.create_task_group() as tasks:
            for number in range(start, start + 50):
                tasks.start_soon(asked, number)

    async def settled() -> bool | None:
        store = house.core.store
        open_rows = await store.rows(outbox.todo_chats), await store.rows(outbox.claimed)
        return None if any(open_rows) else True

    # Sooner than the sweep would see to what nobody waits for.
    assert await house.core.events.wait(settled, 20), f"still pending, seed {seed}"
    listed: list[str] = []
    for chat in chats:
        page = await house.core.history.read(OWNER, chat, limit=200)
        assert not page.cursor, "all of a chat on one page"
        listed += [m.text for m in page.items if m.delivery == "sent" and m.origin == "api"]
    accepted = [text for _, text, _ in house.personal.accepted]
    assert sorted(listed) == sorted(accepted), f"seed {seed}"
    assert len(set(accepted)) == len(accepted), f"seed {seed}"
    assert len(accepted) > 1, "a test in which nothing else was ever sent shows nothing"
    summaries = {each.id: each for each in (await house.core.chats.list(AGENT, ChatFilter())).items}
    newest = [(await house.core.history.read(AGENT, chat, limit=1)).items[0] for chat in chats]
    assert [summaries[each.chat].last_text for each in newest] == [each.text for each in newest]
    found = await house.core.search.messages(AGENT, "try", limit=1)
    assert found.items[0].message.id in {each.id for each in newest}


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
