"""A daemon of its own in this process, and agents at its doors: for tests of a messenger."""

import re
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from tests.mcp_server.conftest import Owner, text_of
from tests.process.conftest import Daemon

__all__ = ["Agent", "Desk", "becomes", "until"]

T = TypeVar("T")
_PATIENCE_S = 60
"""The time limit of the test itself is shorter, unless it gives itself a longer one."""
_GLANCE_S = 0.01


async def until(found: Callable[[], Awaitable[T | None]]) -> T:
    """Ask until there is something: not everything that arrives is an event."""
    with anyio.fail_after(_PATIENCE_S):
        while True:
            result = await found()
            if result is not None:
                return result
            await anyio.sleep(_GLANCE_S)


async def becomes(fact: Callable[[], object]) -> None:
    """Wait until what is known here is so."""

    async def found() -> bool | None:
        return True if fact() else None

    await until(found)


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

    async def refused(self, tool: str, **arguments: object) -> str:
        """What it is told where something cannot be done."""
        return text_of(await self.client.call_tool(tool, arguments))

    async def found(self, tool: str, **arguments: object) -> Mapping[str, Any]:
        """Its answer as JSON."""
        content = (await self.act(tool, **arguments)).structured_content
        assert content is not None
        return content

    async def sends(self, tool: str, **arguments: object) -> str:
        """A write that the messenger takes; the id of its message."""
        found = await self.found(tool, **arguments)
        assert found["outcome"] == "accepted", found
        return str(found["message"])

    async def reads(self, chat: object, text: str) -> str:
        """A transcript, once a text stands in it."""

        async def there() -> str | None:
            result = await self.client.call_tool("read_messages", {"chat": str(chat)})
            shown = text_of(result)
            return shown if not result.is_error and text in shown else None

        return await until(there)

    async def number(self, chat: object, text: str) -> str:
        """The id of the message that says something, once it is there."""
        shown = await self.reads(chat, text)
        # What belongs to a message stands under its line.
        return re.findall(r"^\[\S+ (m[0-9a-z]+)", shown.partition(text)[0] + text, re.MULTILINE)[-1]


@dataclass
class Desk:
    """A daemon and its owner's ways to it."""

    daemon: Daemon

    async def make(self, provider: str, name: str, credentials: Mapping[str, str], api: str) -> str:
        """Set an account up as its owner does; the instance's id."""
        made = await self.daemon.ask(
            "POST",
            "/instances",
            {
                "provider": provider,
                "name": name,
                "credentials": credentials,
                "endpoints": {"api": api},
                "confirm": "never",
                "wait_s": 5,
            },
        )
        return str(made["id"])

    async def health(self, name: str) -> Mapping[str, Any]:
        """How an instance fares."""
        return (await self.daemon.ask("GET", f"/instances/{name}"))["health"]

    async def becomes(self, lifecycle: str, name: str) -> str:
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
