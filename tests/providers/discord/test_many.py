"""Many bots in one daemon, and events that come several times in any order."""

import re
from pathlib import Path

import pytest

from tests.fakes.discord import FakeDiscord
from tests.process.conftest import environment, home
from tests.providers.crowd import ENDING_S, apart
from tests.providers.discord.conftest import native
from tests.providers.discord.daemons import Desk

__all__ = ["environment", "home"]

pytestmark = pytest.mark.timeout(90)
MANY = 10


async def test_ten_bots_in_one_daemon_each_hear_and_answer_their_own(
    discord: FakeDiscord, home: Path, environment: dict[str, str]
) -> None:
    numbers = [f"{number:02}" for number in range(MANY)]
    bots = [discord.add_bot(f"shop{each}") for each in numbers]
    people = [discord.add_user(f"person{each}") for each in numbers]
    for bot, person in zip(bots, people, strict=True):
        discord.add_guild(f"House of {person.username}", person, bot)
    async with apart(home, environment) as there:
        desk = Desk(there.daemon, discord)
        idle_mb = there.resident_mb()
        for bot, each in zip(bots, numbers, strict=True):
            await desk.add(bot, f"shop{each}")
            await desk.becomes("connected", f"shop{each}")
        more_mb = there.resident_mb() - idle_mb
        for bot, person, each in zip(bots, people, numbers, strict=True):
            discord.write(person, bot, f"for {each}")
        async with desk.agent() as agent:
            shown = [await agent.reads(native(person), "for") for person in people]
            for person, each in zip(people, numbers, strict=True):
                await agent.sends("send_message", chat=native(person), text=f"from {each}")
        ending_s = await there.ended_s()

    assert [re.findall(r"for (\d+)", each) for each in shown] == [[each] for each in numbers]
    assert [[each.content for each in bot.sent()] for bot in bots] == [
        [f"from {each}"] for each in numbers
    ]
    assert more_mb <= 120
    assert there.process.returncode == 0
    assert ending_s < ENDING_S
