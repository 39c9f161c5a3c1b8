"""A real core whose Telegram bot talks to a fake Telegram."""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream

from messengers.core.callers import OWNER, Caller
from messengers.core.core import Core, open_core
from messengers.core.registry import Entry
from messengers.models import Chat as OurChat
from messengers.models import Draft, Lifecycle, SentMessage
from messengers.models import Message as OurMessage
from messengers.providers.telegram.provider import TelegramProvider
from messengers.settings import Settings
from tests.desk import becomes, until
from tests.fakes.telegram import Bot, Chat, FakeTelegram, User

AGENT = Caller("stdio", local=True, preset="admin")


@dataclass
class Connected:
    """A bot and both its sides."""

    telegram: FakeTelegram
    core: Core
    bot: Bot
    name: str = "shop"

    @property
    def entry(self) -> Entry:
        return self.core.instances.registry.by_name(self.name)

    @property
    def provider(self) -> TelegramProvider:
        provider = self.entry.built
        assert isinstance(provider, TelegramProvider)
        return provider

    def somebody(self, name: str = "Ada", *, started: bool = True) -> User:
        """A person, who pressed Start."""
        user = self.telegram.add_user(name)
        if started:
            self.telegram.start(user, self.bot)
        return user

    async def chat(self, native_id: object) -> OurChat:
        """A chat by its native id, once it is stored."""
        instance = self.entry.instance.id
        return await until(lambda: self.core.chats.get_by_native(instance, str(native_id)))

    async def messages(self, native_id: object) -> Sequence[OurMessage]:
        """What is stored of a chat, oldest first."""
        found = await self.core.chats.get_by_native(self.entry.instance.id, str(native_id))
        return () if found is None else (await self.core.history.read(OWNER, found, 200)).items

    async def message(
        self, native_id: object, fits: Callable[[OurMessage], object] = bool
    ) -> OurMessage:
        """The newest message of a chat that is as wanted, once there is one."""

        async def found() -> OurMessage | None:
            for each in reversed(await self.messages(native_id)):
                if fits(each):
                    return each
            return None

        return await until(found)

    async def heard(self, native_id: object, text: str) -> OurMessage:
        """The message of a text, once it is stored."""
        return await self.message(native_id, lambda message: message.text == text)

    async def send(
        self, to: User | Chat | str, text: str = "", wait_s: float = 10, **draft: object
    ) -> SentMessage:
        """As a tool does."""
        target = to if isinstance(to, str) else str(to.id)
        whole = Draft.model_validate({"text": text, **draft})
        act = await self.core.sending.prepare(AGENT, target, whole, instance=self.name)
        answer = await self.core.approvals.perform(act, wait_s)
        assert isinstance(answer, SentMessage)
        return answer

    async def events(self, kind: str) -> list[Mapping[str, object]]:
        """The data of all events of a kind."""
        found = await self.core.events.since(OWNER, 0, kind=kind)
        return [each.data for _, each in found]

    async def reaches(self, lifecycle: Lifecycle) -> None:
        """Wait until the instance is in a state."""
        await becomes(lambda: self.entry.health.lifecycle is lifecycle)


async def add(
    telegram: FakeTelegram, core: Core, bot: Bot, name: str = "shop", **config: str
) -> Connected:
    """Create an instance for a bot."""
    await core.instances.create(
        OWNER,
        "telegram",
        name,
        {"token": bot.token, **config},
        endpoints={"api": telegram.url},
        confirm="never",
        wait_s=0,
    )
    return Connected(telegram, core, bot, name)


@dataclass
class Answering:
    """A server that says what a test wants, and what it was asked."""

    url: str
    asked: list[str]


@asynccontextmanager
async def answering(results: Sequence[object]) -> AsyncGenerator[Answering]:
    """Gives these results in turn, one a connection, and then hangs up."""
    left, asked = [*results], list[str]()

    async def serve(stream: SocketStream) -> None:
        async with stream:
            asked.append((await stream.receive(65_536)).split(b"\r\n")[0].decode())
            if left:
                body = json.dumps({"ok": True, "result": left.pop(0)}).encode()
                head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n"
                await stream.send(f"{head}Connection: close\r\n\r\n".encode() + body)

    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with listener, anyio.create_task_group() as tasks:
        tasks.start_soon(listener.serve, serve)
        port = listener.extra(SocketAttribute.local_port)  # noqa: S610 - anyio's, not Django's
        yield Answering(f"http://127.0.0.1:{port}", asked)
        tasks.cancel_scope.cancel()


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram
        telegram.check()


OpenCore = Callable[[], AbstractAsyncContextManager[Core]]


@pytest.fixture
def reopen(tmp_path: Path) -> OpenCore:
    """Open the same data directory as often as a test restarts the product."""
    return lambda: open_core(Settings(home=tmp_path / "home"))


@asynccontextmanager
async def connected_bot(
    telegram: FakeTelegram, reopen: OpenCore, bot: Bot | None = None, **config: str
) -> AsyncGenerator[Connected]:
    """A bot whose instance receives; of none that is given, one that hears all in groups."""
    bot = bot or telegram.add_bot(
        "shop_bot", can_join_groups=True, can_read_all_group_messages=True
    )
    async with reopen() as core:
        shop = await add(telegram, core, bot, "shop", **config)
        await shop.reaches(Lifecycle.CONNECTED)
        yield shop


@pytest.fixture
async def shop(telegram: FakeTelegram, reopen: OpenCore) -> AsyncIterator[Connected]:
    """A connected bot."""
    async with connected_bot(telegram, reopen) as shop:
        yield shop
