"""What the tests of the fake Telegram share."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest

from tests.fakes.telegram import Bot, FakeTelegram, User
from tests.fakes.telegram.bots import UPDATE_KINDS

if TYPE_CHECKING:
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
