"""Many apps in one daemon, and events that come several times in any order."""

import random
import re
from pathlib import Path

import pytest

from tests.fakes.slack import FakeSlack, Message, Workspace
from tests.process.conftest import environment, home
from tests.providers.crowd import ENDING_S, apart
from tests.providers.slack.conftest import Connected
from tests.providers.slack.daemons import Desk

__all__ = ["environment", "home"]

pytestmark = pytest.mark.timeout(90)
MANY = 20
MEASURED = 10


async def test_twenty_apps_in_one_daemon_each_hear_and_answer_their_own(
    slack: FakeSlack, acme: Workspace, home: Path, environment: dict[str, str]
) -> None:
    numbers = range(MANY)
    bots = [slack.add_bot(acme, f"Helper{number:02}") for number in numbers]
    people = [slack.add_user(acme, f"person{number:02}") for number in numbers]
    async with apart(home, environment) as there:
        desk = Desk(there.daemon, slack)
        idle_mb = there.resident_mb()
        for number in numbers[:MEASURED]:
            await desk.add(bots[number].token, f"work{number:02}")
            await desk.becomes("connected", f"work{number:02}")
        more_mb = there.resident_mb() - idle_mb
        for number in numbers[MEASURED:]:
            await desk.add(bots[number].token, f"work{number:02}")
        async with desk.agent() as agent:
            for number in numbers:
                await desk.becomes("connected", f"work{number:02}")
                slack.write(people[number], bots[number], f"for {number:02}")
            shown = [await agent.reads(person.id, "for") for person in people]
            for number in numbers:
                chat = people[number].id
                await agent.sends("send_message", chat=chat, text=f"from {number:02}")
        ending_s = await there.ended_s()

    expected = [f"{number:02}" for number in numbers]
    assert [re.findall(r"for (\d+)", each) for each in shown] == [[each] for each in expected]
    assert [[each.text for each in bot.sent()] for bot in bots] == [
        [f"from {each}"] for each in expected
    ]
    assert more_mb <= 120
    assert there.process.returncode == 0
    assert ending_s < ENDING_S


@pytest.mark.case("F06")
@pytest.mark.parametrize("seed", range(3))
async def test_events_that_come_three_times_in_any_order_are_what_slack_shows(
    slack: FakeSlack, work: Connected, seed: int
) -> None:
    slack.hold(work.bot.app)
    said: list[Message] = []
    for number in range(8):
        said.append(slack.write(work.grace, work.team, f"line {number}"))
        slack.pass_time(1)
    slack.edit(said[2], "line 2, better")
    slack.pass_time(1)
    slack.edit(said[2], "line 2, best")
    slack.delete(said[3])
    slack.react(work.grace, said[4], "thumbsup")
    slack.write(work.grace, work.team, "an answer", thread=said[5])
    deliveries = [each for each in slack.line(work.bot).deliveries if not each.acked]
    order = list(range(len(deliveries)))
    random.Random(seed).shuffle(order)
    slack.release(work.bot.app, *order)
    for each in deliveries * 2:
        slack.repeat(work.bot.app, each)
    await slack.until(lambda: all(each.acked for each in slack.line(work.bot).deliveries))
    slack.write(work.grace, work.team, "the end")
    await work.heard(work.team.id, "the end")

    stored = await work.messages(work.team.id)
    assert [each.text for each in stored if each.status != "deleted"] == [
        *("line 0", "line 1", "line 2, best", "line 4", "line 5", "line 6", "line 7"),
        *("an answer", "the end"),
    ]
    assert [each.native_id for each in stored if each.status == "deleted"] == [said[3].ts]
    (liked,) = [each for each in stored if each.reactions]
    assert (liked.text, liked.reactions[0].emoji, liked.reactions[0].count) == ("line 4", "👍", 1)
