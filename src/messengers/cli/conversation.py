"""The demo's conversation: a visitor of the chat page and an AI client, each over its real door."""

import re
from dataclasses import dataclass

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import TextContent
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from messengers.cli.install.entries import Launch
from messengers.cli.terminal import visible
from messengers.cli.visitor import visiting
from messengers.errors import NotReady

__all__ = ["converse"]

QUESTION = "Hi! Are you open on Sunday?"
ANSWER = "Hello Anna! Yes, **10:00 to 16:00** on Sunday. Shall I keep a table for you?"
_VISITOR = "Anna"
_DEADLINE_S = 60
_CHAT = re.compile(r"^# \[(c[0-9a-z]+) ", re.MULTILINE)
_CURSOR = re.compile(r"^cursor=(\S+)", re.MULTILINE)


@dataclass(slots=True)
class _Agent:
    """An AI client; every call of a tool is shown with its answer."""

    client: Client
    console: Console

    async def call(self, tool: str, **arguments: object) -> str:
        """Call a tool and show both sides. Raises NotReady when it answers with an error."""
        text = await self.quietly(tool, **arguments)
        given = ", ".join(f"{name}={value!r}" for name, value in arguments.items())
        self.console.print(Text(f"agent ▸ {tool}({given})", style="bold cyan"))
        self.console.print(_indented(text))
        return text

    async def quietly(self, tool: str, **arguments: object) -> str:
        """Call a tool; the text of its answer."""
        result = await self.client.call_tool(tool, dict(arguments))
        text = "\n".join(part.text for part in result.content if isinstance(part, TextContent))
        if result.is_error:
            raise NotReady(f"The demo's call of {tool} was refused.", text)
        return text


async def converse(console: Console, launch: Launch, page: str) -> None:
    """Let the visitor ask and the agent answer, and show it as it happens."""
    server = StdioServerParameters(
        command=launch.command, args=list(launch.args), env=dict(launch.env)
    )
    with anyio.fail_after(_DEADLINE_S):
        async with Client(server) as client, visiting(page, _VISITOR) as visitor:
            tools = [tool.name for tool in (await client.list_tools()).tools]
            console.print(Text(f"agent ▸ connected over stdio, {len(tools)} tools:", "bold cyan"))
            console.print(_indented(", ".join(tools)))
            agent = _Agent(client, console)
            # From here on nothing is missed, however fast the visitor is.
            cursor = _found(_CURSOR, await agent.quietly("wait_for_messages", timeout_s=0))
            arrived = ""
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(visitor.say, QUESTION)
                _bubble(console, QUESTION)
                arrived = await agent.call("wait_for_messages", timeout_s=30, cursor=cursor)
            chat = _found(_CHAT, arrived)
            await agent.call("read_messages", chat=chat)
            await agent.call("search_messages", query="Sunday")
            await agent.call("send_message", chat=chat, text=ANSWER)
            _bubble(console, await visitor.answer(), seen=True)


def _bubble(console: Console, text: str, *, seen: bool = False) -> None:
    who = f"{_VISITOR} sees" if seen else f"{_VISITOR} writes"
    console.print()
    console.print(Text(f"browser ▸ {who}: ", "bold green").append(visible(text), "green"))
    console.print()


def _indented(text: str) -> Padding:
    return Padding(Text(visible(text), style="dim"), (0, 0, 0, 4), expand=False)


def _found(shape: re.Pattern[str], answer: str) -> str:
    found = shape.search(answer)
    if found is None:
        raise NotReady("The demo's message did not arrive.", "`messengers doctor` may tell why.")
    return found[1]
