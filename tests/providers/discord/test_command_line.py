"""A bot set up as its owner does: by the installed command, with a daemon."""

import json
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio.to_thread
import pytest

from tests.desk import until
from tests.fakes.discord import FakeDiscord, Intent
from tests.living import House, empty_house

__all__ = ["empty_house"]

pytestmark = pytest.mark.timeout(180)
T = TypeVar("T")


async def done(step: Callable[[], T]) -> T:
    """A blocking step, while the fake goes on answering."""
    return await anyio.to_thread.run_sync(step)


async def connected(house: House) -> str | None:
    """What is said of it, once it is connected."""
    shown = await done(partial(house.run, "messengers instances show dc --json"))
    health = json.loads(shown)["health"]
    return str(health["reason"]) if health["lifecycle"] == "connected" else None


async def test_a_token_from_a_file_connects_the_bot_and_is_shown_nowhere(
    discord: FakeDiscord, empty_house: House
) -> None:
    bot = discord.add_bot("shop", enabled=Intent(0))
    (empty_house.user / "token.txt").write_text(f"{bot.token}\n", "utf-8")
    where = f"--set token=@token.txt --endpoint api={discord.api_url}"

    told = await done(partial(empty_house.run, f"messengers instances add discord dc {where}"))
    said = await until(partial(connected, empty_house))
    found = await done(partial(empty_house.run, "messengers doctor"))
    logs = await done(partial(empty_house.run, "messengers logs"))

    assert f"In no server yet: https://discord.com/oauth2/authorize?client_id={bot.id}" in said
    assert said.endswith("Server Members Intent is off.")
    assert "Message Content Intent is off" in found
    assert "999 of 1,000" in found or "999 of 1000" in found
    assert bot.token.rpartition(".")[2] not in f"{told}{found}{logs}"
