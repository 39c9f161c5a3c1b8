"""The owner keeps somebody out from a terminal, and a real client over stdio does not see him."""

import json

import pytest
from anyio.to_thread import run_sync

from tests.cli.agents import agent, called, chat_of
from tests.cli.conftest import Run
from tests.cli.terminals import sitting
from tests.living import House

pytestmark = pytest.mark.timeout(120)


def typed(house: House, *words: str) -> str:
    """What a person sees who types the command at a terminal."""
    with sitting(["messengers", "access", *words], house.env, house.user) as terminal:
        assert terminal.end() == 0, terminal.shown
    return terminal.shown


@pytest.mark.case("S29")
async def test_a_client_over_stdio_does_not_see_whom_the_owner_keeps_out(
    at: Run, office: House
) -> None:
    with office.visitor("shop") as eve, office.visitor("shop") as ann:
        eve.say("eve-was-here")
        async with agent(office) as client:
            chat = await chat_of(client, "eve-was-here")
            assert "(both) of shop" in at("access", "add", "deny", chat).stdout
            made = json.loads(at("access", "list", "--json").stdout)[0]["id"]
            waiting = await called(client, "wait_for_messages", timeout_s=0)
            cursor = waiting.partition("cursor=")[2].split()[0]
            eve.say("eve-again")
            ann.say("ann-is-fine")
            await chat_of(client, "ann-is-fine")

            seen = [
                await called(client, "wait_for_messages", timeout_s=0, cursor=cursor),
                await called(client, "list_recent_messages"),
                await called(client, "list_chats"),
                await called(client, "search_messages", query="eve"),
                await called(client, "read_messages", chat=chat),
            ]
            assert "ann-is-fine" in seen[0]
            assert "ann-is-fine" in seen[1]
            assert not any("eve-" in each for each in seen)
            assert "No such chat." in seen[4]
            refused = await called(client, "send_message", chat=chat, text="hi")
            assert f"access rule {made} forbids" in refused
            assert refused.endswith("Nothing was sent.")

            kept = at("access", "withheld").stdout
            assert "eve-again" in kept
            assert f"deny {made}" in kept
            shown = await run_sync(lambda: typed(office, "remove", made))
            assert f"{made} is gone" in shown
            assert "eve-again" in await called(client, "read_messages", chat=chat)


async def test_rules_are_listed_explained_and_end(at: Run, office: House) -> None:
    told = at("access", "add", "deny", "+7 900 123-45-67", "--days", "2", "--note", "rude").stdout
    broad = at("access", "add", "deny", "+7900*", "--direction", "in", "--priority", "1").stdout
    first, second = told.split(":")[0], broad.split(":")[0]
    assert "deny +79001234567 (both)." in told

    listed = at("access", "list").stdout
    assert listed.index(second) < listed.index(first)
    assert "rude" in listed
    assert "+7900*" in listed
    checked = at("access", "check", "8 900 123 45 67", "--country", "ru").stdout
    assert f"in  deny by {second}, so kept back; also fitting: {first} deny" in checked
    assert f"out deny by {first}, so refused" in checked
    as_json = json.loads(at("access", "check", "+79001234567", "--json").stdout)
    assert as_json[0]["rule"] == second
    for rule in (first, second):
        await run_sync(lambda rule=rule: typed(office, "remove", rule))
    assert second not in at("access", "list").stdout


@pytest.mark.case("S84")
@pytest.mark.parametrize(
    "command", [("add", "allow", "any"), ("add", "read_only", "any"), ("remove", "r1")]
)
def test_whoever_lets_somebody_in_sits_at_a_terminal(at: Run, command: tuple[str, ...]) -> None:
    assert "interactive terminal" in at("access", *command, code=1).stderr


async def test_the_owner_chooses_who_is_heard_at_an_instance(at: Run, office: House) -> None:
    assert "careful: people open, groups open" in at("access", "policy", "careful").stdout
    closed = at("access", "policy", "careful", "--dm", "off", "--group", "off").stdout
    assert "people off, groups off" in closed
    refused = at("access", "policy", "careful", "--dm", "open", code=1).stderr
    assert "interactive terminal" in refused
    shown = await run_sync(
        lambda: typed(office, "policy", "careful", "--dm", "open", "--group", "open")
    )
    assert "people open, groups open" in shown


async def test_a_stranger_is_let_in_by_the_code_he_was_told(at: Run, office: House) -> None:
    await run_sync(lambda: typed(office, "policy", "careful", "--dm", "pairing"))
    assert "Nobody waits" in at("access", "pairing").stdout
    with office.visitor("careful") as stranger:
        stranger.say("may-i-come-in")
        html = await run_sync(stranger.answer)
        (one,) = json.loads(at("access", "pairing", "--json").stdout)
        assert one["code"] in html
        assert one["code"] in at("access", "pairing").stdout
        assert "interactive terminal" in at("access", "approve", one["code"], code=1).stderr
        async with agent(office) as client:
            assert "may-i-come-in" not in await called(client, "list_recent_messages")
            shown = await run_sync(lambda: typed(office, "approve", one["code"]))
            assert "allow" in shown
            assert "may-i-come-in" in await called(client, "list_recent_messages")
    await run_sync(lambda: typed(office, "remove", shown.split(":")[0].strip()))
    await run_sync(lambda: typed(office, "policy", "careful", "--dm", "open"))


@pytest.mark.case("S77")
def test_a_regular_expression_is_refused_with_what_there_is(at: Run) -> None:
    refused = at("access", "add", "deny", "(a+)+$", "--instance", "shop", code=1).stderr
    assert "Regular expressions are not understood" in refused
    assert "spam*" in refused


def test_a_fresh_house_keeps_nobody_out(empty_house: House) -> None:
    assert "everybody is heard" in empty_house.run("messengers access list")
    assert "Nothing is kept back." in empty_house.run("messengers access withheld")
