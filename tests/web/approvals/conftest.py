"""The real app on loopback with a personal account that strangers write to, so that agents wait."""

import re
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import anyio
import httpx2
import pytest

from messengers.app import open_app
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import ChatFilter
from messengers.core.core import Core
from messengers.models import Draft, SentMessage
from messengers.providers.capabilities import MediaLimit
from messengers.settings import Settings
from tests.fakes.scripted import Platform, platform
from tests.programs import ROOT
from tests.web.chat.conftest import serving

SITE = ROOT / "tests" / "fakes" / "site"
AGENT = Caller("stdio", preset="setup", local=True)
_PICTURES = MediaLimit(max_bytes=1_000_000, mimes=("image/png",))


@dataclass
class Desk:
    """The running product, the other side of its account, and browsers of this machine."""

    core: Core
    port: int
    side: Platform

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def own(self) -> dict[str, str]:
        """What a browser adds to a form of our own page."""
        return {"Origin": self.base, "Sec-Fetch-Site": "same-origin"}

    def browser(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(base_url=self.base, timeout=20)

    async def login(self, client: httpx2.AsyncClient) -> None:
        """As the owner does: a link of his terminal, opened."""
        answer = await client.get(await self.core.owner_sessions.link())
        assert (answer.status_code, answer.headers["location"]) == (303, "/approvals")

    async def chat(self, native: str) -> str:
        """A stranger who writes first; his chat."""
        await self.side.say(f"hello from {native}", chat=native)
        with anyio.fail_after(10):
            while True:
                page = await self.core.chats.list(OWNER, ChatFilter(query=native))
                if page.items:
                    return page.items[0].id
                await anyio.sleep(0.01)

    async def hold(self, text: str, native: str = "eve", *attachments: str) -> str:
        """What an agent wants to write to a stranger; the id of its approval."""
        chat = await self.chat(native)
        draft = Draft(text=text, attachments=attachments)
        act = await self.core.sending.prepare(AGENT, chat, draft)
        answer = await self.core.approvals.perform(act)
        assert isinstance(answer, SentMessage)
        assert answer.approval
        return answer.approval

    async def answer(
        self, client: httpx2.AsyncClient, approval: str, decision: str, **headers: str
    ) -> httpx2.Response:
        """Press a button of the page, as it stands in this browser."""
        page = (await client.get(f"/approvals/{approval}")).text
        body = {"proof": proof(page), "decision": decision}
        sent = {**self.own, **headers}
        return await client.post(f"/approvals/{approval}", data=body, headers=sent)


def proof(page: str) -> str:
    """What the first form of a page carries."""
    return re.findall(r'name="proof" value="([0-9a-f]+)"', page)[0]


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(sys, "path", [str(SITE), *sys.path])
    settings = Settings(home=tmp_path / "home", port=0, timezone="Europe/Riga")
    async with open_app(settings) as app:
        token = uuid4().hex
        side = platform(token)
        side.capabilities = side.capabilities.model_copy(update={"media": {"image": _PICTURES}})
        await app.core.instances.create(OWNER, "scripted_personal", "me", {"token": token})
        with anyio.fail_after(10):
            await side.connected.wait()
        async with serving(app.web) as port:
            app.core.address.listens(port)
            yield Desk(app.core, port, side)
