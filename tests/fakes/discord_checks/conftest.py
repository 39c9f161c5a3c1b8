"""What the tests of the fake Discord share."""

from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

import pytest

from tests.fakes.discord import Bot, FakeDiscord, Guild, User

if TYPE_CHECKING:
    from tests.fakes.discord.clients import Listener


@pytest.fixture
async def discord() -> AsyncGenerator[FakeDiscord]:
    async with FakeDiscord() as discord:
        yield discord
        discord.check()


@pytest.fixture
def shop(discord: FakeDiscord) -> Bot:
    return discord.add_bot("shop")


@pytest.fixture
def ada(discord: FakeDiscord) -> User:
    return discord.add_user("ada", "Ada")


@pytest.fixture
def cellar(discord: FakeDiscord, shop: Bot, ada: User) -> Guild:
    """A guild where Ada and the bot are."""
    return discord.add_guild("Cellar", discord.add_user("bob", "Bob"), ada, shop)


@pytest.fixture
async def client(discord: FakeDiscord, shop: Bot, cellar: Guild) -> "AsyncGenerator[Listener]":
    from tests.fakes.discord.clients import connected

    assert shop.id in cellar.members
    async with connected(discord, shop) as client:
        yield client
