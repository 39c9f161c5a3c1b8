"""Builds each provider as the product does: through the catalog, from its declaration."""

import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from messengers.clock import SystemClock
from messengers.core.credentials import read
from messengers.models import Health, Lifecycle
from messengers.providers.base import Provider, ProviderContext, ProviderInfo
from messengers.providers.catalog import Catalog
from tests.contract.subjects import SUBJECTS, Subject

SITE = Path(__file__).parents[1] / "fakes" / "site"


class Shelf:
    """A sink that keeps what a provider says and refuses duplicates, as the inbox does."""

    def __init__(self) -> None:
        self.events: dict[str, tuple[str, str, bytes]] = {}
        self.states: list[Health] = []
        self.connected = anyio.Event()
        self.arrived = anyio.Event()

    async def ingest(self, event_key: str, chat_key: str, kind: str, payload: bytes) -> bool:
        await anyio.lowlevel.checkpoint()
        if event_key in self.events:
            return False
        self.events[event_key] = (chat_key, kind, payload)
        self.arrived.set()
        return True

    def signal(self, chat_key: str, kind: str, data: str) -> None:
        del chat_key, kind, data

    def report(self, health: Health) -> None:
        self.states.append(health)
        if health.lifecycle is Lifecycle.CONNECTED:
            self.connected.set()


@pytest.fixture(params=SUBJECTS, ids=lambda subject: subject.name)
def subject(request: pytest.FixtureRequest) -> Subject:
    return request.param


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    monkeypatch.setattr(sys, "path", [str(SITE), *sys.path])
    return Catalog()


@pytest.fixture
def info(catalog: Catalog, subject: Subject) -> ProviderInfo:
    return catalog.find(subject.name)


Build = Callable[[], Provider]


@pytest.fixture
def endpoints() -> dict[str, str]:
    """Where a provider that is built finds its platform; empty without a world."""
    return {}


@pytest.fixture
async def world(
    subject: Subject, endpoints: dict[str, str], tmp_path: Path
) -> AsyncGenerator[None]:
    """The platform behind a provider, for tests that run it."""
    if subject.world is None:
        yield
        return
    async with subject.world(tmp_path / "instance") as reached:
        endpoints.update(reached)
        yield


@pytest.fixture
def build(
    catalog: Catalog,
    info: ProviderInfo,
    subject: Subject,
    endpoints: dict[str, str],
    tmp_path: Path,
) -> Build:
    """A new provider each time, as after a restart."""

    def made() -> Provider:
        context = ProviderContext(
            instance_id=str(uuid4()),
            instance_name="shop",
            config=read(info.config, subject.config),
            endpoints=endpoints,
            directory=tmp_path / "instance",
            clock=SystemClock(),
        )
        return catalog.provider_class(info)(context)

    return made


@pytest.fixture
def provider(build: Build) -> Provider:
    return build()
