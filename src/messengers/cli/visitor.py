"""The demo's visitor: a real browser's moves without the browser, over HTTP and WebSocket."""

import html
import re
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

import httpx2
import orjson
from pydantic import TypeAdapter
from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Visitor", "visiting"]

_FRAME = TypeAdapter(dict[str, object])
_TAG = re.compile(r"<[^>]+>")


@dataclass(slots=True)
class Visitor:
    """Somebody on the chat page."""

    name: str
    _page: ClientConnection

    async def say(self, text: str) -> None:
        """Write a message; returns once the daemon has it for good."""
        frame = {"type": "say", "client_id": uuid4().hex, "text": text, "name": self.name}
        await self._page.send(orjson.dumps(frame).decode())
        await self._next("ack")

    async def answer(self) -> str:
        """Wait for somebody else's message; its text as the page shows it."""
        while True:
            frame = await self._next("message")
            if frame.get("mine") is not True:
                return html.unescape(_TAG.sub("", str(frame.get("html", "")))).strip()

    async def _next(self, kind: str) -> dict[str, object]:
        """The next frame of this kind. What the page is told besides is not the demo's matter."""
        while True:
            frame = _FRAME.validate_json(await self._page.recv())
            if frame.get("type") == kind:
                return frame


@asynccontextmanager
async def visiting(page: str, name: str) -> AsyncGenerator[Visitor]:
    """Open the page, take its cookie, connect its WebSocket."""
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as browser:
        opened = await browser.get(page)
        opened.raise_for_status()
        cookies = "; ".join(f"{key}={value}" for key, value in browser.cookies.items())
    socket = connect(
        f"ws{page.removeprefix('http')}/ws", additional_headers={"Cookie": cookies}, proxy=None
    )
    async with socket as connection:
        yield Visitor(name, connection)
