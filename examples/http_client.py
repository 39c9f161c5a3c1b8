"""Search over streamable HTTP, with a key in a file.

    messengers keys create laptop > laptop.key
    python examples/http_client.py --key-file laptop.key invoice

The address is shown by `messengers status`. On this machine `local.key` of the data directory opens
it too. The key is read from a file, so that it stands in no shell history and no process list.
"""

import argparse
import json
from pathlib import Path

import anyio
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent


async def search(url: str, key: str, words: str) -> None:
    """Print every hit of the first page, newest first."""
    headers = {"Authorization": f"Bearer {key}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        result = await client.call_tool("search_messages", {"query": words, "format": "json"})
        block = result.content[0]
        if result.is_error or not isinstance(block, TextContent):
            raise SystemExit(f"search_messages failed: {block}")
        found = json.loads(block.text)["untrusted"]
        print(f"{len(found['messages'])} found")
        for message in found["messages"]:
            name = found["chats"][message["chat"]]
            print(f"{message['sent_at']}  {message['id']}  {name}: {message['text']}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Search messages.")
    parser.add_argument("words", help="all must occur")
    parser.add_argument("--url", default="http://127.0.0.1:3000")
    parser.add_argument("--key-file", type=Path, required=True)
    given = parser.parse_args()
    anyio.run(search, given.url, given.key_file.read_text().split()[-1], given.words)
