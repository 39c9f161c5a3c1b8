"""slack_sdk's own clients, as clients of the fake."""

import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import cast

import aiohttp
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack.apps import App
from tests.fakes.slack.people import Json
from tests.fakes.slack.server import FakeSlack
from tests.fakes.slack.tokens import Token

__all__ = ["Client", "Ear", "client_of", "listening"]


class Client:
    """A web client whose answers have a type."""

    def __init__(self, web: AsyncWebClient) -> None:
        self.web = web

    async def ask(self, method: str, /, **arguments: object) -> Json:
        """By slack_sdk's own function: `chat.postMessage` is `chat_postMessage`."""
        function = getattr(self.web, method.replace(".", "_"))
        answer = await function(**arguments)
        return cast("Json", answer.data)

    async def refused(self, method: str, /, **arguments: object) -> str:
        """The error of what must not succeed."""
        try:
            await self.ask(method, **arguments)
        except SlackApiError as error:
            return str(vars(error)["response"]["error"])
        raise AssertionError(f"{method} was not refused")


@asynccontextmanager
async def client_of(slack: FakeSlack, token: Token, timeout_s: float = 5) -> AsyncGenerator[Client]:
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Client(AsyncWebClient(token.value, base_url=slack.base_url, session=session))


@dataclass
class Ear:
    """All that an app heard over its socket."""

    client: SocketModeClient
    frames: list[Json] = field(default_factory=list[Json])
    """Every one, hello and disconnect too."""
    acks: bool = True
    answer: Json = field(default_factory=dict[str, object])
    """Goes with the acknowledgement of what accepts one."""

    @property
    def requests(self) -> list[Json]:
        return [each for each in self.frames if "envelope_id" in each]

    @property
    def events(self) -> list[Json]:
        return [each["payload"]["event"] for each in self.requests if each["type"] == "events_api"]

    @property
    def texts(self) -> list[str]:
        return [each["text"] for each in self.events if "text" in each]

    def of_type(self, kind: str) -> list[Json]:
        """The events of a type, or of a message's subtype."""
        return [each for each in self.events if kind in {each["type"], each.get("subtype")}]

    async def hear(self, client: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        if self.acks:
            answer = self.answer if request.accepts_response_payload else None
            response = SocketModeResponse(request.envelope_id, answer or None)
            await client.send_socket_mode_response(response)

    async def see(self, message: aiohttp.WSMessage) -> None:
        frame: object = json.loads(message.data) if message.data.startswith("{") else {}
        self.frames.append(cast("Json", frame))


@asynccontextmanager
async def listening(slack: FakeSlack, app: App) -> AsyncGenerator[Ear]:
    """Connected, and the hello has come."""
    web = AsyncWebClient(base_url=slack.base_url)
    client = SocketModeClient(app.token.value, web_client=web, ping_interval=0.2)
    ear = Ear(client)
    client.socket_mode_request_listeners.append(ear.hear)
    client.on_message_listeners.append(ear.see)
    try:
        await client.connect()
        await slack.until(lambda: ear.frames)
        yield ear
    finally:
        await client.close()
