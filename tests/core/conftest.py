"""A real core on a fresh data directory, with a personal and a bot account of the scripted
messenger."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from messengers.clock import Clock
from messengers.core.acts import Answer
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import ChatFilter
from messengers.core.core import Core, open_core
from messengers.guarded import Guard
from messengers.models import Chat, Draft, Message, SentMessage
from messengers.settings import Settings
from tests.fakes.scripted import Platform, platform

AGENT = Caller("stdio", preset="setup", local=True)
SITE = Path(__file__).parents[1] / "fakes" / "site"


@dataclass
class House:
    """A running core and the other side of its two accounts."""

    core: Core
    personal: Platform
    bot: Platform

    async def told(self, text: str, instance: str = "me") -> Message:
        """Wait until a message with that text is stored; returns it."""

        async def ready() -> Message | None:
            for chat in (await self.core.chats.list(OWNER, ChatFilter(instance=instance))).items:
                for message in (await self.core.history.read(OWNER, chat)).items:
                    if message.text == text:
                        return message
            return None

        found = await self.core.events.wait(ready, 5)
        assert found is not None, f"{text!r} never arrived"
        return found

    async def chat_of(self, message: Message) -> Chat:
        return await self.core.chats.get(OWNER, message.chat)

    async def send(
        self, chat: str, text: str, client_ref: str = "", wait_s: float = 5, caller: Caller = AGENT
    ) -> SentMessage:
        """Prepare and perform, as a tool does."""
        draft = Draft(text=text)
        act = await self.core.sending.prepare(caller, chat, draft, client_ref=client_ref)
        return sent(await self.core.approvals.perform(act, wait_s))


def sent(answer: Answer) -> SentMessage:
    """The answer of an act on a chat."""
    assert isinstance(answer, SentMessage)
    return answer


OpenHouse = Callable[..., AbstractAsyncContextManager[House]]


@pytest.fixture
def open_house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenHouse:
    """Open the same data directory as often as a test restarts the product."""
    monkeypatch.syspath_prepend(str(SITE))  # pyright: ignore[reportUnknownMemberType] - untyped there
    tokens = {"me": uuid4().hex, "bot": uuid4().hex}

    @asynccontextmanager
    async def opened(
        clock: Clock | None = None, guard: Guard | None = None, **chosen: object
    ) -> AsyncGenerator[House]:
        home = tmp_path / "home"
        settings = Settings.load(home=home, timezone="Europe/Riga", **chosen)
        for token in tokens.values():
            platform(token).connected = anyio.Event()
        async with open_core(settings, clock, guard) as core:
            known = {view.instance.name for view in await core.instances.list(OWNER)}
            for name, kind in (("me", "personal"), ("bot", "bot")):
                if name not in known:
                    config = {"token": tokens[name]}
                    await core.instances.create(OWNER, f"scripted_{kind}", name, config)
            house = House(core, platform(tokens["me"]), platform(tokens["bot"]))
            with anyio.fail_after(10):
                await house.personal.connected.wait()
                await house.bot.connected.wait()
            yield house

    return opened


@pytest.fixture
async def house(open_house: OpenHouse) -> AsyncIterator[House]:
    async with open_house() as opened:
        yield opened
