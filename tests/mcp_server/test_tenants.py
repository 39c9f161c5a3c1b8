"""Two keys, each bound to an account: what belongs to the one does not exist for the other.

The probes come from the table of tools: each parameter that can name something is tried with what
belongs to the other account, and the answer is the one that something which never was gets.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, get_args
from uuid import uuid4

import httpx2
import pytest
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client

from messengers.core.bulk import Addressee
from messengers.core.callers import OWNER
from messengers.core.rulebook import NewRule
from messengers.mcp_server.table import RESOURCES, TABLE, Row
from messengers.models import Toolset
from messengers.providers.groups import GroupMember
from tests.core.conftest import House
from tests.mcp_server.conftest import text_of
from tests.mcp_server.ways import listening

SECRET = "zanzibar"
"""Stands in every word of the account that the key may not see."""
HANDLES: Mapping[str, str] = {
    "chat": "chat",
    "recipients": "recipients",
    "message": "message",
    "around": "message",
    "reply_to": "message",
    "instance": "instance",
    "attachments": "files",
    "sticker": "file",
    "picture": "file",
    "members": "people",
    "letter": "letter",
    "rule": "rule",
    "batch": "batch",
    "id": "batch",
    "cursor": "cursor",
    "query": "words",
    "sender": "words",
}
"""Every parameter that names something, and what of."""
ALSO = {("create_instance", "name"): "name", ("mark_read", "until"): "message"}
"""Names that mean something else in most tools."""
PLAIN: Mapping[str, object] = {
    "text": "hello",
    "emoji": "👍",
    "name": "Fresh",
    "provider": "webchat",
    "action": "pause",
    "change": "add",
    "latitude_deg": 1.0,
    "longitude_deg": 1.0,
    "phone": "+37120000009",
    "question": "Which?",
    "options": ["a", "b"],
    "buttons": ["a"],
    "effect": "deny",
    "who": "+37120000009",
}
"""What a tool needs beside."""
SHORT: Mapping[str, object] = {"wait_s": 0, "timeout_s": 0, "limit": 1, "dry_run": True}
"""So that nobody waits, nothing leaves and pages have a next one."""
MORE: Mapping[str, Mapping[str, object]] = {
    "arrange_chat": {"archived": "yes"},
    "list_recent_messages": {"since": "9w"},
    "update_group": {"description": "x"},
}
"""What some tools need one of."""
HARMLESS = {
    "provider",
    "kind",
    "unread_only",
    "waiting_for_reply",
    "active_since",
    "format",
    "since",
    "mentions_me",
    "per_chat",
    "until",
    "media",
    "index",
    "client_ref",
    "silent",
    "send_at",
    "for_everyone",
    "credentials",
    "purge",
    "delay_s",
    "on_failure",
    "description",
    "announcements",
    "renew",
    "title",
    "multiple",
    "keyboard",
    "pinned",
    "archived",
    "mute",
    "blocked",
    "direction",
    "days",
    "note",
    "priority",
    "country",
}
"""Parameters that name nothing of an account."""


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messengers.core.inbox._PAUSES_S", (0.01, 0.01, 0.01))


Estate = Mapping[str, Sequence[Any]]
"""What an account holds, by the kind of handle."""
NEVER: Estate = {
    "chat": ["c7zzzz", "c7zzzy", "nobody1", "nobody first", "+37129999999"],
    "recipients": [[{"chat": "c7zzzz"}]],
    "message": ["m7zzzz", "m7zzzy"],
    "instance": ["nowhere", str(uuid4())],
    "name": ["nowhere"],
    "file": ["f7zzzz", "m7zzzz"],
    "files": [["f7zzzz"], ["m7zzzz"]],
    "people": [["p7zzzz"], ["c7zzzz"]],
    "letter": ["x7zzzz"],
    "rule": ["r7zzzz"],
    "batch": ["b7zzzz"],
    "words": ["nobodyword", "nobodyword last"],
}
"""The same for what never was."""


@dataclass
class Tenants:
    """A client of each of two accounts, and what they hold."""

    client: Client
    mine: Estate
    their_client: Client
    theirs: Estate

    async def said(self, tool: str, arguments: Mapping[str, object], *named: object) -> str:
        """An answer, without what is new in each and without what was asked for."""
        result = await self.client.call_tool(tool, dict(arguments))
        text = f"{bool(result.is_error)} {text_of(result)} {result.structured_content}"
        for each in named:
            text = text.replace(str(each), "(it)")
        return re.sub(r"untrusted [0-9a-f]+|\d\d:\d\d(:\d\d)?", "", text)

    def filled(self, row: Row, estate: Estate) -> dict[str, object]:
        """The arguments that a call needs, of what an account holds itself."""
        found: dict[str, object] = dict(MORE.get(row.name, {}))
        for name in row.parameters:
            if name in SHORT:
                found[name] = SHORT[name]
        for name in row.tool.parameters.get("required", ()):
            kind = kind_of(row, name)
            place = 1 if row.toolset == "groups" and kind == "chat" else 0
            found[name] = estate[kind][place] if kind else PLAIN[name]
        return found

    async def cursor(self, row: Row) -> str:
        """Where the other account's page goes on."""
        result = await self.their_client.call_tool(row.name, self.filled(row, self.theirs))
        found = re.search(r"cursor=(\S+)", text_of(result))
        assert found is not None, row.name
        return found[1]

    async def pairs(self, row: Row, name: str) -> list[tuple[object, object]]:
        """Each thing of the other account that a parameter could name, and one that never was."""
        kind = kind_of(row, name)
        if kind == "cursor":
            cursor = await self.cursor(row)
            return [(cursor, cursor[:-4] + "AAAA")]
        return list(zip(self.theirs[kind], NEVER[kind], strict=True))


def kind_of(row: Row, name: str) -> str:
    return ALSO.get((row.name, name)) or HANDLES.get(name, "")


async def furnish(house: House, name: str, word: str) -> Estate:
    """Fill an account with one of everything and a second of what has pages."""
    platform = house.personal if name == "me" else house.bot
    core = house.core
    instance = core.instances.resolve(OWNER, name)
    file = f"{word}.txt"
    platform.files[file] = f"{word} file".encode()
    attachment = {"kind": "document", "native_ref": file, "name": file, "mime": "text/plain"}
    for number in (1, 2):
        await platform.say(f"{word} first {number}", chat=f"{word}{number}")
    await platform.say(f"{word} last", chat=f"{word}1", files=[attachment])
    last = await house.told(f"{word} last", name)
    first = await house.told(f"{word} first 2", name)
    await core.media.content(OWNER, last.id)
    members = [GroupMember(f"{word}{n}", f"{word} {n}", f"+3712000000{n}") for n in (1, 2)]
    for number in (1, 2):
        platform.groups.make(f"{word}-{number}@groups", f"{word} guild" * number, *members)
    group = (await core.groups.list(OWNER, name)).items[0]
    for number in (1, 2):
        text = f"{word} riddle {number}"
        before = await core.dead_letters.count()
        await platform.deliver("riddle", chat=f"{word}{number}", key=text, id=text, text=text)

        async def dead(before: int = before) -> bool | None:
            return await core.dead_letters.count() > before or None

        assert await core.events.wait(dead, 10)
    letters = (await core.dead_letters.list(OWNER, name)).items
    act = await core.bulk.prepare(OWNER, [Addressee(chat=last.chat)], f"{word} bulk")
    kept = NewRule("read_only", "+37127770000", None, name)
    rule = await core.rulebook.add(OWNER, await core.rulebook.read(OWNER, kept))
    batch = (await core.batches.begin(OWNER, act.payload))[0]
    contacts = await core.contacts.find(OWNER, word, name)
    detail = await core.history.get(OWNER, last.id)
    media = detail.message.attachments[0].media
    return {
        "chat": [last.chat, group.chat.id, f"{word}1", f"{word} guild", "+37120000001"],
        "recipients": [[{"chat": last.chat}]],
        "message": [last.id, first.id],
        "instance": [name, instance.id],
        "name": [name],
        "file": [media, last.id],
        "files": [[media], [last.id]],
        "people": [[contacts[0].id], [last.chat]],
        "letter": [letters[0].id],
        "rule": [rule.id],
        "batch": [batch],
        "words": [word, f"{word} last"],
    }


@asynccontextmanager
async def bound(house: House, url: str, name: str) -> AsyncGenerator[Client]:
    """A client of a key with every tool, for one account."""
    instances = [house.core.instances.resolve(OWNER, name).id]
    _, secret = await house.core.keys.create(
        OWNER, name, "admin", None, instances, get_args(Toolset)
    )
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=20) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        yield client


@pytest.fixture
async def tenants(house: House) -> AsyncIterator[Tenants]:
    theirs, mine = await furnish(house, "me", SECRET), await furnish(house, "bot", "harbour")
    async with (
        listening(house.core, "reader") as (url, _),
        bound(house, url, "me") as other,
        bound(house, url, "bot") as own,
    ):
        yield Tenants(own, mine, other, theirs)


def test_every_parameter_of_every_tool_is_known_to_name_something_or_nothing() -> None:
    """A new one has to be put into one of the lists, and so is tried or known to be harmless."""
    known = {*HANDLES, *PLAIN, *SHORT, *HARMLESS}

    assert {name for row in TABLE for name in row.parameters} - known == set()


@pytest.mark.case("S08", "S68")
@pytest.mark.timeout(120)
async def test_what_is_another_keys_answers_like_what_never_was(tenants: Tenants) -> None:
    tried = 0
    for row in TABLE:
        own = tenants.filled(row, tenants.mine)
        for name in row.parameters:
            if not kind_of(row, name):
                continue
            for theirs, never in await tenants.pairs(row, name):
                told = await tenants.said(row.name, {**own, name: theirs}, theirs, never)
                usual = await tenants.said(row.name, {**own, name: never}, theirs, never)

                assert told == usual, (row.name, name, theirs)
                assert SECRET not in told, (row.name, name)
                tried += 1
    assert tried > 100


@pytest.mark.case("S68")
async def test_nothing_that_is_read_tells_of_another_account(tenants: Tenants) -> None:
    for row in TABLE:
        if row.kind == "read":
            answer = await tenants.said(row.name, tenants.filled(row, tenants.mine))

            assert SECRET not in answer, row.name
            assert '"me"' not in answer, row.name


@pytest.mark.case("S08", "S68")
async def test_resources_of_another_key_answer_like_those_that_never_were(
    tenants: Tenants,
) -> None:
    def uris(name: str, estate: Estate) -> list[str]:
        match name:
            case "chat":
                return [f"chat://{each}/messages" for each in estate["chat"][:2]]
            case "instance":
                return [f"instance://{each}" for each in estate["instance"]]
            case _:
                return [f"{name}://{each}" for each in estate["name"]]

    for name in RESOURCES:
        told: list[str] = []
        for uri in (*uris(name, tenants.theirs), *uris(name, NEVER)):
            with pytest.raises(MCPError) as refused:
                await tenants.client.read_resource(uri)
            told.append(refused.value.error.message.replace(uri, "(it)"))

        assert len(set(told)) == 1, name


@pytest.mark.case("S68")
async def test_a_part_of_a_name_finds_ones_own_chat_however_many_others_have_it(
    house: House, tenants: Tenants
) -> None:
    for number in range(12):
        await house.personal.say("hello", chat=f"quay {number}", id_=f"q{number}")
    await house.bot.say("mine", chat="the quayside", id_="mine")
    for number in range(12):
        await house.personal.say("hello", chat=f"quay {number}", id_=f"r{number}")
    await house.told("mine", "bot")

    assert "mine" in await tenants.said("read_messages", {"chat": "quay"})
