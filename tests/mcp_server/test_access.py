"""The tool set `access` through a real client: what is shown, what asks the owner, what holds."""

import pytest
from mcp import Client

from messengers.core.callers import OWNER
from tests.core.conftest import House
from tests.mcp_server.conftest import ERAS, Connect, Owner, text_of


@pytest.fixture(params=ERAS)
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def called(client: Client, tool: str, **arguments: object) -> str:
    return text_of(await client.call_tool(tool, arguments))


async def test_a_deny_holds_at_once_and_is_explained(house: House, connect: Connect) -> None:
    await house.personal.say("from eve", chat="eve")
    eve = (await house.told("from eve")).chat
    async with connect("admin", toolsets=["access"]) as client:
        told = await called(client, "set_access_rule", effect="deny", who=eve, note="a spammer")

        assert '"r1 holds: deny, both."' in told
        assert "[r1 deny both] eve · me · a spammer" in await called(client, "list_access_rules")
        checked = await called(client, "check_access", who="eve", instance="me")
        assert checked == "in: deny by r1, so kept back\nout: deny by r1, so refused"
        assert "from eve" not in await called(client, "list_recent_messages", since="3650d")
        refused = await called(client, "send_message", chat=eve, text="hi")
        assert "access rule r1 forbids" in refused
    assert house.personal.accepted == []


@pytest.mark.parametrize("effect", ["allow", "silent", "read_only"])
async def test_what_may_let_somebody_in_waits_for_the_owner(
    house: House, connect: Connect, effect: str
) -> None:
    async with connect("admin", toolsets=["access"]) as client:
        asked = await called(client, "set_access_rule", effect=effect, who="+79001234567")

    assert "needs_approval" in asked
    assert house.core.rulebook.list(OWNER) == []
    (waiting,) = await house.core.approvals.waiting()
    assert f"Effect: {effect}" in waiting.shown.text
    assert "Who: +79001234567 (phone)" in waiting.shown.text


async def test_the_owner_agrees_in_his_client_to_exactly_what_he_reads(
    house: House, connect: Connect
) -> None:
    owner = Owner.chooses("once")
    async with connect("admin", owner, ["access"]) as client:
        rule = {"effect": "allow", "who": "8 900 1234567", "country": "RU", "days": 1.5}
        done = await called(client, "set_access_rule", **rule)
        assert "r1 holds: allow, both." in done
        gone = await called(client, "remove_access_rule", rule="r1")

    assert "r1 is gone." in gone
    first, second = owner.questions
    assert "Who: +79001234567 (phone)" in first
    assert "Days: 1.5" in first
    assert "Take the access rule r1 away" in second
    assert house.core.rulebook.list(OWNER) == []


async def test_who_refuses_leaves_it_as_it_was(house: House, connect: Connect) -> None:
    async with connect("admin", Owner.chooses("no"), ["access"]) as client:
        answer = await called(client, "set_access_rule", effect="allow", who="any")

    assert "did not approve" in answer
    assert house.core.rulebook.list(OWNER) == []


@pytest.mark.case("S83")
async def test_standing_answers_are_listed_and_taken_back_by_the_owner_only(
    house: House, connect: Connect
) -> None:
    await house.personal.say("hi", chat="eve", name="Eve")
    chat = await house.chat_of(await house.told("hi"))
    await house.core.chats.decide(OWNER, chat, "never")
    async with connect("admin", toolsets=["access"]) as client:
        assert f"[{chat.id} never] Eve · me" in await called(client, "list_access_rules")
        asked = await called(client, "remove_access_rule", rule=chat.id)
        assert "needs_approval" in asked
        assert (await house.core.chats.get(OWNER, chat.id)).decision == "never"
    async with connect("admin", Owner.chooses("once"), ["access"]) as client:
        assert "asked about" in await called(client, "remove_access_rule", rule=chat.id)
        assert (await house.core.chats.get(OWNER, chat.id)).decision is None
        again = await called(client, "remove_access_rule", rule=chat.id)
        assert "no standing answer" in again
        assert again.endswith("Nothing was changed.")


async def test_nothing_of_it_is_there_without_the_tool_set_and_admin(connect: Connect) -> None:
    for preset, toolsets in (("setup", ["access"]), ("admin", [])):
        async with connect(preset, toolsets=toolsets) as client:
            names = {tool.name for tool in (await client.list_tools()).tools}
            assert not {name for name in names if "access" in name}
            assert "No such tool." in await called(client, "list_access_rules")


@pytest.mark.case("S77")
async def test_a_regular_expression_is_refused_in_words(connect: Connect) -> None:
    async with connect("admin", toolsets=["access"]) as client:
        told = await called(client, "set_access_rule", effect="deny", who="(a+)+$", instance="me")
    assert "Regular expressions are not understood" in told
    assert told.endswith("Nothing was changed.")
    assert "(a+)" not in told
