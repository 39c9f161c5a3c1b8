"""Killed at each point of the way out and of the way in, and what each kind of messenger leaves."""

from typing import Any

import anyio
import pytest

from tests.crash.laboratory import KINDS, Lab
from tests.fakes.ledger import Kind, Point

pytestmark = pytest.mark.timeout(180)
OUTBOX, CLAIM = "INSERT INTO outbox", "UPDATE outbox SET state='claimed'"
ACCEPT, INBOUND = "UPDATE outbox SET state='accepted'", "INSERT INTO inbound"
MESSAGE = "INSERT INTO message "
COMMIT, BEGIN = "COMMIT", "BEGIN"
ENDS: dict[Point, dict[Kind, str]] = {
    # What certainly did not begin is sent; what may have begun is in doubt; a key ends doubt.
    "first": {"keyed": "accepted", "plain": "unknown", "noted": "accepted"},
    "noted": {"keyed": "accepted", "plain": "unknown", "noted": "unknown"},
    "called": {"keyed": "accepted", "plain": "unknown", "noted": "unknown"},
    "answered": {"keyed": "accepted", "plain": "unknown", "noted": "unknown"},
}


async def shown(lab: Lab, message: str) -> str:
    """What a model is told of a message."""
    result: dict[str, Any] = await lab.call("get_message", message=message)
    return str(result["content"][0]["text"])


async def restart(lab: Lab) -> None:
    """A new daemon, which nothing kills, and what it makes of what it found."""
    await lab.dead()
    lab.fuse.unlink(missing_ok=True)
    await lab.start()
    await lab.settled()


async def killed_in_the_call(lab: Lab, point: Point) -> str:
    """Each account is held at that point of a call; the id of the message of the plain one."""
    text, ids = f"hold {point}", dict[Kind, str]()
    lab.book.holds, lab.book.held = point, 0
    for kind in KINDS:
        ids[kind] = str((await lab.insist(kind, "ann", text))["message"])
    with anyio.fail_after(60):
        await lab.book.until_held(len(KINDS))
    assert lab.process is not None
    lab.process.kill()
    lab.book.release()
    await restart(lab)
    return ids["plain"]


@pytest.mark.case("F02", "F03")
async def test_killed_in_the_middle_of_a_call(lab: Lab) -> None:
    await lab.connect(*KINDS)
    doubts = [await killed_in_the_call(lab, point) for point in ENDS]

    told = [await shown(lab, message) for message in doubts]
    await lab.stop()

    for point, ends in ENDS.items():
        assert {kind: lab.states(kind)[f"hold {point}"] for kind in KINDS} == ends, point
    begun = [f"hold {point}" for point in ("called", "answered")]
    assert lab.book.texts("plain") == begun
    assert lab.book.texts("noted") == ["hold first", *begun]
    assert lab.book.texts("keyed") == [f"hold {point}" for point in ENDS]
    for each in told:
        assert "message.unknown: Messengers stopped during the call." in each
    assert lab.kills == len(ENDS)
    lab.check()


async def blown(lab: Lab, first: str, then: str, text: str) -> None:
    """Die at a statement on the way of a message out, and restart."""
    lab.fuse.write_text(f"{first}\n{then}\n", "utf-8")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(lab.insist, "plain", "ann", text)
        await restart(lab)
    await lab.settled()


@pytest.mark.case("F03")
async def test_killed_around_each_commit_of_the_way_out(lab: Lab) -> None:
    await lab.connect("plain")
    for first, then, text in (
        (OUTBOX, COMMIT, "not queued"),
        (CLAIM, COMMIT, "not claimed"),
        (ACCEPT, COMMIT, "not recorded"),
    ):
        await blown(lab, first, then, text)
    await lab.insist("plain", "ann", "recorded")
    await lab.until(lambda: lab.states("plain").get("recorded") == "accepted")
    await lab.kill()
    await lab.start()
    await lab.settled()
    await lab.stop()

    texts = ["not queued", "not claimed", "not recorded", "recorded"]
    assert lab.book.texts("plain") == texts
    assert lab.states("plain") == {**dict.fromkeys(texts, "accepted"), "not recorded": "unknown"}
    assert lab.kills == len(texts)
    lab.check()


@pytest.mark.case("F07")
async def test_killed_around_each_commit_of_the_way_in(lab: Lab) -> None:
    await lab.connect("keyed")
    for first, then, text in (
        (INBOUND, COMMIT, "not received"),
        (MESSAGE, COMMIT, "not understood"),
        (MESSAGE, BEGIN, "understood"),
    ):
        lab.fuse.write_text(f"{first}\n{then}\n", "utf-8")
        lab.book.say(text)
        await restart(lab)
    lab.book.holds, lab.book.held = "ingested", 0
    lab.book.say("hold, not acknowledged")
    with anyio.fail_after(60):
        await lab.book.until_held(1)
    await lab.kill()
    lab.book.release()
    await lab.start()
    await lab.settled()
    await lab.stop()

    assert [text for (text,) in lab.rows("SELECT text FROM message ORDER BY id")] == [
        "not received",
        "not understood",
        "understood",
        "hold, not acknowledged",
    ]
    assert lab.kills == 4
    lab.check()
