"""WhatsApp for the contract suite: the fake with an account that is linked already."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio

from messengers.clock import SystemClock
from messengers.models import Health, Lifecycle
from messengers.providers.base import Provider, ProviderContext
from messengers.providers.login import ShowQr
from messengers.providers.whatsapp_web import process
from messengers.providers.whatsapp_web.config import WhatsAppWebConfig
from messengers.providers.whatsapp_web.provider import WhatsAppWebProvider
from tests.fakes.whatsapp_web import FakeWhatsApp
from tests.fakes.whatsapp_web.devices import Account, Companion, Peer
from tests.fakes.whatsapp_web.engine import require_engine

__all__ = ["BOB", "bob_writes", "world"]

BOB = "15550002222@s.whatsapp.net"


@dataclass
class World:
    """The platform as it stands during a test."""

    whatsapp: FakeWhatsApp
    bob: Peer
    companion: Companion


@dataclass
class Sink:
    """Only waits for states."""

    states: list[Lifecycle] = field(default_factory=list[Lifecycle])
    changed: anyio.Event = field(default_factory=anyio.Event)

    async def ingest(self, event_key: str, chat_key: str, kind: str, payload: bytes) -> bool:
        await anyio.lowlevel.checkpoint()
        return True

    def signal(self, chat_key: str, kind: str, data: str) -> None: ...

    def report(self, health: Health) -> None:
        self.states.append(health.lifecycle)
        self.changed.set()

    async def reached(self, state: Lifecycle) -> None:
        with anyio.fail_after(15):
            while state not in self.states:
                self.changed = anyio.Event()
                await self.changed.wait()


_worlds: list[World] = []


@asynccontextmanager
async def world(directory: Path) -> AsyncGenerator[Mapping[str, str]]:
    """The fake, and a session in the instance's directory."""
    require_engine()
    before = process.COMMAND
    async with FakeWhatsApp(directory.parent / "tls") as whatsapp:
        me = whatsapp.add_account("15550001111", "Me")
        bob = whatsapp.add_contact("15550002222", "Bob")
        process.COMMAND = whatsapp.command("messengers.providers.whatsapp_web.worker")
        endpoints = {"proxy": whatsapp.proxy_url}
        try:
            companion = await _linked(whatsapp, me, directory, endpoints)
            _worlds.append(World(whatsapp, bob, companion))
            yield endpoints
        finally:
            process.COMMAND = before
            _worlds.clear()


async def _linked(
    whatsapp: FakeWhatsApp, me: Account, directory: Path, endpoints: Mapping[str, str]
) -> Companion:
    """Run a provider until its account is linked."""
    context = ProviderContext(
        instance_id="00000000-0000-4000-8000-000000000000",
        instance_name="phone",
        config=WhatsAppWebConfig(),
        endpoints=endpoints,
        directory=directory,
        clock=SystemClock(),
    )
    provider, sink, linked = WhatsAppWebProvider(context), Sink(), list[Companion]()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, sink)
        await sink.reached(Lifecycle.AWAITING_LOGIN)
        step = await provider.login_step()
        assert isinstance(step, ShowQr)
        linked.append(await whatsapp.scan_qr(step.text, me))
        await sink.reached(Lifecycle.CONNECTED)
        tasks.cancel_scope.cancel()
    return linked[0]


async def bob_writes(provider: Provider) -> None:
    """A message from somebody else."""
    del provider
    (here,) = _worlds
    await here.whatsapp.send_text(here.bob, here.companion, "hello")
