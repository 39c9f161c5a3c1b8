"""Telegram for the contract suite: the fake with a bot that somebody started."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from messengers.providers.base import Provider
from tests.fakes.telegram import Bot, FakeTelegram, User

__all__ = ["ADA", "TOKEN", "ada_writes", "world"]

TOKEN = "7000000001:FakeFakeFakeFakeFakeFakeFakeFakeFake"
ADA = "700000001"


@dataclass
class World:
    """The platform as it stands during a test."""

    telegram: FakeTelegram
    bot: Bot
    ada: User


_worlds: list[World] = []


@asynccontextmanager
async def world(directory: Path) -> AsyncGenerator[Mapping[str, str]]:
    """The fake, with a bot that goes by the token and a person who pressed Start."""
    del directory  # a token is all there is to log in with
    async with FakeTelegram() as telegram:
        bot = telegram.add_bot("shop_bot", TOKEN)
        ada = telegram.add_user("Ada")
        assert str(ada.id) == ADA
        telegram.start(ada, bot)
        _worlds.append(World(telegram, bot, ada))
        try:
            yield {"api": telegram.url}
            telegram.check()
        finally:
            _worlds.clear()


async def ada_writes(provider: Provider) -> None:
    """A message from somebody."""
    del provider
    (here,) = _worlds
    here.telegram.write(here.ada, here.bot, "hello")
