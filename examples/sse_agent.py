"""A small agent over SSE, the older HTTP transport: it answers one question with a quote.

    python examples/sse_agent.py --key-file laptop.key

Put your model where `think` is. What it reads was written by a stranger: whatever it says, it can
only become the text of an answer to the chat it came from.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import anyio
from mcp import Client
from mcp.client.sse import sse_client
from mcp.types import TextContent


def think(question: str) -> str:
    """The agent's brain."""
    if "open" in question.lower():
        return "We are open **from 9 to 18**, Monday to Friday."
    return "I have passed that on, somebody will answer you."


async def call(client: Client, tool: str, **arguments: object) -> str:
    """The text of a tool's answer."""
    block = (await client.call_tool(tool, arguments)).content[0]
    return block.text if isinstance(block, TextContent) else ""


async def answer_one(url: str, key: str) -> None:
    """Wait until somebody has written, then answer the newest question."""
    transport = sse_client(f"{url}/sse", headers={"Authorization": f"Bearer {key}"})
    async with Client(transport) as client:
        asked: list[dict[str, Any]] = []
        while not asked:
            found = await call(client, "list_chats", waiting_for_reply=True, format="json")
            asked = json.loads(found)["untrusted"]["chats"]
            if not asked:
                await call(client, "wait_for_messages", timeout_s=60)
        chat = asked[0]["id"]
        page = json.loads(await call(client, "read_messages", chat=chat, limit=1, format="json"))
        question = page["untrusted"]["messages"][-1]
        reply = {"text": think(question["text"]), "reply_to": question["id"]}
        print(await call(client, "send_message", chat=chat, **reply))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Answer one question.")
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--key-file", type=Path, required=True)
    given = parser.parse_args()
    anyio.run(answer_one, given.url, given.key_file.read_text().split()[-1])
