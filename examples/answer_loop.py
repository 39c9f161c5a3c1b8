"""Answer everybody who waits, for as long as it runs.

    python examples/answer_loop.py

Three habits make it safe to stop and start at any time: what waits is asked of the store and not
remembered here, the cursor of each answer goes into the next wait, and `client_ref` makes a
repeated send the same message. Put your model where `think` is.
"""

import argparse
import json

import anyio
from mcp import Client, StdioServerParameters
from mcp.types import TextContent


def think(text: str) -> str:
    """What to answer to a chat's last message."""
    return f"Thank you, we got your message of {len(text.split())} words and will come back to you."


async def call(client: Client, tool: str, **arguments: object) -> str:
    """The text of a tool's answer."""
    block = (await client.call_tool(tool, arguments)).content[0]
    return block.text if isinstance(block, TextContent) else ""


async def answer_waiting(client: Client) -> int:
    """Answer each chat whose last word is theirs; how many there were."""
    found = json.loads(await call(client, "list_chats", waiting_for_reply=True, format="json"))
    chats = found["untrusted"]["chats"]
    for chat in chats:
        ref = f"{chat['id']} {chat['last_message_at']}"
        said = think(chat.get("last_text", ""))
        print(await call(client, "send_message", chat=chat["id"], text=said, client_ref=ref))
    return len(chats)


async def loop(command: str, home: str, count: int) -> None:
    """Until `count` answers are given; 0 means for good."""
    env = {"MESSENGERS_HOME": home} if home else None
    async with Client(StdioServerParameters(command=command, args=["stdio"], env=env)) as client:
        given, news = 0, await call(client, "wait_for_messages", timeout_s=0)
        while True:
            given += await answer_waiting(client)
            if count and given >= count:
                return
            cursor = news.rpartition("cursor=")[2].split()[0]
            news = await call(client, "wait_for_messages", timeout_s=60, cursor=cursor)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Answer everybody who waits.")
    parser.add_argument("--command", default="messengers", help="the messengers program")
    parser.add_argument("--home", default="", help="the data directory, if not the default one")
    parser.add_argument("--count", type=int, default=0, help="stop after that many answers")
    chosen = parser.parse_args()
    anyio.run(loop, chosen.command, chosen.home, chosen.count)
