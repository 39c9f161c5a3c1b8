"""A real core whose Slack app talks to a fake Slack."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from messengers.core.callers import OWNER, Caller
from messengers.core.chats import chat_key
from messengers.core.core import Core, open_core
from messengers.core.registry import Entry
from messengers.models import Chat as OurChat
from messengers.models import Draft, Lifecycle, SentMessage
from messengers.models import Message as OurMessage
from messengers.providers.slack.provider import SlackProvider
from messengers.settings import Settings
from messengers.store.messages import page
from tests.desk import becomes, until
from tests.fakes.slack import Bot, Channel, FakeSlack, User, Workspace
from tests.fakes.slack.tokens import Token

AGENT = Caller("stdio", local=True, preset="admin")


@dataclass
class Connected:
    """An app and both its sides."""

    slack: FakeSlack
    core: Core
    acme: Workspace
    grace: User
    bot: Bot
    team: Channel
    """A public channel with both in it."""
    name: str = "work"

    @property
    def entry(self) -> Entry:
        return self.core.instances.registry.by_name(self.name)

    @property
    def provider(self) -> SlackProvider:
        provider = self.entry.built
        assert isinstance(provider, SlackProvider)
        return provider

    async def chat(self, native_id: str) -> OurChat:
        """A chat by its native id, once it is stored."""
        instance = self.entry.instance.id
        return await until(lambda: self.core.chats.get_by_native(instance, native_id))

    async def messages(self, native_id: str) -> Sequence[OurMessage]:
        """What is stored of a chat, oldest first; whoever reads it as a tool does fetches more."""
        found = await self.core.chats.get_by_native(self.entry.instance.id, native_id)
        if found is None:
            return ()
        place = {"chat": chat_key(found), "until": 2**62, "limit": 200}
        stored = await self.core.store.rows(page(since=False, older=False), **place)
        return [self.core.history.of_row(row) for row in reversed(stored)]

    async def message(
        self, native_id: str, fits: Callable[[OurMessage], object] = bool
    ) -> OurMessage:
        """The newest message of a chat that is as wanted, once there is one."""

        async def found() -> OurMessage | None:
            for each in reversed(await self.messages(native_id)):
                if fits(each):
                    return each
            return None

        return await until(found)

    async def heard(self, native_id: str, text: str) -> OurMessage:
        """The message of a text, once it is stored."""
        return await self.message(native_id, lambda message: message.text == text)

    async def send(
        self, to: User | Channel | str, text: str = "", wait_s: float = 10, **draft: object
    ) -> SentMessage:
        """As a tool does."""
        target = to if isinstance(to, str) else to.id
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
    slack: FakeSlack,
    core: Core,
    token: Token,
    name: str = "work",
    provider: str = "slack",
    **config: str,
) -> Entry:
    """Create an instance; without a signing secret Slack delivers over a socket."""
    how = {} if "signing_secret" in config else {"app_token": token.app.token.value}
    await core.instances.create(
        OWNER,
        provider,
        name,
        {"token": token.value, **how, **config},
        endpoints={"api": slack.base_url},
        confirm="never",
        wait_s=0,
    )
    return core.instances.registry.by_name(name)


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack
        slack.check()


@pytest.fixture
def acme(slack: FakeSlack) -> Workspace:
    return slack.add_workspace()


@pytest.fixture
def grace(slack: FakeSlack, acme: Workspace) -> User:
    return slack.add_user(acme, "grace", "Grace Hopper")


@pytest.fixture
def bot(slack: FakeSlack, acme: Workspace, grace: User) -> Bot:
    """An app's bot with every scope and subscription."""
    return slack.add_bot(acme)


@pytest.fixture
def team(slack: FakeSlack, acme: Workspace, grace: User, bot: Bot) -> Channel:
    return slack.add_channel(acme, "team", grace, bot)


OpenCore = Callable[[], AbstractAsyncContextManager[Core]]


@pytest.fixture
def reopen(tmp_path: Path) -> OpenCore:
    """Open the same data directory as often as a test restarts the product."""
    return lambda: open_core(Settings(home=tmp_path / "home"))


@asynccontextmanager
async def connected(
    slack: FakeSlack, reopen: OpenCore, bot: Bot, grace: User, team: Channel, **config: str
) -> AsyncGenerator[Connected]:
    """An app whose instance receives."""
    async with reopen() as core:
        await add(slack, core, bot.token, **config)
        work = Connected(slack, core, bot.workspace, grace, bot, team)
        await work.reaches(Lifecycle.CONNECTED)
        yield work


@pytest.fixture
async def work(
    slack: FakeSlack, reopen: OpenCore, bot: Bot, grace: User, team: Channel
) -> AsyncIterator[Connected]:
    """A connected app."""
    async with connected(slack, reopen, bot, grace, team) as work:
        yield work
