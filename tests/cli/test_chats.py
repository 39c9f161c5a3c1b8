import json

import pytest
from anyio.to_thread import run_sync

from tests.cli.agents import agent, chat_of
from tests.cli.conftest import Run
from tests.cli.terminals import sitting
from tests.living import House

pytestmark = pytest.mark.timeout(90)


@pytest.mark.case("S84")
@pytest.mark.parametrize(
    "command", [("always", "c1"), ("revoke", "c1"), ("alias", "c1", "Mum"), ("alias", "c1", "")]
)
def test_a_door_is_opened_at_a_terminal_only(at: Run, command: tuple[str, ...]) -> None:
    assert "interactive terminal" in at("chats", *command, code=1).stderr


async def test_a_chat_is_named_closed_and_opened(at: Run, office: House) -> None:
    with office.visitor("shop") as visitor:
        visitor.say("named-here")
    async with agent(office) as client:
        chat = await chat_of(client, "named-here")

    assert f"{chat} is called Neighbour" in await typed(office, "alias", chat, "Neighbour")
    assert "never" in at("chats", "never", "Neighbour").stdout
    assert "Neighbour" in at("chats", "list").stdout
    for word, told in (("always", "always"), ("revoke", "ask by policy")):
        assert told in await typed(office, word, chat)


async def typed(house: House, *words: str) -> str:
    """What a person sees who types the command at a terminal."""
    with sitting(["messengers", "chats", *words], house.env, house.user) as terminal:
        assert await run_sync(terminal.end) == 0
    return terminal.shown


def test_an_unknown_chat_is_told_with_the_command_that_finds_it(at: Run) -> None:
    told = at("chats", "never", "nobody at all", code=1).stderr

    assert "No such chat." in told
    assert "`messengers chats find`" in told


async def test_chats_are_found_by_a_part_of_their_name(at: Run, office: House) -> None:
    with office.visitor("shop") as visitor:
        visitor.say("found-here")
    async with agent(office) as client:
        chat = await chat_of(client, "found-here")
    await typed(office, "alias", chat, "Finder of lost things")

    (found,) = json.loads(at("chats", "find", "lost thi", "--instance", "shop", "--json").stdout)
    assert (found["id"], found["name"]) == (chat, "Finder of lost things")
    assert chat in at("chats", "find", "--limit", "1").stdout
    assert "No chat fits that." in at("chats", "find", "lost thi", "--instance", "careful").stdout
    assert "limit" in at("chats", "find", "--limit", "101", code=2).stderr


async def test_the_chats_that_a_name_fits_are_told(at: Run, office: House) -> None:
    twins: list[str] = []
    for text in ("twin-one", "twin-two"):
        with office.visitor("shop") as visitor:
            visitor.say(text)
        async with agent(office) as client:
            twins.append(await chat_of(client, text))
        await typed(office, "alias", twins[-1], "Castor or Pollux")

    told = at("chats", "never", "Castor or Pollux", code=1).stderr

    assert all(chat in told for chat in twins)


def test_a_fresh_house_has_no_standing_answers(empty_house: House) -> None:
    assert "No chat has a standing answer" in empty_house.run("messengers chats list")
