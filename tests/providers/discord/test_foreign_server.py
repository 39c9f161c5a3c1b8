"""A Discord that others wrote (PyPI: yepcord-server 1.0.0b3), where it is installed.

It has an environment of its own, as it wants other versions of much that is here. It speaks the API
and the gateway of Discord with tokens of another form, and lacks two questions that a bot begins
with: they are answered beside it. Its tests skip and say so where it is missing.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from socket import create_server
from typing import Any

import anyio
import httpx2
import pytest
from pydantic import SecretStr

from messengers.clock import SystemClock
from messengers.models import MessageRef
from messengers.providers.base import HistorySeen, MediaBytes, MessageSeen, Part, ProviderContext
from messengers.providers.discord.config import DiscordConfig
from messengers.providers.discord.provider import DiscordProvider
from tests.contract.conftest import Shelf
from tests.desk import until
from tests.programs import require_environment

pytestmark = pytest.mark.timeout(60)
_SETTINGS = """
DB_CONNECT_STRING = "sqlite://{folder}/db.sqlite"
KEY = "{key}"
PUBLIC_HOST = "127.0.0.1:{port}"
GATEWAY_HOST = "127.0.0.1:{port}/gateway"
CDN_HOST = "127.0.0.1:{port}/media"
STORAGE = {{"type": "local", "local": {{"path": "{folder}/files"}}}}
MESSAGE_BROKER = {{"type": "ws", "ws": {{"url": "ws://127.0.0.1:{other}"}}}}
BCRYPT_ROUNDS = 4
"""
_START = """
import asyncio, sys
import uvicorn
from tortoise import Tortoise
from yepcord.asgi import app
from yepcord.yepcord.config import Config

async def tables():
    models = {"models": ["yepcord.yepcord.models"]}
    await Tortoise.init(db_url=Config.DB_CONNECT_STRING, modules=models)
    await Tortoise.generate_schemas()
    await Tortoise.close_connections()

@app.get("/api/v9/oauth2/applications/@me")
async def application():
    return {"name": "shop", "verify_key": "", "flags": 1 << 18 | 1 << 14}

@app.get("/api/v9/gateway/bot")
async def gateway():
    left = {"total": 1000, "remaining": 1000, "reset_after": 0, "max_concurrency": 1}
    return {"url": "ws://" + Config.GATEWAY_HOST, "shards": 1, "session_start_limit": left}

asyncio.run(tables())
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="error")
"""


@dataclass
class Foreign:
    """The server, with somebody who owns a house there and a bot in it."""

    url: str
    http: httpx2.AsyncClient
    general: str = ""
    token: str = ""

    async def ask(self, method: str, path: str, body: object = None, **query: str) -> Any:  # noqa: ANN401 - any JSON
        answer = await self.http.request(method, self.url + path, json=body, params=query)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    async def settle(self) -> None:
        """Ada comes, makes a house and lets a bot of hers in."""
        born = {"username": "ada", "email": "ada@example.com", "date_of_birth": "1990-01-01"}
        came = await self.ask("POST", "/auth/register", {**born, "password": "correct horse"})
        self.http.headers["Authorization"] = came["token"]
        house = await self.ask("POST", "/guilds", {"name": "Cellar"})
        (self.general,) = [each["id"] for each in house["channels"] if each["type"] == 0]
        bot = (await self.ask("POST", "/applications", {"name": "shop"}))["id"]
        self.token = (await self.ask("POST", f"/applications/{bot}/bot/reset", {}))["token"]
        grant = {"authorize": True, "permissions": 8, "guild_id": house["id"]}
        await self.ask("POST", "/oauth2/authorize", grant, client_id=bot, scope="bot")

    async def write(self, text: str) -> str:
        """Ada says something; the id."""
        path = f"/channels/{self.general}/messages"
        return str((await self.ask("POST", path, {"content": text}))["id"])

    async def shown(self) -> list[Any]:
        """What stands in the channel, oldest first."""
        found: list[Any] = await self.ask("GET", f"/channels/{self.general}/messages")
        return found[::-1]


def free_port() -> int:
    with create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
async def foreign(tmp_path: Path) -> AsyncIterator[Foreign]:
    python = require_environment("yepcord", "yepcord-server==1.0.0b3 fast-depends==2.1.4")
    port, key = free_port(), "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
    settings = tmp_path / "settings.txt"
    text = _SETTINGS.format(folder=tmp_path, port=port, other=free_port(), key=key)
    await anyio.Path(settings).write_text(text, "utf-8")
    command = [str(python), "-W", "ignore", "-c", _START, str(port)]
    env = {"YEPCORD_CONFIG": str(settings), "HOME": str(tmp_path)}
    url = f"http://127.0.0.1:{port}/api/v9"
    async with (
        await anyio.open_process(command, cwd=tmp_path, env=env) as process,
        httpx2.AsyncClient(trust_env=False, timeout=20) as http,
    ):
        foreign = Foreign(url, http)

        async def answers() -> bool | None:
            assert process.returncode is None
            try:
                return (await http.get(f"{url}/experiments")).is_success or None
            except httpx2.TransportError:
                return None

        try:
            await until(answers)
            await foreign.settle()
            yield foreign
        finally:
            if process.returncode is None:
                process.kill()


@dataclass
class Shop:
    """A bot of ours there, that receives."""

    foreign: Foreign
    provider: DiscordProvider
    shelf: Shelf

    async def heard(self, message: str) -> str:
        """What a message says, once the gateway told it."""

        async def told() -> str | None:
            for _, kind, payload in self.shelf.events.values():
                for each in self.provider.translate(kind, payload):
                    if isinstance(each, MessageSeen) and each.native_id == message:
                        return each.text
            return None

        return await until(told)


@pytest.fixture
async def shop(foreign: Foreign, tmp_path: Path) -> AsyncIterator[Shop]:
    """Its tokens have two parts where Discord's have three, so the settings are not checked."""
    config = DiscordConfig.model_construct(token=SecretStr(foreign.token), link_previews=False)
    context = ProviderContext(
        instance_id="shop",
        instance_name="shop",
        config=config,
        endpoints={"api": foreign.url},
        directory=tmp_path / "instance",
        clock=SystemClock(),
    )
    shop = Shop(foreign, DiscordProvider(context), Shelf())
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(shop.provider.run, shop.shelf)
        with anyio.fail_after(20):
            await shop.shelf.connected.wait()
        yield shop
        tasks.cancel_scope.cancel()


async def test_a_conversation_with_a_discord_of_others(shop: Shop) -> None:
    provider, foreign, general = shop.provider, shop.foreign, shop.foreign.general
    asked = await foreign.write("are you there?")
    question = await shop.heard(asked)
    theirs = MessageRef(native_id=asked, sender_native_id="user:1")
    sent = await provider.send(general, Part(text="Yes", reply_to=theirs), "k1")
    mine = MessageRef(native_id=sent.native_id, from_me=True)
    await provider.edit(general, mine, "Yes, **indeed**")
    await provider.react(general, theirs, "👍")
    then = await foreign.shown()
    found = await provider.history(general, sent.at + timedelta(seconds=1), 10)
    (past,) = [each for each in found if isinstance(each, HistorySeen)]
    await provider.delete(general, mine)
    left = await foreign.shown()

    assert question == "are you there?"
    assert [each["content"] for each in then[-2:]] == [question, "Yes, **indeed**"]
    assert then[-1]["message_reference"]["message_id"] == asked
    assert [each["emoji"]["name"] for each in then[-2]["reactions"]] == ["👍"]
    assert [each.native_id for each in past.messages][:2] == [sent.native_id, asked]
    assert [each["content"] for each in left[-1:]] == [question]


async def test_a_file_goes_to_a_discord_of_others_and_comes_back(shop: Shop) -> None:
    note = MediaBytes("document", "text/plain", "note.txt", b"one rye\n")
    sent = await shop.provider.send(shop.foreign.general, Part(text="the order", media=note), "k1")
    shown = (await shop.foreign.shown())[-1]
    (file,) = shown["attachments"]

    assert (shown["id"], shown["content"]) == (sent.native_id, "the order")
    assert (file["filename"], file["size"]) == ("note.txt", len(note.data))
