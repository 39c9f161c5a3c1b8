"""A daemon of its own in this process, with a fake Telegram and an agent at its HTTP door."""

import sys
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from tests.fakes.telegram import Bot, FakeTelegram
from tests.mcp_server.conftest import Owner, text_of
from tests.process.conftest import Daemon, StartDaemon
from tests.providers.telegram.conftest import until

__all__ = ["PUBLIC", "Agent", "Desk", "desk_of"]

PUBLIC = "https://bot.example"
"""Where the internet reaches the daemon; the fake leads it to the loopback."""


@dataclass
class Agent:
    """An MCP client whose user agrees to everything."""

    client: Client
    owner: Owner

    async def act(self, tool: str, **arguments: object) -> CallToolResult:
        """A call that must succeed."""
        result = await self.client.call_tool(tool, arguments)
        assert not result.is_error, text_of(result)
        return result

    async def told(self, tool: str, **arguments: object) -> str:
        """The text of its answer."""
        return text_of(await self.act(tool, **arguments))

    async def found(self, tool: str, **arguments: object) -> Mapping[str, Any]:
        """Its answer as JSON."""
        content = (await self.act(tool, **arguments)).structured_content
        assert content is not None
        return content

    async def reads(self, chat: object, text: str) -> str:
        """A transcript, once a text stands in it."""

        async def there() -> str | None:
            result = await self.client.call_tool("read_messages", {"chat": str(chat)})
            shown = text_of(result)
            return shown if not result.is_error and text in shown else None

        return await until(there)


@dataclass
class Desk:
    """A daemon beside the fake."""

    telegram: FakeTelegram
    daemon: Daemon

    async def add(self, bot: Bot, name: str = "shop", **credentials: str) -> str:
        """Set a bot up as its owner does; the instance's id."""
        made = await self.daemon.ask(
            "POST",
            "/instances",
            {
                "provider": "telegram",
                "name": name,
                "credentials": {"token": bot.token, **credentials},
                "endpoints": {"api": self.telegram.url},
                "confirm": "never",
                "wait_s": 5,
            },
        )
        return str(made["id"])

    async def health(self, name: str = "shop") -> Mapping[str, Any]:
        """How an instance fares."""
        return (await self.daemon.ask("GET", f"/instances/{name}"))["health"]

    async def becomes(self, lifecycle: str, name: str = "shop") -> str:
        """Wait until an instance is in a state; the reason it gives."""

        async def so() -> str | None:
            health = await self.health(name)
            return str(health["reason"]) if health["lifecycle"] == lifecycle else None

        return await until(so)

    async def finding(self, what: str) -> Mapping[str, Any]:
        """What doctor is told of one thing."""
        (found,) = [
            each for each in await self.daemon.ask("GET", "/findings") if each["what"] == what
        ]
        return found

    @asynccontextmanager
    async def agent(self) -> AsyncGenerator[Agent]:
        """A client over streamable HTTP, with the local key."""
        headers = {"Authorization": f"Bearer {self.daemon.local_key}"}
        owner = Owner.chooses("once")
        async with httpx2.AsyncClient(headers=headers, timeout=30) as http:
            way = streamable_http_client(f"{self.daemon.url}/mcp", http_client=http)
            async with Client(way, elicitation_callback=owner.decide) as client:
                yield Agent(client, owner)

    @asynccontextmanager
    async def window(self, environment: Mapping[str, str]) -> AsyncGenerator[Agent]:
        """A client that runs `messengers stdio`, as every MCP host does."""
        line = ["-m", "messengers", "stdio", "--preset", "admin", "--home", str(self.daemon.home)]
        owner = Owner.chooses("once")
        server = StdioServerParameters(command=sys.executable, args=line, env=dict(environment))
        async with Client(server, elicitation_callback=owner.decide) as client:
            yield Agent(client, owner)


@asynccontextmanager
async def desk_of(
    telegram: FakeTelegram, start_daemon: StartDaemon, **flags: object
) -> AsyncGenerator[Desk]:
    """A daemon that the fake's deliveries reach."""
    chosen = {"public_url": PUBLIC, "preset": "admin", "toolsets": ("rich", "groups"), **flags}
    async with start_daemon(**chosen) as daemon:
        if chosen["public_url"] == PUBLIC:
            telegram.publish(PUBLIC, daemon.url)
        yield Desk(telegram, daemon)
