"""A real core whose Discord bot talks to a fake Discord."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from messengers.core.callers import OWNER, Caller
from messengers.core.core import Core, open_core
from messengers.core.registry import Entry
from messengers.models import Chat as OurChat
from messengers.models import Draft, Lifecycle, SentMessage
from messengers.models import Message as OurMessage
from messengers.providers.discord.provider import DiscordProvider
from messengers.settings import Settings
from tests.desk import becomes, until
from tests.fakes.discord import Bot, Channel, FakeDiscord, Guild, User

AGENT = Caller("stdio", local=True, preset="admin")


def native(place: User | Channel | Guild | str) -> str:
    """As the product has it."""
    match place:
        case User():
            return f"user:{place.id}"
        case Guild():
            return f"guild:{place.id}"
        case Channel():
            return str(place.id)
        case str():
            return place


@dataclass
class Connected:
    """A bot and both its sides."""

    discord: FakeDiscord
    core: Core
    bot: Bot
    guild: Guild
    ada: User
    name: str = "shop"

    @property
    def general(self) -> Channel:
        return next(iter(self.guild.channels.values()))

    @property
    def entry(self) -> Entry:
        return self.core.instances.registry.by_name(self.name)

    @property
    def provider(self) -> DiscordProvider:
        provider = self.entry.built
        assert isinstance(provider, DiscordProvider)
        return provider

    async def chat(self, place: User | Channel | Guild | str) -> OurChat:
        """A chat, once it is stored."""
        instance = self.entry.instance.id
        return await until(lambda: self.core.chats.get_by_native(instance, native(place)))

    async def messages(self, place: User | Channel | Guild | str) -> Sequence[OurMessage]:
        """What is stored of a chat, oldest first."""
        found = await self.core.chats.get_by_native(self.entry.instance.id, native(place))
        return () if found is None else (await self.core.history.read(OWNER, found, 200)).items

    async def message(
        self,
        place: User | Channel | Guild | str,
        fits: Callable[[OurMessage], object] = bool,
    ) -> OurMessage:
        """The newest message of a chat that is as wanted, once there is one."""

        async def found() -> OurMessage | None:
            for each in reversed(await self.messages(place)):
                if fits(each):
                    return each
            return None

        return await until(found)

    async def heard(self, place: User | Channel | Guild | str, text: str) -> OurMessage:
        """The message of a text, once it is stored."""
        return await self.message(place, lambda message: message.text == text)

    async def send(
        self, to: User | Channel | Guild | str, text: str = "", wait_s: float = 10, **draft: object
    ) -> SentMessage:
        """As a tool does."""
        whole = Draft.model_validate({"text": text, **draft})
        act = await self.core.sending.prepare(AGENT, native(to), whole, instance=self.name)
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


@pytest.fixture
async def discord() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as discord:
        yield discord
        discord.check()


@pytest.fixture
def bot(discord: FakeDiscord) -> Bot:
    return discord.add_bot("shop")


@pytest.fixture
def ada(discord: FakeDiscord) -> User:
    return discord.add_user("ada", "Ada")


@pytest.fixture
def cellar(discord: FakeDiscord, bot: Bot, ada: User) -> Guild:
    """A server of Bob's where Ada and the bot are."""
    return discord.add_guild("Cellar", discord.add_user("bob", "Bob"), ada, bot)


OpenCore = Callable[[], AbstractAsyncContextManager[Core]]


@pytest.fixture
def reopen(tmp_path: Path) -> OpenCore:
    """Open the same data directory as often as a test restarts the product."""
    return lambda: open_core(Settings(home=tmp_path / "home"))


async def add(
    core: Core, discord: FakeDiscord, bot: Bot, name: str = "shop", **config: str
) -> None:
    """Create an instance for a bot."""
    await core.instances.create(
        OWNER,
        "discord",
        name,
        {"token": bot.token, **config},
        endpoints={"api": discord.api_url},
        confirm="never",
        wait_s=0,
    )


@asynccontextmanager
async def connected_bot(
    discord: FakeDiscord, reopen: OpenCore, guild: Guild, **config: str
) -> AsyncGenerator[Connected]:
    """The bot of a server, whose instance receives; a second time it is there already."""
    bot = next(each.user for each in guild.members.values() if isinstance(each.user, Bot))
    ada = [each.user for each in guild.members.values()][1]
    async with reopen() as core:
        if not core.instances.registry.entries():
            await add(core, discord, bot, **config)
        shop = Connected(discord, core, bot, guild, ada)
        await shop.reaches(Lifecycle.CONNECTED)
        await shop.chat(shop.general)
        yield shop


@pytest.fixture
async def shop(discord: FakeDiscord, reopen: OpenCore, cellar: Guild) -> AsyncIterator[Connected]:
    """A connected bot."""
    async with connected_bot(discord, reopen, cellar) as shop:
        yield shop
