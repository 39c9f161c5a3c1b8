"""A real core whose WhatsApp account is served by the real engine, against a fake WhatsApp.

Linking takes more than a second, so a module shares one account and each test has people of its
own to talk to.
"""

from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Awaitable,
    Callable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypeVar

import anyio
import pytest

from messengers.core.callers import OWNER, Caller
from messengers.core.core import Core, open_core
from messengers.core.registry import Entry
from messengers.models import Chat, Draft, Lifecycle, Message, SentMessage
from messengers.providers.base import Part
from messengers.providers.login import ShowQr
from messengers.providers.whatsapp_web import process
from messengers.providers.whatsapp_web.provider import WhatsAppWebProvider
from messengers.settings import Settings
from tests.fakes.whatsapp_web import FakeWhatsApp
from tests.fakes.whatsapp_web.devices import Account, Companion, Peer
from tests.fakes.whatsapp_web.devices import Message as InboxMessage
from tests.fakes.whatsapp_web.engine import quick_folder, require_engine

AGENT = Caller("stdio", local=True, preset="admin")
MODULE = "messengers.providers.whatsapp_web.worker"
T = TypeVar("T")
_PATIENCE_S = 60
"""The time limit of the test itself is shorter, unless it gives itself a longer one."""
_GLANCE_S = 0.02
_numbers = count(15552000000)


async def until(found: Callable[[], Awaitable[T | None]], within_s: float = _PATIENCE_S) -> T:
    """Ask until there is something: not everything that arrives is an event."""
    with anyio.fail_after(within_s):
        while True:
            result = await found()
            if result is not None:
                return result
            await anyio.sleep(_GLANCE_S)


async def next_of(peer: Peer) -> InboxMessage:
    """What a phone received next."""
    with anyio.fail_after(_PATIENCE_S):
        return await peer.inbox.get()


async def becomes(fact: Callable[[], object]) -> None:
    """Wait until what is known here is so."""

    async def found() -> bool | None:
        return True if fact() else None

    await until(found)


def entry_of(core: Core, name: str = "wa") -> Entry:
    return core.instances.registry.by_name(name)


async def reaches(core: Core, lifecycle: Lifecycle, name: str = "wa") -> None:
    """Wait until an instance is in a state."""
    entry = entry_of(core, name)
    await becomes(lambda: entry.health.lifecycle is lifecycle)


async def create(core: Core, wa: FakeWhatsApp, name: str = "wa", **config: str) -> None:
    """Set an instance up without its pauses."""
    endpoints = {"proxy": wa.proxy_url}
    await core.instances.create(
        OWNER, "whatsapp_web", name, config, endpoints=endpoints, confirm="never", wait_s=0
    )
    await core.instances.set_policy(OWNER, name, pacing="off")


async def scan(core: Core, wa: FakeWhatsApp, account: Account, name: str = "wa") -> Companion:
    """Scan the code that an instance shows."""
    step = await core.login.step(OWNER, name)
    assert isinstance(step, ShowQr), step
    companion = await wa.scan_qr(step.text, account)
    await reaches(core, Lifecycle.CONNECTED, name)
    return companion


def workers(folder: Path) -> list[int]:
    """The pids of the workers whose sessions lie below a folder, whoever started them."""
    return [
        int(process.name) for process in Path("/proc").glob("[0-9]*") if _works(process, folder)
    ]


def _works(process: Path, folder: Path) -> bool:
    try:
        words = (process / "cmdline").read_text("utf-8").split("\0")
    except (FileNotFoundError, ProcessLookupError):  # it ended meanwhile
        return False
    return MODULE in words and any(word.startswith(f"{folder}/") for word in words)


@dataclass
class Linked:
    """An account that is linked, and both its sides."""

    wa: FakeWhatsApp
    core: Core
    me: Account
    companion: Companion
    name: str = "wa"

    @property
    def entry(self) -> Entry:
        return entry_of(self.core, self.name)

    @property
    def provider(self) -> WhatsAppWebProvider:
        provider = self.entry.built
        assert isinstance(provider, WhatsAppWebProvider)
        return provider

    def somebody(self, name: str, *, lid_addressing: bool = True) -> Peer:
        """A person nobody else talks to."""
        return self.wa.add_contact(str(next(_numbers)), name, lid_addressing=lid_addressing)

    async def chat(self, native_id: str) -> Chat:
        """A chat by its native id, once it is stored."""
        return await until(lambda: self.core.chats.get_by_native(self.entry.instance.id, native_id))

    async def messages(self, native_id: str) -> Sequence[Message]:
        """What is stored of a chat, oldest first."""
        found = await self.core.chats.get_by_native(self.entry.instance.id, native_id)
        return () if found is None else (await self.core.history.read(OWNER, found, 200)).items

    async def message(
        self, native_id: str, where: Peer | str, fits: Callable[[Message], object] = bool
    ) -> Message:
        """A message by its id in the chat with a person or of a jid, once it is as wanted."""
        jid = where if isinstance(where, str) else where.pn

        async def found() -> Message | None:
            for each in await self.messages(jid):
                if each.native_id == native_id and fits(each):
                    return each
            return None

        return await until(found)

    async def send(
        self, to: Peer | str, text: str = "", wait_s: float = 10, **draft: object
    ) -> SentMessage:
        """As a tool does, to whom nobody has talked yet."""
        target = to if isinstance(to, str) else f"+{to.phone}"
        whole = Draft.model_validate({"text": text, **draft})
        act = await self.core.sending.prepare(AGENT, target, whole, instance=self.name)
        answer = await self.core.approvals.perform(act, wait_s)
        assert isinstance(answer, SentMessage)
        return answer

    async def send_part(self, to: Peer, part: Part) -> str:
        """What no tool can send yet, through the provider; returns the id."""
        sent = await self.provider.send(to.pn, part, f"key-{next(_numbers)}")
        return sent.native_id

    async def events(self, kind: str) -> list[Mapping[str, object]]:
        """The data of all events of a kind."""
        found = await self.core.events.since(OWNER, 0, kind=kind)
        return [each.data for _, each in found]


@asynccontextmanager
async def serving(wa: FakeWhatsApp) -> AsyncGenerator[None]:
    """Workers that are started meanwhile talk to this fake."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(process, "COMMAND", wa.command(MODULE))
        yield


async def link(
    core: Core, wa: FakeWhatsApp, account: Account, name: str = "wa", **config: str
) -> Linked:
    """An instance that a phone has linked."""
    await create(core, wa, name, **config)
    return Linked(wa, core, account, await scan(core, wa, account, name), name)


@pytest.fixture(scope="module")
async def linked() -> AsyncIterator[Linked]:
    """The account that the tests of a module share; it stays linked and connected."""
    require_engine()
    with quick_folder() as folder:
        async with FakeWhatsApp(folder / "tls") as wa, serving(wa):
            me = wa.add_account(str(next(_numbers)), "Me Myself")
            async with open_core(Settings(home=folder / "home")) as core:
                yield await link(core, wa, me)
            wa.check()


@pytest.fixture
def folder() -> Iterator[Path]:
    """What a test keeps on disk, in memory."""
    with quick_folder() as folder:
        yield folder


@pytest.fixture
async def wa(folder: Path) -> AsyncIterator[FakeWhatsApp]:
    """A WhatsApp of the test's own, for what would disturb others."""
    require_engine()
    async with FakeWhatsApp(folder / "tls") as wa, serving(wa):
        yield wa
        wa.check()


OpenCore = Callable[[], AbstractAsyncContextManager[Core]]


@pytest.fixture
def reopen(folder: Path) -> OpenCore:
    """Open the same data directory as often as a test restarts the product."""
    return lambda: open_core(Settings(home=folder / "home"))
