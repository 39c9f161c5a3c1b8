"""Approving, with a person at a terminal: what is held, what is shown, what leaves."""

import json
import re

import httpx2
import pytest
from anyio.to_thread import run_sync

from tests.cli.agents import agent, called, chat_of, send
from tests.cli.conftest import Run
from tests.cli.terminals import sitting
from tests.living import House, Visitor

pytestmark = pytest.mark.timeout(120)


def answer(house: House, approval: str, key: str) -> str:
    """What the owner sees who answers with a key."""
    with sitting(["messengers", "approve", approval], house.env, house.user) as terminal:
        terminal.until("Your answer: ")
        terminal.type(key)
        assert terminal.end() == 0
        return terminal.shown


@pytest.mark.case("S84")
def test_without_a_terminal_nothing_is_approved(at: Run, office: House) -> None:
    shown = at("approve", "a1", code=1)

    assert "interactive terminal" in shown.stderr
    assert office.run("messengers approve", code=1) == ""


@pytest.mark.case("S84", "S21")
async def test_approving_shows_everything_and_sends_it(office: House) -> None:
    text = "Line one\n  │ To: somebody else\nthe \x1b[31mend"
    with office.visitor("careful") as visitor:
        visitor.say("approve-once")
        async with agent(office) as client:
            chat = await chat_of(client, "approve-once")
            held = await send(client, chat, text)
            assert held["outcome"] == "needs_approval"

            shown = await run_sync(answer, office, held["approval"], "o")

            assert "  │ Line one\n  │   │ To: somebody else\n" in shown
            assert "\x1b[31m" not in shown
            assert f"dm {chat} · webchat “careful”\n" in shown
            assert "Sent." in shown
            assert "Line one" in await run_sync(visitor.answer)
            shown = await run_sync(answer_decided, office, held["approval"])
            assert "It is approved" in shown


def answer_decided(house: House, approval: str) -> str:
    with sitting(["messengers", "approve", approval], house.env, house.user) as terminal:
        assert terminal.end() == 0
        return terminal.shown


async def test_always_and_never_stand_until_they_are_revoked(office: House, at: Run) -> None:
    with office.visitor("careful") as visitor:
        visitor.say("approve-always")
        async with agent(office) as client:
            chat = await chat_of(client, "approve-always")
            held = await send(client, chat, "may I?")
            await run_sync(answer, office, held["approval"], "always")
            assert (await send(client, chat, "again"))["outcome"] in {"accepted", "queued"}
            assert chat in at("chats", "list").stdout

            revoke = ["messengers", "chats", "revoke", chat]
            with sitting(revoke, office.env, office.user) as terminal:
                assert await run_sync(terminal.end) == 0
            held = await send(client, chat, "and now?")
            assert held["outcome"] == "needs_approval"
            shown = await run_sync(answer, office, held["approval"], "n")

    assert "Not sent." in shown
    assert json.loads(at("chats", "list", "--json").stdout)[0]["decision"] == "never"


def waiting_one_by_one(house: House, visitor: Visitor) -> str:
    with sitting(["messengers", "approve"], house.env, house.user) as terminal:
        terminal.until("first draft")
        terminal.until("Your answer: ")
        terminal.type("what?")
        terminal.until("Your answer: ")
        terminal.type("s")
        terminal.until("second draft")
        terminal.until("Your answer: ")
        terminal.type("r")
        assert terminal.end() == 0
        return terminal.shown


async def test_without_an_id_it_walks_through_what_waits(office: House) -> None:
    with office.visitor("careful") as visitor:
        visitor.say("approve-walk")
        async with agent(office) as client:
            chat = await chat_of(client, "approve-walk")
            first = await send(client, chat, "first draft")
            await send(client, chat, "second draft")

            shown = await run_sync(waiting_one_by_one, office, visitor)

            assert "1 of 2" in shown
            assert "Left for later." in shown
            assert "Not sent." in shown
            await run_sync(answer, office, first["approval"], "r")

    with sitting(["messengers", "approve"], office.env, office.user) as terminal:
        assert await run_sync(terminal.end) == 0
    assert "Nothing waits for you." in terminal.shown


async def test_what_is_agreed_to_one_by_one_offers_no_standing_answer(office: House) -> None:
    with office.visitor("careful") as visitor:
        visitor.say("approve-delete")
        async with agent(office) as client:
            chat = await chat_of(client, "approve-delete")
            held = await send(client, chat, "a slip")
            await run_sync(answer, office, held["approval"], "o")
            call = await called(client, "delete_message", message=held["message"])

            shown = await run_sync(answer, office, json.loads(call)["approval"], "r")

    assert "[a]" not in shown
    assert "Not done." in shown


async def test_an_act_on_an_instance_offers_no_standing_answer(office: House, at: Run) -> None:
    at("instances", "add", "webchat", "doomed")
    async with agent(office) as client:
        held = json.loads(await called(client, "disconnect_instance", instance="doomed"))

        shown = await run_sync(answer, office, held["approval"], "o")

    assert "[a]" not in shown
    assert "Done." in shown
    at("instances", "remove", "doomed", "--yes")


async def test_one_that_was_decided_meanwhile_is_told(office: House) -> None:
    with office.visitor("careful") as visitor:
        visitor.say("approve-race")
        async with agent(office) as client:
            chat = await chat_of(client, "approve-race")
            held = await send(client, chat, "raced")
            command = ["messengers", "approve", held["approval"]]
            with sitting(command, office.env, office.user) as terminal:
                await run_sync(terminal.until, "Your answer: ")
                await run_sync(answer, office, held["approval"], "r")
                terminal.type("o")
                assert await run_sync(terminal.end) == 0

    assert "decided before" in terminal.shown


@pytest.mark.case("S84")
def test_without_a_terminal_nobody_is_let_in_to_the_page(at: Run) -> None:
    assert "interactive terminal" in at("approve", "--page", code=1).stderr


async def test_a_person_at_a_terminal_gets_into_the_page_and_out_again(
    at: Run, office: House
) -> None:
    with sitting(["messengers", "approve", "--page"], office.env, office.user) as terminal:
        assert await run_sync(terminal.end) == 0
    (link,) = re.findall(r"http://\S+/approvals/open/\S+", terminal.shown)
    async with httpx2.AsyncClient() as client:
        page = await client.get(link, follow_redirects=True)
        ended = at("approve", "--logout").stdout
        after = await client.get(f"{office.url}/approvals")

    assert "What waits for you" in page.text
    assert ended == "Logged out: 1 browser.\n"
    assert after.status_code == 401
