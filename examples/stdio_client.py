"""Show what is new, through `messengers stdio`, the way desktop clients connect.

    python examples/stdio_client.py

It starts the daemon when there is none. Nothing here is special to Messengers but the tool names:
any MCP client library does the same.
"""

import argparse

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult, TextContent


def text_of(result: CallToolResult) -> str:
    """All text of an answer."""
    return "\n".join(block.text for block in result.content if isinstance(block, TextContent))


async def show(command: str, home: str) -> None:
    """Name the tools, then print the inbox."""
    env = {"MESSENGERS_HOME": home} if home else None
    server = StdioServerParameters(command=command, args=["stdio"], env=env)
    async with Client(server) as client:
        tools = (await client.list_tools()).tools
        print(f"{len(tools)} tools: {', '.join(tool.name for tool in tools)}\n")
        print(text_of(await client.call_tool("list_instances", {})), end="\n\n")
        print(text_of(await client.call_tool("list_recent_messages", {"since": "7d"})))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Show what is new.")
    parser.add_argument("--command", default="messengers", help="the messengers program")
    parser.add_argument("--home", default="", help="the data directory, if not the default one")
    given = parser.parse_args()
    anyio.run(show, given.command, given.home)
