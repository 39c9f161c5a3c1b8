"""What the owner does about bulk sends and opt-outs in a terminal."""

import json

import pytest
from anyio.to_thread import run_sync

from tests.cli.agents import agent, called, chat_of
from tests.cli.conftest import Run
from tests.cli.terminals import sitting
from tests.living import House

pytestmark = pytest.mark.timeout(120)


def typed(house: House, *words: str, answers: str = "") -> str:
    """What a person sees who types the command at a terminal."""
    with sitting(["messengers", *words], house.env, house.user) as terminal:
        if answers:
            terminal.until("Your answer: ")
            terminal.type(answers)
        assert terminal.end() == 0
    return terminal.shown


async def test_a_bulk_send_is_approved_followed_and_ended(at: Run, office: House) -> None:
    with office.visitor("shop") as visitor:
        visitor.say("bulk-here")
        async with agent(office, "--preset", "admin") as client:
            chat = await chat_of(client, "bulk-here")
            later = {"recipients": [chat], "text": "Soon", "send_at": "2h", "client_ref": "soon"}
            held = json.loads(await called(client, "send_bulk", **later))
            assert held["outcome"] == "needs_approval"

            shown = await run_sync(lambda: typed(office, "approve", held["approval"], answers="o"))

    batch = held["batch"]
    assert "Send 1 message, one to each" in shown
    assert "Soon" in shown
    assert f"It is scheduled; `messengers bulk show {batch}` tells how it fares." in shown
    assert f"{batch}  shop      scheduled" in at("bulk", "list").stdout
    assert json.loads(at("bulk", "list", "--json").stdout)[0]["id"] == batch
    assert f"{batch} (shop): paused, 1 waiting." in at("bulk", "pause", batch).stdout
    assert "scheduled" in at("bulk", "resume", batch).stdout
    assert "cancelled, 1 not_sent. It was cancelled." in at("bulk", "cancel", batch).stdout
    assert chat in at("bulk", "show", batch).stdout
    assert json.loads(at("bulk", "show", batch, "--json").stdout)["state"] == "cancelled"
    assert "No such batch." in at("bulk", "show", "b999", code=1).stderr


async def test_the_owner_keeps_the_list_of_opt_outs(at: Run, office: House) -> None:
    assert "+37120000001" in at("optout", "add", "+371 2000 0001").stdout
    assert "@ann" in at("optout", "add", "@Ann", "--instance", "shop").stdout
    assert "no number" in at("optout", "add", "somebody", code=1).stderr

    listed = json.loads(at("optout", "list", "--json").stdout)
    assert [(each["subject"], each["instance"]) for each in listed] == [
        ("+37120000001", ""),
        ("@ann", "shop"),
    ]
    assert "interactive terminal" in at("optout", "remove", "+37120000001", code=1).stderr
    shown = await run_sync(lambda: typed(office, "optout", "remove", "+37120000001"))
    assert "may reach +37120000001 again" in shown
    assert "@ann" in at("optout", "list").stdout


def test_a_fresh_house_has_neither(empty_house: House) -> None:
    assert "nothing was sent in bulk" in empty_house.run("messengers bulk list")
    assert "Nobody opted out." in empty_house.run("messengers optout list")
