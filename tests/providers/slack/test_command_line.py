"""An app set up as its owner does: by the installed command, with a daemon."""

import json
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import anyio.to_thread
import pytest

from tests.fakes.slack import Bot, FakeSlack
from tests.living import House, empty_house
from tests.providers.slack.conftest import until

__all__ = ["empty_house"]

pytestmark = pytest.mark.timeout(180)
T = TypeVar("T")


async def done(step: Callable[[], T]) -> T:
    """A blocking step, while the fake goes on answering."""
    return await anyio.to_thread.run_sync(step)


async def connected(house: House) -> bool | None:
    shown = await done(partial(house.run, "messengers instances show work --json"))
    return True if json.loads(shown)["health"]["lifecycle"] == "connected" else None


async def test_tokens_from_files_connect_the_app_and_are_shown_nowhere(
    slack: FakeSlack, bot: Bot, empty_house: House
) -> None:
    bot.token.scopes -= {"files:write"}
    (empty_house.user / "bot.txt").write_text(f"{bot.token.value}\n", "utf-8")
    (empty_house.user / "app.txt").write_text(f"{bot.app.token.value}\n", "utf-8")
    files = "--set token=@bot.txt --set app_token=@app.txt"
    where = f"{files} --endpoint api={slack.base_url}"

    told = await done(partial(empty_house.run, f"messengers instances add slack work {where}"))
    await until(partial(connected, empty_house))
    found = await done(partial(empty_house.run, "messengers doctor"))
    facts = json.loads(await done(partial(empty_house.run, "messengers doctor --json")))
    logs = await done(partial(empty_house.run, "messengers logs"))

    assert "As @helper in Acme." in found
    assert "Scopes it lacks: files:write" in found
    assert {each["what"]: (each["state"], each["found"]) for each in facts}.items() >= {
        "work: account": ("ok", "@helper in Acme, a bot."),
        "work: scopes": ("warn", "Lacking: files:write."),
        "work: events": ("ok", "Slack opens connections for this app (Socket Mode)."),
    }.items()
    for secret in (bot.token.value, bot.app.token.value):
        assert secret not in f"{told}{found}{logs}"
