"""A daemon of its own in this process, with a fake Telegram and an agent at its HTTP door."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests import desk
from tests.desk import Agent
from tests.fakes.telegram import Bot, FakeTelegram
from tests.process.conftest import StartDaemon

__all__ = ["PUBLIC", "Agent", "Desk", "desk_of"]

PUBLIC = "https://bot.example"
"""Where the internet reaches the daemon; the fake leads it to the loopback."""


@dataclass
class Desk(desk.Desk):
    """A daemon beside the fake."""

    telegram: FakeTelegram

    async def add(self, bot: Bot, name: str = "shop", **credentials: str) -> str:
        """Set a bot up as its owner does; the instance's id."""
        given = {"token": bot.token, **credentials}
        return await self.make("telegram", name, given, self.telegram.url)

    async def health(self, name: str = "shop") -> Mapping[str, Any]:
        return await super().health(name)

    async def becomes(self, lifecycle: str, name: str = "shop") -> str:
        return await super().becomes(lifecycle, name)


@asynccontextmanager
async def desk_of(
    telegram: FakeTelegram, start_daemon: StartDaemon, **flags: object
) -> AsyncGenerator[Desk]:
    """A daemon that the fake's deliveries reach."""
    chosen = {"public_url": PUBLIC, "preset": "admin", "toolsets": ("rich", "groups"), **flags}
    async with start_daemon(**chosen) as daemon:
        if chosen["public_url"] == PUBLIC:
            telegram.publish(PUBLIC, daemon.url)
        yield Desk(daemon, telegram)
