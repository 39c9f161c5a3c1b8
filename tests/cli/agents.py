"""An AI client that cannot ask its user: what needs a word is held for the owner's terminal."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import TextContent

from tests.living import House

__all__ = ["agent", "called", "chat_of", "send"]


@asynccontextmanager
async def agent(house: House, *options: str) -> AsyncGenerator[Client]:
    server = StdioServerParameters(command="messengers", args=["stdio", *options], env=house.env)
    async with Client(server) as client:
        yield client


async def called(client: Client, tool: str, **arguments: object) -> str:
    result = await client.call_tool(tool, dict(arguments))
    (part,) = [part for part in result.content if isinstance(part, TextContent)]
    return part.text


async def send(client: Client, chat: str, text: str) -> dict[str, Any]:
    return json.loads(await called(client, "send_message", chat=chat, text=text))


async def chat_of(client: Client, text: str) -> str:
    """The chat in which a visitor wrote a text; what is acknowledged is soon found."""
    with anyio.fail_after(30):
        cursor = ""
        while True:
            answer = await called(client, "search_messages", query=text, format="json")
            if answer.startswith("{") and (found := json.loads(answer)["untrusted"]["messages"]):
                return str(found[0]["chat"])
            arrived = await called(client, "wait_for_messages", timeout_s=1, cursor=cursor)
            cursor = arrived.partition("cursor=")[2].split()[0]
