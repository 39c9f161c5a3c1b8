"""What a client depends on, the same over every transport and in both protocol eras."""

import anyio
import pytest
from mcp import Client

from messengers.mcp_server.table import TABLE
from tests.core.conftest import House
from tests.mcp_server.conftest import ERAS, Connect, Owner, text_of
from tests.mcp_server.ways import WAYS

pytestmark = [
    pytest.mark.parametrize("era", ERAS),
    pytest.mark.parametrize("way", ["memory", *WAYS]),
]


async def stranger(house: House) -> str:
    await house.personal.say("hello", "eve")
    return (await house.told("hello")).chat


async def test_the_tools_are_those_of_the_callers_preset(connect: Connect) -> None:
    async with connect("reader") as client:
        names = [tool.name for tool in (await client.list_tools()).tools]

    assert names == [row.name for row in TABLE if row.preset == "reader" and not row.toolset]


@pytest.mark.case("S28")
async def test_a_tool_set_is_there_for_whom_it_was_given(house: House, connect: Connect) -> None:
    house.personal.groups.make("g1@groups", "Book club")
    call = "list_groups", {"instance": "me"}

    async with connect("reader", toolsets=["groups"]) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        given = await client.call_tool(*call)
    async with connect("admin") as client:
        without = {tool.name for tool in (await client.list_tools()).tools}
        refused = await client.call_tool(*call)

    assert {"list_groups", "get_group"} <= names
    assert "create_group" not in names
    assert "Book club" in text_of(given)
    assert not [row.name for row in TABLE if row.toolset and row.name in without]
    assert text_of(refused) == "No such tool. tools/list names those there are."


@pytest.mark.case("S18")
async def test_what_strangers_wrote_is_marked(house: House, connect: Connect) -> None:
    chat = await stranger(house)

    async with connect() as client:
        answer = text_of(await client.call_tool("read_messages", {"chat": chat}))

    assert "] Eve: hello" in answer.partition("<untrusted ")[2]


async def test_a_misspelt_argument_sends_nothing(house: House, connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("send_message", {"chat": "c1", "text": "x", "dryrun": True})

    assert result.is_error
    assert text_of(result) == "No parameter dryrun; did you mean dry_run? Nothing was sent."


@pytest.mark.case("S21")
async def test_the_form_is_shown_and_its_answer_holds(house: House, connect: Connect) -> None:
    chat = await stranger(house)
    owner = Owner.chooses("once")

    async with connect(owner=owner) as client:
        result = await client.call_tool("send_message", {"chat": chat, "text": "hi"})

    assert not result.is_error, text_of(result)
    assert result.structured_content
    assert result.structured_content["outcome"] == "accepted"
    assert len(owner.questions) == 1
    assert [text for _, text, _ in house.personal.accepted] == ["hi"]


@pytest.mark.case("S21")
async def test_without_forms_the_owner_is_asked_in_a_terminal(
    house: House, connect: Connect
) -> None:
    chat = await stranger(house)

    async with connect() as client:
        result = await client.call_tool("send_message", {"chat": chat, "text": "hi"})

    assert result.structured_content
    assert result.structured_content["outcome"] == "needs_approval"
    assert house.personal.accepted == []


async def test_a_waiting_call_does_not_hold_up_another(house: House, connect: Connect) -> None:
    answers: list[str] = []

    async def wait(client: Client, cursor: str) -> None:
        after = {"cursor": cursor, "timeout_s": 15}
        answers.append(text_of(await client.call_tool("wait_for_messages", after)))

    async with connect() as client, anyio.create_task_group() as group:
        now = text_of(await client.call_tool("wait_for_messages", {"timeout_s": 0}))
        group.start_soon(wait, client, now.rpartition("cursor=")[2])
        await client.call_tool("list_instances", {})
        await anyio.wait_all_tasks_blocked()
        await house.personal.say("there you are")

    assert "there you are" in answers[0]
