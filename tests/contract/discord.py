"""Discord for the contract suite: the fake with a bot in a server."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from messengers.providers.base import Provider
from tests.fakes.discord import Channel, FakeDiscord, User

__all__ = ["GENERAL", "TOKEN", "ada_writes", "world"]

TOKEN = "FakeFakeFakeFakeFake1234.FakeFa.FakeFakeFakeFakeFakeFakeFakeFakeFakeFa"
GENERAL = "100000000000000001"


@dataclass
class World:
    """The platform as it stands during a test."""

    discord: FakeDiscord
    ada: User
    general: Channel


_worlds: list[World] = []


@asynccontextmanager
async def world(directory: Path) -> AsyncGenerator[Mapping[str, str]]:
    """The fake, with a bot that goes by the token in a server where somebody is."""
    del directory  # a token is all there is to log in with
    async with FakeDiscord() as discord:
        bot, ada = discord.add_bot("shop", TOKEN), discord.add_user("ada", "Ada")
        guild = discord.add_guild("Cellar", ada, bot)
        general = discord.add_channel(guild, "general", id=int(GENERAL))
        _worlds.append(World(discord, ada, general))
        try:
            yield {"api": discord.api_url}
        finally:
            _worlds.clear()


async def ada_writes(provider: Provider) -> None:
    """A message from somebody."""
    del provider
    (here,) = _worlds
    here.discord.write(here.ada, here.general, "hello")
