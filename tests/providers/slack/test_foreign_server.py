"""A Slack that others wrote (npm: emulate 0.12.2), where it is installed.

It has the Web API with scopes and no Socket Mode; nobody can tell it where to deliver. Its tests
skip and say so where it is missing.
"""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from socket import create_server
from typing import Any

import anyio
import pytest
from aiohttp import ClientSession

from messengers.core.callers import OWNER
from messengers.core.core import Core, open_core
from messengers.models import Draft, Lifecycle, SentMessage
from messengers.settings import Settings
from tests.desk import becomes
from tests.programs import require_npm_package, require_program
from tests.providers.slack.conftest import AGENT

pytestmark = pytest.mark.timeout(60)
TOKEN, GRACE, SECRET = "xoxb-foreign", "xoxp-grace", "0123456789abcdef"
SEED = {
    "signing_secret": SECRET,
    "strict_scopes": True,
    "users": [{"name": "grace", "real_name": "Grace Hopper"}],
    "channels": [{"name": "team"}],
    "oauth_apps": [
        {
            "client_id": "1.2",
            "client_secret": "s",
            "app_id": "A000000009",
            "name": "Helper",
            "redirect_uris": ["http://localhost/"],
            "bot_name": "helper",
            "bot_id": "B000000009",
            "bot_user_id": "U000000009",
        }
    ],
    "tokens": [
        {
            "token": TOKEN,
            "type": "bot",
            "user_id": "U000000009",
            "bot_id": "B000000009",
            "bot_user_id": "U000000009",
            "app_id": "A000000009",
        },
        {"token": GRACE, "type": "user", "user": "grace"},
    ],
}
_START = """
const {createEmulator} = await import(process.argv[1] + '/dist/api.js');
const seed = {slack: JSON.parse(process.argv[3])};
await createEmulator({service: 'slack', port: Number(process.argv[2]), seed});
console.log('ready');
"""


@dataclass
class Foreign:
    """The server, and what others ask it."""

    url: str
    http: ClientSession
    team: str = ""

    async def ask(self, token: str, method: str, **arguments: str) -> Any:  # noqa: ANN401 - any JSON
        proof = {"Authorization": f"Bearer {token}"}
        async with self.http.post(self.url + method, data=arguments, headers=proof) as answer:
            told = await answer.json()
        assert told["ok"], told
        return told

    async def join(self) -> None:
        """The app comes into the channel."""
        listed = (await self.ask(TOKEN, "conversations.list"))["channels"]
        (self.team,) = [each["id"] for each in listed if each["name"] == "team"]
        await self.ask(TOKEN, "conversations.join", channel=self.team)

    async def write(self, text: str) -> str:
        """A colleague writes into the channel; the ts."""
        return (await self.ask(GRACE, "chat.postMessage", channel=self.team, text=text))["ts"]

    async def shown(self) -> list[Any]:
        """What stands in the channel, oldest first."""
        told = await self.ask(GRACE, "conversations.history", channel=self.team)
        return list(reversed(told["messages"]))


@pytest.fixture
def free_port() -> int:
    """It takes no port 0."""
    with create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])


@pytest.fixture
async def foreign(free_port: int) -> AsyncIterator[Foreign]:
    module = str(require_npm_package("emulate"))
    node = [require_program("node"), "--input-type=module", "-e", _START]
    url = f"http://127.0.0.1:{free_port}/api/"
    command = [*node, module, str(free_port), json.dumps(SEED)]
    async with await anyio.open_process(command) as process, ClientSession() as http:
        assert process.stdout is not None
        try:
            with anyio.fail_after(20):
                assert await process.stdout.receive() == b"ready\n"
                foreign = Foreign(url, http)
                await foreign.join()
            yield foreign
        finally:
            process.terminate()


@pytest.fixture
async def core(foreign: Foreign, tmp_path: Path) -> AsyncIterator[Core]:
    settings = Settings(home=tmp_path / "home", public_url="https://bot.example")
    async with open_core(settings) as core:
        await core.instances.create(
            OWNER,
            "slack",
            "work",
            {"token": TOKEN, "signing_secret": SECRET},
            endpoints={"api": foreign.url},
            confirm="never",
            wait_s=0,
        )
        entry = core.instances.registry.by_name("work")
        await becomes(lambda: entry.health.lifecycle is Lifecycle.DEGRADED)
        yield core


async def send(core: Core, to: str, text: str, **draft: object) -> SentMessage:
    whole = Draft.model_validate({"text": text, **draft})
    act = await core.sending.prepare(AGENT, to, whole, instance="work")
    answer = await core.approvals.perform(act, 10)
    assert isinstance(answer, SentMessage)
    return answer


async def test_a_conversation_with_a_slack_of_others(foreign: Foreign, core: Core) -> None:
    asked = await foreign.write("are you there?")
    sent = await send(core, "#team", "Yes, **of course** <!channel> & so on")
    first = await foreign.shown()
    chat = await core.chats.find(AGENT, sent.chat)
    read = [each.text for each in (await core.history.read(OWNER, chat)).items]
    (question,) = [
        each for each in (await core.history.read(OWNER, chat)).items if "there" in each.text
    ]
    answer = await send(core, "#team", "In the thread", reply_to=question.id)
    act = await core.changes.prepare_edit(AGENT, sent.message, "Yes, _indeed_")
    await core.approvals.perform(act, 10)
    act = await core.changes.prepare_react(AGENT, question.id, "👍")
    await core.approvals.perform(act, 10)
    then = await foreign.shown()
    for each in (sent, answer):
        act = await core.changes.prepare_delete(AGENT, each.message, for_everyone=True)
        await core.approvals.perform(act, 10)

    assert first[-1]["text"] == "Yes, *of course* &lt;!channel&gt; &amp; so on"
    assert read == ["are you there?", "Yes, **of course** <!channel> & so on"]
    assert [each["text"] for each in then[-2:]] == ["are you there?", "Yes, _indeed_"]
    assert then[-2]["reply_count"] == 1
    assert [each["name"] for each in then[-2]["reactions"]] == ["+1"]
    assert then[-2]["ts"] == asked
    assert [each["text"] for each in await foreign.shown()] == ["are you there?"]


async def test_a_file_goes_to_a_slack_of_others_and_comes_back(
    foreign: Foreign, core: Core
) -> None:
    note = "data:text/plain;base64,b25lIHJ5ZQo="
    sent = await send(core, "#team", "the order", attachments=[note])

    shown = (await foreign.shown())[-1]
    assert (sent.outcome, shown["text"]) == ("accepted", "the order")
    assert [each["size"] for each in shown["files"]] == [len("one rye\n")]
