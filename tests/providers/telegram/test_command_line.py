"""A bot set up as its owner does: by the installed command, with a daemon."""

import json
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio.to_thread
import pytest

from tests.fakes.telegram import FakeTelegram
from tests.living import House, empty_house
from tests.providers.telegram.conftest import until

__all__ = ["empty_house"]

pytestmark = pytest.mark.timeout(180)
T = TypeVar("T")


async def done(step: Callable[[], T]) -> T:
    """A blocking step, while the fake goes on answering."""
    return await anyio.to_thread.run_sync(step)


async def connected(house: House) -> bool | None:
    shown = await done(partial(house.run, "messengers instances show tg --json"))
    return True if json.loads(shown)["health"]["lifecycle"] == "connected" else None


async def test_a_token_from_a_file_connects_the_bot_and_is_shown_nowhere(
    telegram: FakeTelegram, empty_house: House
) -> None:
    bot = telegram.add_bot("shop_bot", can_join_groups=True)
    (empty_house.user / "token.txt").write_text(f"{bot.token}\n", "utf-8")
    where = f"--set token=@token.txt --endpoint api={telegram.url}"

    told = await done(partial(empty_house.run, f"messengers instances add telegram tg {where}"))
    await until(partial(connected, empty_house))
    found = await done(partial(empty_house.run, "messengers doctor"))
    facts = json.loads(await done(partial(empty_house.run, "messengers doctor --json")))
    logs = await done(partial(empty_house.run, "messengers logs"))

    assert "t.me/shop_bot" in found
    assert "Privacy mode is on" in found
    assert {each["what"]: (each["state"], each["found"][:30]) for each in facts}.items() >= {
        "tg: bot": ("ok", f"t.me/shop_bot, id {bot.id}"[:30]),
        "tg: webhook": ("ok", "None is set. Waiting to be ask"),
        "tg: groups": ("ok", "Privacy mode is on: in groups "),
    }.items()
    assert bot.token.partition(":")[2] not in f"{told}{found}{logs}"
