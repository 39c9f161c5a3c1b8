"""A bulk send whose daemon is killed again and again: in order, nobody twice, every doubt said."""

import random
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import anyio
import pytest
from mcp.types import TextContent

from tests.crash.bulk.conftest import Daemon, Scaled, until
from tests.fakes.telegram import Bot, FakeTelegram, User

pytestmark = pytest.mark.timeout(180)
_CALL_S = 0.03
"""How long the fake takes for each: long enough to be killed in the middle of."""


def delivered(telegram: FakeTelegram) -> list[str]:
    """What reached people, in order: the ledger."""
    return [call.text("text") for call in telegram.records.calls if call.method == "sendMessage"]


async def arrived(telegram: FakeTelegram, count: int) -> None:
    """Wait until so many got theirs."""

    async def enough() -> bool | None:
        return True if len(delivered(telegram)) >= count else None

    await until(enough)


async def begin(daemon: Daemon, telegram: FakeTelegram, bot: Bot, people: Sequence[User]) -> str:
    """A connected bot, and a bulk send to everyone of which the first has arrived."""
    new = {
        "provider": "telegram",
        "name": "tg",
        "credentials": {"token": bot.token},
        "endpoints": {"api": telegram.url},
        "confirm": "never",
        "wait_s": 0,
    }
    await daemon.ask("POST", "/instances", new)

    async def connected() -> bool | None:
        found = await daemon.ask("GET", "/instances/tg")
        return True if found["health"]["lifecycle"] == "connected" else None

    await until(connected)
    recipients = [{"chat": str(user.id), "name": f"N{n}"} for n, user in enumerate(people)]
    async with daemon.agent() as agent:
        arguments = {"recipients": recipients, "text": "hello {name}", "instance": "tg"}
        answer = await agent.call_tool("send_bulk", {**arguments, "wait_s": 0})
    (told,) = [part.text for part in answer.content if isinstance(part, TextContent)]
    assert answer.structured_content, told
    return str(answer.structured_content["batch"])


@pytest.mark.soak
@pytest.mark.case("F01")
async def test_killed_again_and_again_it_goes_on_in_order_and_nobody_gets_it_twice(
    daemon: Daemon, telegram: FakeTelegram, chance: random.Random, scaled: Scaled
) -> None:
    total, kills = scaled(12, 100), scaled(2, 20)
    bot = telegram.add_bot("shop_bot")
    people = [telegram.add_user(f"Person {n}") for n in range(total)]
    for user in people:
        telegram.start(user, bot)
    telegram.slow("sendMessage", _CALL_S, times=None)
    batch = await begin(daemon, telegram, bot, people)

    for number in range(kills):
        await arrived(telegram, min(total, len(delivered(telegram)) + 1))
        await anyio.sleep(chance.uniform(0, total * _CALL_S / kills))
        await daemon.kill()
        left = total - len(delivered(telegram))
        await daemon.start()
        if left > kills - number:
            await arrived(telegram, total - left + 1)

    async def ended() -> Any | None:  # noqa: ANN401 - JSON
        batch_now = await daemon.ask("GET", f"/batches/{batch}")
        return batch_now if batch_now["state"] != "running" else None

    found = await until(ended)
    assert found["state"] == "done"
    ledger = delivered(telegram)
    outcomes = [each["outcome"] for each in found["recipients"]]
    # Nobody twice, everybody in order; what was accepted arrived, what did not is in doubt.
    assert [text for text, times in Counter(ledger).items() if times > 1] == []
    assert ledger == sorted(ledger, key=lambda text: int(text.removeprefix("hello N")))
    accepted = {f"hello N{n}" for n, outcome in enumerate(outcomes) if outcome == "accepted"}
    doubts = {f"hello N{n}" for n, outcome in enumerate(outcomes) if outcome == "unknown"}
    assert accepted <= set(ledger) <= accepted | doubts
    assert len(accepted) + len(doubts) == total
    assert len(doubts) <= kills
    await daemon.kill()
    with closing(sqlite3.connect(daemon.home / "messengers.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
