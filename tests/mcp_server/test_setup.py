"""Setting accounts up through a client: the owner decides, secrets stay out of the conversation."""

import base64
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import zxingcpp
from mcp import Client
from mcp.types import ElicitResult, ImageContent
from PIL import Image, ImageDraw

from messengers.core.callers import OWNER
from messengers.mcp_server.table import TABLE
from messengers.mcp_server.tools.setup import shown
from messengers.providers.catalog import BUILT_IN
from messengers.providers.login import AskInput, Done, LoginFailed, LoginStep, ShowCode, Wait
from messengers.qr import blocks
from tests.core.conftest import House
from tests.mcp_server.conftest import Connect, Owner, text_of

DEMO = {"provider": "webchat", "name": "page"}
TOKEN = {"token": "third account token"}


async def act(client: Client, tool: str, **arguments: object) -> dict[str, Any]:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    assert result.structured_content
    return result.structured_content


async def names(house: House) -> set[str]:
    return {view.instance.name for view in await house.core.instances.list(OWNER)}


@pytest.mark.case("S87")
@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("create_instance", DEMO),
        ("disconnect_instance", {"instance": "me"}),
        ("delete_instance", {"instance": "me", "purge": True}),
    ],
)
async def test_the_set_up_changes_only_when_the_owner_agrees(
    house: House, connect: Connect, tool: str, arguments: dict[str, object]
) -> None:
    before = await names(house)

    async with connect("admin") as client:
        asked = await act(client, tool, **arguments)
    async with connect("admin", Owner(ElicitResult(action="decline"))) as client:
        declined = await act(client, tool, **arguments)
    async with connect("admin", Owner.chooses("no")) as client:
        refused = await act(client, tool, **arguments)

    assert asked["outcome"] == "needs_approval"
    assert asked["approval"]
    assert declined["outcome"] == refused["outcome"] == "not_done"
    assert await names(house) == before
    assert (await house.core.instances.get(OWNER, "me")).instance.wanted == "connected"


async def test_agreed_acts_are_done(house: House, connect: Connect) -> None:
    owner = Owner.chooses("once")

    async with connect("admin", owner) as client:
        made = await act(client, "create_instance", **DEMO)
        stopped = await act(client, "disconnect_instance", instance="page")
        started = await act(client, "connect_instance", instance="page")
        removed = await act(client, "delete_instance", instance="page")

    assert made["instance"] == "page"
    assert [each["outcome"] for each in (made, stopped, started, removed)] == ["done"] * 4
    assert stopped["state"] == "stopped"
    assert len(owner.questions) == 3
    assert "page" not in await names(house)


async def test_without_its_secret_the_answer_is_a_form_and_a_command(
    house: House, connect: Connect
) -> None:
    owner = Owner.chooses("once")

    async with connect(owner=owner) as client:
        answer = await act(client, "create_instance", provider="scripted_bot", name="third")

    assert answer["outcome"] == "needs_form"
    assert answer["link"].startswith("http://127.0.0.1:")
    assert "[redacted]" not in answer["link"] + answer["next_step"]
    assert "messengers instances add scripted_bot third --set token=@-" in answer["next_step"]
    assert owner.questions == []
    assert "third" not in await names(house)


@pytest.mark.case("S64")
async def test_a_secret_that_came_in_chat_is_shown_to_nobody_and_to_be_rotated(
    house: House, connect: Connect
) -> None:
    owner = Owner.chooses("once")

    async with connect(owner=owner) as client:
        answer = await act(
            client, "create_instance", provider="scripted_bot", name="third", credentials=TOKEN
        )

    assert TOKEN["token"] not in str(answer) + "".join(owner.questions)
    assert any("make a new one" in note for note in answer["notes"])


async def test_an_unknown_messenger_is_refused_with_those_there_are(connect: Connect) -> None:
    async with connect() as client:
        result = await client.call_tool("create_instance", {"provider": "smoke", "name": "a"})

    assert result.is_error
    assert "webchat" in text_of(result)
    assert text_of(result).endswith("Nothing was changed.")


def test_the_built_in_messengers_are_named_where_one_chooses() -> None:
    row = next(row for row in TABLE if row.name == "create_instance")
    described = row.tool.parameters["properties"]["provider"]["description"]

    assert all(name in described for name in BUILT_IN)


async def test_the_code_of_a_chat_page_can_be_scanned(connect: Connect) -> None:
    async with connect(owner=Owner.chooses("once")) as client:
        await act(client, "create_instance", **DEMO)
        result = await client.call_tool("get_qr", {"instance": "page"})

    picture = next(part for part in result.content if isinstance(part, ImageContent))
    image = Image.open(io.BytesIO(base64.b64decode(picture.data)))
    found = zxingcpp.read_barcodes(image)
    assert picture.mime_type == "image/png"
    assert found[0].text.endswith("/chat/page")
    assert found[0].text in text_of(result)


async def test_a_connected_account_has_nothing_to_scan(connect: Connect) -> None:
    async with connect() as client:
        answer = text_of(await client.call_tool("get_qr", {"instance": "me"}))

    assert answer == "Already connected: nothing to scan."


def test_the_blocks_are_the_same_code() -> None:
    lines = blocks("https://example.org/chat/page").split("\n")
    image = Image.new("L", (len(lines[0]) * 6, len(lines) * 12), 0)
    draw = ImageDraw.Draw(image)
    for y, line in enumerate(lines):
        for x, glyph in enumerate(line):
            upper, lower = glyph in "█▀", glyph in "█▄"
            draw.rectangle((x * 6, y * 12, x * 6 + 5, y * 12 + 5), fill=255 * upper)
            draw.rectangle((x * 6, y * 12 + 6, x * 6 + 5, y * 12 + 11), fill=255 * lower)

    assert zxingcpp.read_barcodes(image)[0].text == "https://example.org/chat/page"


@pytest.mark.parametrize(
    ("step", "told"),
    [
        (ShowCode(transaction="t", code="ABCD", caption="Type it.",
                  expires_at=datetime(2026, 11, 20, 12, tzinfo=UTC) + timedelta(seconds=42)),
         ["Type it. Holds for 42 s more.", "ABCD"]),
        (ShowCode(transaction="t", code="ABCD", caption="Type it."), ["Type it.", "ABCD"]),
        (AskInput(transaction="t", fields=("token",)),
         ["It needs token: connect_instance answers with the owner's form for that."]),
        (Wait(transaction="t"), ["No code yet. Call get_qr again."]),
        (Wait(transaction="t", reason="The engine starts."),
         ["No code yet. The engine starts. Call get_qr again."]),
        (Done(), ["Already connected: nothing to scan."]),
        (LoginFailed(reason="It is banned."), ["There is no code: It is banned."]),
    ],
)  # fmt: skip
def test_every_step_of_a_login_is_told(step: LoginStep, told: list[str]) -> None:
    assert shown(step, datetime(2026, 11, 20, 12, tzinfo=UTC)) == told
