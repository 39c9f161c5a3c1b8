"""A daemon of its own in this process, beside a fake Discord."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests import desk
from tests.fakes.discord import Bot, FakeDiscord
from tests.process.conftest import StartDaemon

__all__ = ["Desk", "desk_of"]


@dataclass
class Desk(desk.Desk):
    """A daemon beside the fake."""

    discord: FakeDiscord

    async def add(self, bot: Bot, name: str = "shop", **credentials: str) -> str:
        """Set a bot up as its owner does; the instance's id."""
        return await self.make(
            "discord", name, {"token": bot.token, **credentials}, self.discord.api_url
        )

    async def health(self, name: str = "shop") -> Mapping[str, Any]:
        return await super().health(name)

    async def becomes(self, lifecycle: str, name: str = "shop") -> str:
        return await super().becomes(lifecycle, name)


@asynccontextmanager
async def desk_of(
    discord: FakeDiscord, start_daemon: StartDaemon, **flags: object
) -> AsyncGenerator[Desk]:
    """A daemon whose agents may do everything."""
    chosen = {"preset": "admin", "toolsets": ("rich", "groups"), **flags}
    async with start_daemon(**chosen) as daemon:
        yield Desk(daemon, discord)
