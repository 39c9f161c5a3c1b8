"""Resources of chats and accounts, and who hears that they changed: in both eras, on each way."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.subscriptions import ResourceUpdated
from mcp.shared.exceptions import MCPDeprecationWarning, MCPError
from mcp.types import ServerNotification

from messengers.core.callers import OWNER
from tests.core.conftest import House
from tests.mcp_server.conftest import Connect
from tests.mcp_server.ways import WAYS, listening

TODAY = ("unix", "http")
"""Where clients of 2026 speak; those of before do on each way."""


class Heard:
    """The updates that a client of before was sent."""

    def __init__(self) -> None:
        self.uris: list[str] = []
        self.news = anyio.Event()

    async def take(self, message: object) -> None:
        if isinstance(message, ServerNotification):
            uri = getattr(message.params, "uri", None)
            if uri is not None:
                self.uris.append(str(uri))
                self.news.set()

    async def until(self, uri: str) -> None:
        with anyio.fail_after(5):
            while uri not in self.uris:
                self.news = anyio.Event()
                await self.news.wait()


@asynccontextmanager
async def before(house: House, way: str, folder: Path, heard: Heard) -> AsyncGenerator[Client]:
    """A client of 2025 on one of the ways."""
    async with (
        WAYS[way](house.core, "reader", (), folder) as transport,
        Client(transport, mode="legacy", message_handler=heard.take) as client,
    ):
        yield client


async def subscribe(client: Client, uri: str) -> None:
    with pytest.warns(MCPDeprecationWarning):
        await client.subscribe_resource(uri)  # pyright: ignore[reportDeprecated] - it is what clients of before send


async def unsubscribe(client: Client, uri: str) -> None:
    with pytest.warns(MCPDeprecationWarning):
        await client.unsubscribe_resource(uri)  # pyright: ignore[reportDeprecated] - it is what clients of before send


async def chat_with_ann(house: House, text: str = "hello") -> str:
    await house.personal.say(text, chat="ann")
    return (await house.told(text)).chat


@pytest.mark.parametrize("way", TODAY)
async def test_a_client_of_today_hears_of_the_chat_it_listens_to(
    house: House, connect: Connect
) -> None:
    chat = await chat_with_ann(house)
    uri = f"chat://{chat}/messages"
    async with (
        connect("reader") as client,
        client.listen(resource_subscriptions=[uri, "instance://me"]) as updates,
    ):
        await house.personal.say("elsewhere", chat="bob")
        await house.personal.say("news", chat="ann")
        with anyio.fail_after(5):
            first = await anext(aiter(updates))
        read = (await client.read_resource(uri)).contents[0]
        await house.core.instances.disconnect(OWNER, "me")
        with anyio.fail_after(5):
            async for update in updates:
                if update == ResourceUpdated(uri="instance://me"):
                    break
        state = (await client.read_resource("instance://me")).contents[0]

    assert first == ResourceUpdated(uri=uri)
    assert "news" in getattr(read, "text", "")
    assert "<untrusted " in getattr(read, "text", "")
    assert "stopped" in getattr(state, "text", "")


@pytest.mark.parametrize("way", sorted(WAYS))
async def test_a_client_of_before_hears_of_the_chat_it_subscribed_to(
    house: House, way: str, tmp_path: Path
) -> None:
    chat = await chat_with_ann(house)
    uri, heard = f"chat://{chat}/messages", Heard()
    async with before(house, way, tmp_path, heard) as client:
        resources = client.server_capabilities.resources
        await subscribe(client, uri)
        await house.personal.say("elsewhere", chat="bob")
        await house.personal.say("news", chat="ann")
        await heard.until(uri)
        await unsubscribe(client, uri)
        await subscribe(client, "instance://me")
        heard.uris.clear()
        await house.personal.say("not told", chat="ann")
        await house.told("not told")
        await house.core.instances.disconnect(OWNER, "me")
        await heard.until("instance://me")
        await unsubscribe(client, "instance://me")  # told while it leaves, the SDK's client breaks

    assert resources is not None
    assert resources.subscribe
    assert set(heard.uris) == {"instance://me"}


async def test_what_does_not_exist_for_a_key_is_not_subscribed_to(house: House) -> None:
    chat = await chat_with_ann(house)
    bot = house.core.instances.by_name("bot").id
    async with listening(house.core, "reader") as (url, _):
        _, secret = await house.core.keys.create(OWNER, "bound", "reader", instances=[bot])
        headers = {"Authorization": f"Bearer {secret}"}
        heard = Heard()
        uri = f"chat://{chat}/messages"
        async with httpx2.AsyncClient(headers=headers, timeout=20) as http:
            transport = streamable_http_client(f"{url}/mcp", http_client=http)
            async with Client(transport, mode="legacy", message_handler=heard.take) as client:
                for wrong in (uri, "instance://me", "chat://nobody/messages", "file:///x"):
                    with pytest.raises(MCPError):
                        await subscribe(client, wrong)
                with pytest.raises(MCPError, match="No such chat"):
                    await client.read_resource(uri)
            transport = streamable_http_client(f"{url}/mcp", http_client=http)
            async with (
                Client(transport) as client,
                client.listen(resource_subscriptions=[uri, "instance://bot"]) as updates,
            ):
                await house.personal.say("not for you", chat="ann")
                await house.told("not for you")
                await house.core.instances.disconnect(OWNER, "bot")
                with anyio.fail_after(5):
                    first = await anext(aiter(updates))

    assert first == ResourceUpdated(uri="instance://bot")
    assert heard.uris == []


async def test_the_templates_are_listed_and_the_guide_stays_the_only_resource(
    connect: Connect,
) -> None:
    async with connect("reader") as client:
        templates = (await client.list_resource_templates()).resource_templates
        with pytest.raises(MCPError) as caught:
            await client.read_resource("instance://nobody")

    assert [str(each.uri_template) for each in templates] == [
        "chat://{chat}/messages",
        "instance://{name}",
    ]
    assert "nobody" not in caught.value.error.message
