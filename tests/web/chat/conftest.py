"""The real app with a chat page, served on loopback by uvicorn as the daemon serves it."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from socket import SO_SNDBUF, SOL_SOCKET, socket
from typing import Any, Literal, TypeVar

import anyio
import httpx2
import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from websockets.asyncio.client import ClientConnection, connect

from messengers.app import open_app
from messengers.clock import Clock, SystemClock
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import ChatFilter
from messengers.core.core import Core
from messengers.models import Chat, Draft, Message, SentMessage
from messengers.providers.webchat.provider import WebchatProvider
from messengers.settings import Settings

AGENT = Caller("stdio", preset="setup", local=True)
Frame = dict[str, Any]
T = TypeVar("T")


@dataclass
class Guest:
    """A browser without a screen: a cookie and a WebSocket."""

    socket: ClientConnection
    frames: list[Frame] = field(default_factory=list[Frame])

    async def until(self, **wanted: object) -> Frame:
        """The next frame with these values; those before it are kept aside."""
        with anyio.fail_after(10):
            while True:
                frame: Frame = orjson.loads(await self.socket.recv())
                self.frames.append(frame)
                if wanted.items() <= frame.items():
                    return frame

    async def send(self, frame: Mapping[str, object]) -> None:
        await self.socket.send(orjson.dumps(frame).decode())

    async def say(self, text: str, client_id: str = "client-0001", **more: object) -> Frame:
        """Write, and wait for the answer to it."""
        await self.send({"type": "say", "client_id": client_id, "text": text, **more})
        return await self.until(client_id=client_id)


@dataclass
class Site:
    """The running product, from inside (`core`) and from outside (`port`)."""

    core: Core
    web: Starlette
    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def provider(self) -> WebchatProvider:
        running = self.core.instances.provider(self.core.instances.by_name("shop").id)
        assert isinstance(running, WebchatProvider)
        return running

    def client(self, cookie: str = "") -> httpx2.AsyncClient:
        cookies = {"visitor": cookie} if cookie else None
        return httpx2.AsyncClient(base_url=f"http://{self.host}", cookies=cookies)

    async def cookie(self, name: str = "shop") -> str:
        """Open the page once, as a new browser."""
        async with self.client() as client:
            return (await client.get(f"/chat/{name}")).cookies["visitor"]

    @asynccontextmanager
    async def guest(self, cookie: str = "", name: str = "shop") -> AsyncGenerator[Guest]:
        """A visitor on the page, greeted."""
        cookie = cookie or await self.cookie(name)
        async with self.socket(cookie, name) as websocket:
            guest = Guest(websocket)
            await guest.until(type="hello")
            yield guest

    def socket(
        self, cookie: str, name: str = "shop", sock: socket | None = None, **headers: str
    ) -> connect:
        given = {"Cookie": f"visitor={cookie}"} if cookie else {}
        return connect(
            f"ws://{self.host}/chat/{name}/ws",
            additional_headers={**given, **headers},
            proxy=None,
            max_size=None,
            sock=sock,
        )

    async def told(self, text: str) -> Message:
        """Wait until a message with that text is stored."""
        return await self.eventually(lambda: self._find(text))

    async def _find(self, text: str) -> Message | None:
        for chat in (await self.core.chats.list(OWNER, ChatFilter())).items:
            for message in (await self.core.history.read(OWNER, chat)).items:
                if message.text == text:
                    return message
        return None

    async def eventually(self, ready: Callable[[], Awaitable[T | None]]) -> T:
        found = await self.core.events.wait(ready, 10)
        assert found is not None
        return found

    async def chat_of(self, message: Message) -> Chat:
        return await self.core.chats.get(OWNER, message.chat)

    async def chat(self) -> Chat:
        return (await self.core.chats.list(OWNER, ChatFilter())).items[0]

    async def answer(
        self,
        text: str,
        *attachments: str,
        reply_to: str = "",
        format: Literal["markdown", "plain"] = "markdown",
    ) -> SentMessage:
        """The agent writes to the first visitor."""
        draft = Draft(text=text, attachments=attachments, reply_to=reply_to, format=format)
        act = await self.core.sending.prepare(AGENT, "c1", draft)
        sent = await self.core.approvals.perform(act, 5)
        assert isinstance(sent, SentMessage)
        return sent


@pytest.fixture
def clock() -> Clock:
    return SystemClock()


@pytest.fixture
async def site(tmp_path: Path, clock: Clock) -> AsyncIterator[Site]:
    settings = Settings(home=tmp_path / "home", port=0)
    async with open_app(settings, clock) as app:
        title = {"title": "Anna's Bakery", "greeting": "Hi! Ask us <anything>."}
        await app.core.instances.create(OWNER, "webchat", "shop", title)
        async with serving(app.web) as port:
            app.core.address.listens(port)
            yield Site(app.core, app.web, port)


@asynccontextmanager
async def serving(web: Starlette) -> AsyncGenerator[int]:
    """The daemon's server, on a free port."""
    with socket() as listener:
        listener.setsockopt(SOL_SOCKET, SO_SNDBUF, 16_384)  # so that a deaf page is soon noticed
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            web,
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            ws="websockets-sansio",
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(config)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(server.serve, [listener])
            yield int(listener.getsockname()[1])
            server.should_exit = True
