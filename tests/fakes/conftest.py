"""What the tests of the fake Telegram and the fake Slack share."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest

from tests.fakes.slack import Bot as SlackBot
from tests.fakes.slack import Channel, FakeSlack, Workspace
from tests.fakes.slack import User as Colleague
from tests.fakes.telegram import Bot, FakeTelegram, User
from tests.fakes.telegram.bots import UPDATE_KINDS

if TYPE_CHECKING:
    from tests.fakes.slack.clients import Client as SlackClient
    from tests.fakes.slack.clients import Ear
    from tests.fakes.telegram.clients import Client


@pytest.fixture
async def telegram() -> AsyncGenerator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram
        telegram.check()


@pytest.fixture
def shop(telegram: FakeTelegram) -> Bot:
    """A bot that wants every kind of update."""
    bot = telegram.add_bot("shop_bot", can_read_all_group_messages=True)
    bot.queue.allow(UPDATE_KINDS)
    return bot


@pytest.fixture
def ada(telegram: FakeTelegram, shop: Bot) -> User:
    """Somebody who has started the bot."""
    ada = telegram.add_user("Ada", "Lovelace", "ada_l")
    telegram.private(shop, ada).started = True
    return ada


@pytest.fixture
async def client(telegram: FakeTelegram, shop: Bot) -> "AsyncGenerator[Client]":
    from tests.fakes.telegram.clients import connected  # aiogram takes seconds to import

    async with connected(telegram, shop) as client:
        yield client


@pytest.fixture
async def slack() -> AsyncGenerator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack
        slack.check()


@pytest.fixture
def acme(slack: FakeSlack) -> Workspace:
    return slack.add_workspace()


@pytest.fixture
def grace(slack: FakeSlack, acme: Workspace) -> Colleague:
    return slack.add_user(acme, "grace", "Grace Hopper")


@pytest.fixture
def helper(slack: FakeSlack, acme: Workspace, grace: Colleague) -> SlackBot:
    """A bot with every scope and subscription."""
    return slack.add_bot(acme)


@pytest.fixture
def team(slack: FakeSlack, acme: Workspace, grace: Colleague, helper: SlackBot) -> Channel:
    """A public channel with both in it."""
    return slack.add_channel(acme, "team", grace, helper)


@pytest.fixture
async def web(slack: FakeSlack, helper: SlackBot) -> "AsyncGenerator[SlackClient]":
    from tests.fakes.slack.clients import client_of  # aiohttp takes long to import

    async with client_of(slack, helper.token) as client:
        yield client


@pytest.fixture
async def ear(slack: FakeSlack, helper: SlackBot) -> "AsyncGenerator[Ear]":
    from tests.fakes.slack.clients import listening

    async with listening(slack, helper.app) as ear:
        yield ear
