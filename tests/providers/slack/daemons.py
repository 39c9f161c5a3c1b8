"""A daemon of its own in this process, beside a fake Slack."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests import desk
from tests.fakes.slack import FakeSlack
from tests.fakes.slack.tokens import Token
from tests.process.conftest import StartDaemon

__all__ = ["Desk", "desk_of"]


@dataclass
class Desk(desk.Desk):
    """A daemon beside the fake."""

    slack: FakeSlack

    async def add(self, token: Token, name: str = "work", **credentials: str) -> str:
        """Set an account up as its owner does; the instance's id."""
        how = {} if "signing_secret" in credentials else {"app_token": token.app.token.value}
        given = {"token": token.value, **how, **credentials}
        return await self.make("slack", name, given, self.slack.base_url)

    async def health(self, name: str = "work") -> Mapping[str, Any]:
        return await super().health(name)

    async def becomes(self, lifecycle: str, name: str = "work") -> str:
        return await super().becomes(lifecycle, name)


@asynccontextmanager
async def desk_of(
    slack: FakeSlack, start_daemon: StartDaemon, **flags: object
) -> AsyncGenerator[Desk]:
    """A daemon whose agents may do everything."""
    chosen = {"preset": "admin", "toolsets": ("rich", "groups"), **flags}
    async with start_daemon(**chosen) as daemon:
        yield Desk(daemon, slack)
