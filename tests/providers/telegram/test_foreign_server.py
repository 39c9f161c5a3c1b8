"""A Bot API server that others wrote (npm: telegram-test-api), where it is installed.

It keeps texts, edits and deletions, does not hold a question for updates, and tells dates in
milliseconds. Its tests skip and say so where it is missing.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from socket import create_server
from typing import Any

import anyio
import pytest
from aiohttp import ClientSession

from messengers.core.callers import OWNER
from messengers.models import Lifecycle, Outcome
from messengers.providers.telegram import stream
from tests.fakes.telegram import FakeTelegram
from tests.programs import require_npm_package, require_program
from tests.providers.telegram.conftest import AGENT, Connected, OpenCore

pytestmark = pytest.mark.timeout(60)
TOKEN = "123456789:AAFakeFakeFakeFakeFakeFakeFakeFakeFa"
ADA = 7
_START = """
const Server = require(process.argv[1]);
const server = new Server({host: '127.0.0.1', port: Number(process.argv[2])});
server.start().then(() => console.log('ready'));
"""


@dataclass
class Foreign:
    """The server, and what its own client does."""

    url: str
    http: ClientSession

    async def ask(self, what: str, body: object) -> Any:  # noqa: ANN401 - any JSON
        async with self.http.post(f"{self.url}/{what}", json=body) as answer:
            assert answer.ok, await answer.text()
            return (await answer.json())["result"]

    async def write(self, text: str) -> None:
        """Ada writes to the bot."""
        person = {"id": ADA, "first_name": "Ada", "username": "ada"}
        chat = {**person, "type": "private"}
        body = {"botToken": TOKEN, "from": {**person, "is_bot": False}, "chat": chat}
        await self.ask("sendMessage", {**body, "date": 1_795_000_000, "text": text})

    async def history(self) -> list[dict[str, Any]]:
        """What it keeps of the bot."""
        kept = await self.ask("getUpdatesHistory", {"token": TOKEN})
        return [each["message"] for each in kept if "parse_mode" in each["message"]]


@pytest.fixture
def unused_port() -> int:
    """It takes no port 0."""
    with create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
async def foreign(unused_port: int) -> AsyncIterator[Foreign]:
    module = str(require_npm_package("telegram-test-api"))
    command = [require_program("node"), "-e", _START, module, str(unused_port)]
    async with await anyio.open_process(command) as process, ClientSession() as http:
        assert process.stdout is not None
        with anyio.fail_after(20):
            assert await process.stdout.receive() == b"ready\n"
        yield Foreign(f"http://127.0.0.1:{unused_port}", http)
        process.terminate()


async def test_a_conversation_with_a_server_of_others(
    foreign: Foreign, reopen: OpenCore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "_TOO_SOON_S", 0.05)
    async with reopen() as core:
        await core.instances.create(
            OWNER,
            "telegram",
            "shop",
            {"token": TOKEN},
            endpoints={"api": foreign.url},
            confirm="never",
            wait_s=0,
        )
        nobody = FakeTelegram()
        shop = Connected(nobody, core, nobody.add_bot("nobody"))
        await shop.reaches(Lifecycle.CONNECTED)
        await foreign.write("are you there?")
        await shop.heard(ADA, "are you there?")
        sent = await shop.send(str(ADA), "Yes, **of course** <b>")
        (kept,) = await foreign.history()
        act = await core.changes.prepare_edit(AGENT, sent.message, "Yes, _indeed_")
        await core.approvals.perform(act, 10)
        (edited,) = await foreign.history()
        act = await core.changes.prepare_delete(AGENT, sent.message, for_everyone=True)
        await core.approvals.perform(act, 10)

    assert sent.outcome is Outcome.ACCEPTED
    assert (kept["text"], kept["parse_mode"]) == ("Yes, <b>of course</b> &lt;b&gt;", "HTML")
    assert json.loads(kept["link_preview_options"]) == {"is_disabled": True}
    assert edited["text"] == "Yes, <i>indeed</i>"
    assert await foreign.history() == []
