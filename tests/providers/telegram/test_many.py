"""Many bots in one daemon, one bot in two, and restarts in the middle of the mail."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from messengers.providers.telegram import stream
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import StartDaemon, home, start_daemon
from tests.providers.telegram.conftest import Connected, OpenCore, connected_bot
from tests.providers.telegram.daemons import desk_of

__all__ = ["home", "start_daemon"]

pytestmark = pytest.mark.timeout(60)
MANY = 20
BACKLOG = 350


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each waits a fiftieth of what it does."""
    monkeypatch.setattr(stream, "_CONFLICT_PAUSES_S", (0.1, 0.3, 1.2))
    monkeypatch.setattr(stream, "POLL_S", 1)


def resident_mb() -> float:
    """What the system says that this process holds in memory."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * 4096 / 1e6


def stored(home: Path) -> list[str]:
    """The letters in a data directory, in their order, seen from outside."""
    place = f"file:{home / 'messengers.db'}?mode=ro"
    query = "SELECT text FROM message WHERE text LIKE 'letter %' ORDER BY id"
    with closing(sqlite3.connect(place, uri=True, timeout=5)) as connection:
        return [row[0] for row in connection.execute(query)]


async def test_twenty_bots_in_one_daemon_each_hear_and_answer_their_own(
    telegram: FakeTelegram, start_daemon: StartDaemon
) -> None:
    bots = [telegram.add_bot(f"shop{number:02}_bot") for number in range(MANY)]
    people = [telegram.add_user(f"Customer {number:02}") for number in range(MANY)]
    async with desk_of(telegram, start_daemon) as desk, desk.agent() as agent:
        await desk.add(bots[0], "shop00")
        await desk.becomes("connected", "shop00")
        before_mb = resident_mb()
        for number in range(1, MANY):
            await desk.add(bots[number], f"shop{number:02}")
        for number in range(MANY):
            await desk.becomes("connected", f"shop{number:02}")
        more_mb = resident_mb() - before_mb
        for number, (bot, person) in enumerate(zip(bots, people, strict=True)):
            telegram.start(person, bot)
            telegram.write(person, bot, f"for shop {number:02}")
        shown = [await agent.reads(person.id, "for shop") for person in people]
        for number, person in enumerate(people):
            text = f"from shop {number:02}"
            await agent.act("send_message", chat=str(person.id), text=text)

    assert [re.findall(r"for shop (\d+)", each) for each in shown] == [
        [f"{number:02}"] for number in range(MANY)
    ]
    assert [[each.text for each in bot.sent()] for bot in bots] == [
        [f"from shop {number:02}"] for number in range(MANY)
    ]
    # The fake's side of each bot is in it; what loads once is not.
    assert more_mb < 2 * MANY


async def test_restarts_in_the_middle_of_the_mail_miss_nothing_and_repeat_nothing(
    telegram: FakeTelegram, reopen: OpenCore, home: Path
) -> None:
    ada = telegram.add_user("Ada")
    async with connected_bot(telegram, reopen) as shop:
        bot = shop.bot
    telegram.start(ada, bot)
    texts = [f"letter {number:03}" for number in range(BACKLOG)]
    for text in texts:
        telegram.write(ada, bot, text)
    left: list[int] = []
    for stop_at in (300, 200, 100):
        telegram.slow("getUpdates", 0.1, times=None)
        async with reopen():
            await telegram.until(lambda most=stop_at: len(bot.queue.updates) < most)
            left.append(len(bot.queue.updates))
        telegram.heal()
    async with reopen() as core:
        await Connected(telegram, core, bot).heard(ada.id, texts[-1])

    assert BACKLOG > left[0] > left[1] > left[2] > 0
    assert stored(home) == texts


@pytest.mark.usefixtures("quick")
async def test_of_two_homes_with_one_token_each_says_conflict_and_stays_calm(
    telegram: FakeTelegram, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    bot, ada = telegram.add_bot("shop_bot"), telegram.add_user("Ada")
    async with (
        desk_of(telegram, start_daemon) as first,
        desk_of(telegram, start_daemon, home=tmp_path / "second") as second,
    ):
        await first.add(bot)
        await first.becomes("connected")
        await second.add(bot)
        told = [await desk.becomes("conflict") for desk in (second, first)]
        asked = len(telegram.asked("getUpdates"))
        await anyio.sleep(1)
        more = len(telegram.asked("getUpdates")) - asked
        problems = (await second.daemon.ask("GET", "/instances/shop"))["problems"]
        await second.daemon.ask("POST", "/instances/shop/disconnect")
        telegram.start(ada, bot)
        await first.becomes("connected")
        async with first.agent() as agent:
            await agent.reads(ada.id, "/start")

    assert all("Another program receives for this bot" in each for each in told)
    assert all("/revoke" in each for each in told)
    assert more < 10
    assert problems == []


async def test_a_home_that_is_delivered_to_is_not_disturbed_by_another_one(
    telegram: FakeTelegram, start_daemon: StartDaemon, tmp_path: Path
) -> None:
    bot, ada = telegram.add_bot("shop_bot"), telegram.add_user("Ada")
    async with (
        desk_of(telegram, start_daemon) as first,
        desk_of(telegram, start_daemon, home=tmp_path / "second", public_url="") as second,
    ):
        await first.add(bot, receive="webhook")
        await first.becomes("connected")
        await second.add(bot)
        told = await second.becomes("conflict")
        telegram.start(ada, bot)
        async with first.agent() as agent:
            await agent.reads(ada.id, "/start")
        state = (await first.health())["lifecycle"]

    assert "A webhook of this bot leads to bot.example" in told
    assert state == "connected"
