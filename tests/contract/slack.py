"""Slack for the contract suite: the fake with an app that somebody writes to."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from messengers.providers.base import Provider
from tests.fakes.slack import Bot, FakeSlack, User

__all__ = ["APP_TOKEN", "GRACE", "TOKEN", "grace_writes", "world"]

GRACE = "U07000E57R3"
TOKEN = "xoxb-000000000008-b07000safi6"
APP_TOKEN = "xapp-1-A07000NKOX5-0004"
"""The first ids and tokens that the fake gives."""


@dataclass
class World:
    """The platform as it stands during a test."""

    slack: FakeSlack
    bot: Bot
    grace: User


_worlds: list[World] = []


@asynccontextmanager
async def world(directory: Path) -> AsyncGenerator[Mapping[str, str]]:
    """The fake, with an app that goes by the tokens and a person in its workspace."""
    del directory  # tokens are all there is to log in with
    async with FakeSlack() as slack:
        acme = slack.add_workspace()
        grace = slack.add_user(acme, "grace", "Grace Hopper")
        bot = slack.add_bot(acme)
        assert (grace.id, bot.token.value, bot.app.token.value) == (GRACE, TOKEN, APP_TOKEN)
        _worlds.append(World(slack, bot, grace))
        try:
            yield {"api": slack.base_url}
            slack.check()
        finally:
            _worlds.clear()


async def grace_writes(provider: Provider) -> None:
    """A message from somebody."""
    del provider
    (here,) = _worlds
    here.slack.write(here.grace, here.bot, "hello")
