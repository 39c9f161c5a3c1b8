"""The real app with an account that waits for its phone, served on loopback."""

import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest

from messengers.app import open_app
from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.models import Preset
from messengers.settings import Settings
from tests.fakes.scripted import ScriptedLogin, platform
from tests.programs import ROOT
from tests.web.chat.conftest import serving

SITE = ROOT / "tests" / "fakes" / "site"
FIRST = "https://example.org/linked#first-code-4kQ9,noise,identity"


@dataclass
class Desk:
    """The running product, the phone of its account, and the browsers before it."""

    core: Core
    port: int
    phone: ScriptedLogin

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def own(self) -> dict[str, str]:
        """What a browser adds to what our own page asks."""
        return {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}

    async def link(self, name: str = "phone") -> str:
        """What connecting answers with."""
        return (await self.core.instances.connect(OWNER, name)).link

    def browser(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.base)

    async def key(self, preset: Preset = "setup", *instances: str) -> dict[str, str]:
        """The header of a new key."""
        ids = [self.core.instances.by_name(name).id for name in instances]
        _, secret = await self.core.keys.create(OWNER, f"{preset}-{uuid4().hex}", preset, None, ids)
        return {"Authorization": f"Bearer {secret}"}


async def add_phone(core: Core, name: str) -> ScriptedLogin:
    """An account of its own phone, which shows its first code."""
    token = uuid4().hex
    login = platform(token).login
    login.text = FIRST
    await core.instances.create(OWNER, "scripted_scanned", name, {"token": token})
    return login


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(sys, "path", [str(SITE), *sys.path])
    async with open_app(Settings(home=tmp_path / "home", port=0)) as app:
        phone = await add_phone(app.core, "phone")
        async with serving(app.web) as port:
            app.core.address.listens(port)
            yield Desk(app.core, port, phone)
