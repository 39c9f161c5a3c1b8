"""A messenger over loopback HTTP that writes down everything it is made to send.

It lives in the test; its provider, in a daemon of its own process, may be killed at any moment.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import anyio
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.ledger import Kind, Point
from tests.fakes.loopback import listening

__all__ = ["Entry", "Ledger", "ledger"]

_POLL_S = 2.0
_PAGE = 100
_LONGEST_S = 60.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A send that took effect."""

    kind: str
    chat: str
    text: str
    key: str
    at_s: float


@dataclass
class Ledger:
    """The messenger's side of all accounts."""

    url: str = ""
    entries: list[Entry] = field(default_factory=list[Entry])
    said: list[dict[str, str]] = field(default_factory=list[dict[str, str]])
    """What people wrote, in order; an event's number is its place."""
    offset: int = 0
    """How far the provider acknowledged."""
    gaps: int = 0
    """Acknowledgements that skipped what was never delivered."""
    delay_s: float = 0.0
    """How long each answer takes, once the send took effect."""
    holds: Point | None = None
    """Where whoever comes is held until it is released, or its process dies."""
    held: int = 0
    """How many stand there."""
    _news: anyio.Event = field(default_factory=anyio.Event)
    _delivered: int = 0

    def say(self, text: str, chat: str = "ann") -> None:
        """A person writes."""
        self.said.append({"id": f"p{len(self.said)}", "chat": chat, "text": text})
        self._tell()

    def texts(self, kind: Kind) -> list[str]:
        """What one account was made to send, in order."""
        return [entry.text for entry in self.entries if entry.kind == kind]

    async def send(self, request: Request) -> Response:
        body: dict[str, str] = orjson.loads(await request.body())
        known = [each for each in self.entries if each.key == body["key"]]
        if not (body["kind"] == "keyed" and known):
            wanted = {name: body[name] for name in ("kind", "chat", "text", "key")}
            self.entries.append(Entry(**wanted, at_s=anyio.current_time()))
            self._tell()
        if body["text"].startswith("hold"):
            await self._hold("called")
        await anyio.sleep(self.delay_s)
        return JSONResponse({"id": f"s-{body['key']}"})

    async def hold(self, request: Request) -> Response:
        """The provider stands at a point."""
        await self._hold(request.query_params["point"])
        return JSONResponse({})

    async def _hold(self, point: str) -> None:
        if point == self.holds:
            self.held += 1
            self._tell()
            with anyio.move_on_after(_LONGEST_S):
                while point == self.holds:
                    await self._news.wait()

    def release(self) -> None:
        """Who is held goes on, unless its process is dead."""
        self.holds = None
        self._tell()

    async def events(self, request: Request) -> Response:
        """The long poll: asking from a number on acknowledges what came before it."""
        start = int(request.query_params["from"])
        if start > self._delivered:
            self.gaps += 1
        self.offset = max(self.offset, start)
        with anyio.move_on_after(_POLL_S):
            while start >= len(self.said):
                await self._news.wait()
        page = self.said[start : start + _PAGE]
        self._delivered = max(self._delivered, start + len(page))
        return JSONResponse({"events": page})

    async def until(self, count: int) -> None:
        """Wait until so many sends took effect."""
        while len(self.entries) < count:
            await self._news.wait()

    async def until_held(self, count: int) -> None:
        """Wait until so many stand at the point."""
        while self.held < count:
            await self._news.wait()

    def _tell(self) -> None:
        self._news.set()
        self._news = anyio.Event()


@asynccontextmanager
async def ledger() -> AsyncGenerator[Ledger]:
    """A messenger that answers on loopback."""
    book = Ledger()
    routes = [
        Route("/send", book.send, methods=["POST"]),
        Route("/hold", book.hold),
        Route("/events", book.events),
    ]
    async with listening(Starlette(routes=routes)) as listener:
        book.url = listener.url
        yield book
