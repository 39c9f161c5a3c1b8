"""The audit through a client: every tool that acts is in it, and nothing that was said."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from mcp import Client

from messengers.core.audit_views import AuditFilter, AuditLine
from messengers.core.callers import OWNER, Caller
from messengers.errors import PlatformRefused, Uncertain
from messengers.mcp_server.server import build_server
from messengers.mcp_server.table import TABLE
from messengers.providers.groups import GroupMember
from tests.core.conftest import House, OpenHouse
from tests.fakes.scripted import platform
from tests.mcp_server.conftest import text_of
from tests.mcp_server.test_letters import kept
from tests.mcp_server.test_rich import picture, takes_stickers

WRITES = {row.name for row in TABLE if row.kind != "read"}
WORD = "rendezvous"
TOMORROW = (datetime.now(UTC) + timedelta(days=1)).isoformat()
Known = dict[str, str]
Call = tuple[str, Callable[[Known], Mapping[str, object]]]
CALLS: tuple[Call, ...] = (
    ("send_message", lambda it: {"chat": it["chat"], "text": WORD}),
    ("edit_message", lambda it: {"message": it["message"], "text": f"{WORD} at five"}),
    ("react", lambda it: {"message": it["message"], "emoji": "👍"}),
    ("pin_message", lambda it: {"message": it["message"]}),
    ("forward_message", lambda it: {"message": it["message"], "chat": it["chat"]}),
    ("delete_message", lambda it: {"message": it["message"]}),
    ("mark_read", lambda it: {"chat": it["chat"]}),
    ("send_location", lambda it: {"chat": it["chat"], "latitude_deg": 1.0, "longitude_deg": 2.0}),
    ("send_contact", lambda it: {"chat": it["chat"], "name": WORD, "phone": "+37120000001"}),
    ("send_poll", lambda it: {"chat": it["chat"], "question": WORD, "options": ["a", "b"]}),
    ("send_buttons", lambda it: {"chat": it["chat"], "text": WORD, "buttons": ["a"]}),
    ("send_sticker", lambda it: {"chat": it["chat"], "sticker": picture("WEBP")}),
    ("arrange_chat", lambda it: {"chat": it["chat"], "archived": "yes"}),
    ("create_group", lambda _: {"instance": "me", "name": WORD, "members": ["x:ann"]}),
    (
        "change_group_members",
        lambda it: {"chat": it["group"], "change": "add", "members": ["x:carol"]},
    ),
    ("update_group", lambda it: {"chat": it["group"], "name": WORD}),
    ("get_group_invite", lambda it: {"chat": it["group"], "renew": True}),
    ("leave_group", lambda it: {"chat": it["group"]}),
    (
        "send_bulk",
        lambda it: {"recipients": [{"chat": it["chat"]}], "text": WORD, "send_at": TOMORROW},
    ),
    ("control_bulk", lambda it: {"batch": it["batch"], "action": "pause"}),
    ("cancel_scheduled", lambda it: {"id": it["batch"]}),
    ("replay_dead_letter", lambda _: {"letter": "all"}),
    ("set_access_rule", lambda _: {"effect": "deny", "who": "mallory", "instance": "me"}),
    ("remove_access_rule", lambda _: {"rule": "r1"}),
    ("create_instance", lambda _: {"provider": "webchat", "name": "page"}),
    ("get_qr", lambda _: {"instance": "phone"}),
    ("disconnect_instance", lambda _: {"instance": "page"}),
    ("connect_instance", lambda _: {"instance": "page"}),
    ("delete_instance", lambda _: {"instance": "page"}),
)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("messengers.core.inbox._PAUSES_S", (0.01, 0.01, 0.01))


@asynccontextmanager
async def agent(house: House) -> AsyncGenerator[tuple[Client, Known]]:
    """A client with all tools, in a house where nobody is asked and everything can be done."""
    await house.core.instances.set_policy(OWNER, "me", confirm="never")
    takes_stickers(house)
    people = [GroupMember("ann", "Ann", "+37120000001"), GroupMember("bob", "Bob", role="admin")]
    house.personal.groups.make("g1@groups", "Book club", *people)
    token = uuid4().hex
    platform(token).login.text = "a code"
    await house.core.instances.create(OWNER, "scripted_scanned", "phone", {"token": token})
    await house.personal.say("hello", chat="eve")
    message = await house.told("hello")
    await kept(house, 0)
    async with Client(build_server(house.core, "admin", ["rich", "groups", "access"])) as client:
        found = text_of(await client.call_tool("list_groups", {"instance": "me"}))
        group = found.partition("\n[")[2].partition(" ")[0]
        yield client, {"chat": message.chat, "group": group}


async def lines(house: House, **wanted: Any) -> tuple[AuditLine, ...]:  # noqa: ANN401 - a filter's fields
    return (await house.core.audit_log.list(OWNER, AuditFilter(**wanted), 100)).items


async def test_every_tool_that_does_something_has_its_line(open_house: OpenHouse) -> None:
    silent: list[str] = []
    async with open_house(confirm="never") as house, agent(house) as (client, known):
        for tool, arguments in CALLS:
            before = len(await lines(house, who="stdio"))
            result = await client.call_tool(tool, dict(arguments(known)))
            assert not result.is_error, f"{tool}: {text_of(result)}"
            found = dict(result.structured_content or {})
            known |= {name: str(found[name]) for name in ("message", "batch") if name in found}
            silent += [tool] * (len(await lines(house, who="stdio")) == before)
        written = await lines(house)

    assert {tool for tool, _ in CALLS} == WRITES
    assert silent == []
    assert WORD not in str(written)
    outcomes = {line.outcome: line.action for line in written}
    assert outcomes.pop("needs_approval") == "remove_access_rule.asked"
    assert set(outcomes) <= {"done", "accepted", "running", "scheduled"}


async def test_a_text_has_the_same_hash_wherever_it_stands_and_the_outcome_comes_with_it(
    house: House,
) -> None:
    await house.personal.say("hello", chat="eve")
    chat = (await house.told("hello")).chat
    held = await house.send(chat, WORD)
    await house.core.approvals.decide(held.approval, "once", "owner (page)")

    found = await lines(house, chat=chat)

    assert [(line.actor, line.action, line.outcome) for line in found] == [
        ("stdio", "send", "accepted"),
        ("owner (page)", "send.approved", "once"),
        ("stdio", "send.asked", "needs_approval"),
    ]
    assert len({line.text_hash for line in found}) == 1
    assert len(found[0].text_hash) == 64
    assert {line.message for line in found} >= {held.message}


@pytest.mark.parametrize(
    ("fault", "outcome"),
    [(PlatformRefused("No."), "platform_refused"), (Uncertain("Who knows?"), "unknown")],
)
async def test_what_fails_or_may_have_been_done_is_written_down_as_that(
    house: House, fault: Exception, outcome: str
) -> None:
    await house.core.instances.set_policy(OWNER, "me", confirm="never")
    await house.personal.say("hello", chat="eve")
    message = await house.told("hello")
    house.personal.answers.append(lambda: fault)
    async with Client(build_server(house.core)) as client:
        await client.call_tool("react", {"message": message.id, "emoji": "👍"})

    (line,) = await lines(house, action="react")
    assert (line.message, line.outcome) == (message.id, outcome)


async def test_an_admin_pages_through_it_and_sees_his_instances_only(house: House) -> None:
    for name in ("a", "b", "c"):
        await house.core.instances.create(OWNER, "webchat", name)
    async with Client(build_server(house.core, "admin")) as client:
        first = text_of(
            await client.call_tool("list_audit", {"action": "instance.created", "limit": 2})
        )
        cursor = first.rpartition("cursor=")[2]
        second = text_of(
            await client.call_tool(
                "list_audit", {"action": "instance.created", "limit": 2, "cursor": cursor}
            )
        )
        nothing = text_of(await client.call_tool("list_audit", {"since": "1m", "who": "nobody"}))
        wrong = await client.call_tool("list_audit", {"chat": "Anna"})

    assert first.startswith("2 lines · ")
    assert "owner instance.created c → done" in first
    assert "owner instance.created a → done" in second
    assert nothing == "Nothing was done that fits."
    assert wrong.is_error


async def test_what_was_changed_of_an_account_is_in_its_line_and_no_credential_is(
    house: House,
) -> None:
    core, token = house.core, uuid4().hex
    await core.instances.set_policy(OWNER, "me", confirm="never", dm_policy="pairing")
    await core.instances.update(OWNER, "me", {"token": token})
    await core.instances.rename(OWNER, "me", "mine")

    written = await lines(house, instance="mine")
    assert [line.detail for line in written[:4]] == [
        "was me",
        "credentials",
        "confirm never",
        "dm_policy pairing",
    ]
    assert token not in str(written)


async def test_a_key_that_is_bound_sees_no_others_lines(house: House) -> None:
    made = (await house.core.instances.create(OWNER, "webchat", "a")).id
    bound = Caller("k9", preset="admin", instances=frozenset({made}))

    page = await house.core.audit_log.list(bound, AuditFilter())

    assert [line.instance for line in page.items] == ["a"]


async def test_old_lines_go(house: House) -> None:
    await house.core.store.write(
        lambda conn: conn.exec_driver_sql("UPDATE audit SET at = 1 WHERE action LIKE 'instance%'")
    )
    await house.core.keys.create(OWNER, "kept")

    await house.core.audit.expire(365)

    assert [line.action for line in await lines(house)] == ["create_key"]
