"""discord.py's own Client, as a client of the fake: its types judge every answer and event."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import yarl
from aiohttp import ClientSession, ClientWebSocketResponse
from discord import Client, Intents, Message
from discord.http import Route

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.server import FakeDiscord

_PATIENCE_S = 10
_GLANCE_S = 0.01

__all__ = ["Listener", "connected", "pointed"]


def pointed(client: Client, discord: FakeDiscord) -> None:
    """At the fake, for this client alone."""
    ask, connect = client.http.request, client.http.ws_connect

    async def request(route: Route, **options: Any) -> object:  # noqa: ANN401 — passed on
        route.url = discord.api_url + route.url.removeprefix(Route.BASE)
        return await ask(route, **options)

    async def ws_connect(url: str, *, compress: int = 0) -> ClientWebSocketResponse:
        place = discord.resume_url if url.startswith(discord.resume_url) else discord.gateway_url
        found = str(yarl.URL(place).with_query(yarl.URL(url).query))
        return await connect(found, compress=compress)

    client.http.request = request
    client.http.ws_connect = ws_connect


def _answers_pointed(client: Client, discord: FakeDiscord) -> None:
    """Interactions and webhooks go past `http.request`, over the session that a login makes."""
    session: ClientSession = vars(client.http)["_HTTPClient__session"]
    ask = session.request

    def request(method: str, url: str, **options: Any) -> object:  # noqa: ANN401 — passed on
        return ask(method, url.replace(Route.BASE, discord.api_url), **options)

    vars(session)["request"] = request


class Listener(Client):
    """Remembers what it hears; `until` waits for it."""

    def __init__(self, intents: Intents, **options: Any) -> None:  # noqa: ANN401 — passed on
        super().__init__(intents=intents, guild_ready_timeout=0.05, **options)
        self.heard: list[tuple[str, tuple[Any, ...]]] = []
        """Names of events with what came along, oldest first."""

    def dispatch(self, event: str, /, *args: Any, **_others: Any) -> None:  # noqa: ANN401 — whatever comes along
        self.heard.append((event, args))
        super().dispatch(event, *args)

    async def before_identify_hook(self, shard_id: int | None, *, initial: bool = False) -> None:
        """Without the five seconds the original gives the real server."""

    def all(self, event: str) -> list[Any]:
        """What came with each event of this name: its only or first part."""
        return [args[0] if args else None for name, args in self.heard if name == event]

    @property
    def messages(self) -> list[Message]:
        return self.all("message")

    async def until(self, event: str, count: int = 1) -> Any:  # noqa: ANN401 — any kind of event
        """What came with the event when it has come so often."""
        with anyio.fail_after(_PATIENCE_S):
            while len(self.all(event)) < count:  # noqa: ASYNC110 — it may have come before
                await anyio.sleep(_GLANCE_S)
        return self.all(event)[count - 1]


@asynccontextmanager
async def connected(
    discord: FakeDiscord,
    bot: Bot,
    intents: Intents | None = None,
    **options: Any,  # noqa: ANN401 — passed on
) -> AsyncGenerator[Listener]:
    """Ready; it is closed at the end."""
    client = Listener(Intents.all() if intents is None else intents, **options)
    pointed(client, discord)
    async with client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.start, bot.token)
        await client.until("ready")
        _answers_pointed(client, discord)
        yield client
        await client.close()
