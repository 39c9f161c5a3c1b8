"""Platforms tell without order: what comes before its message is kept, what is old wins nothing."""

import anyio
import pytest

from messengers.core.callers import OWNER
from messengers.models import Message, Outcome
from tests.core.conftest import House

MINE = {"from": "me"}


async def current(house: House, message: str) -> Message:
    """The message once all that was delivered is understood."""
    await house.personal.say("marker", chat="other")
    await house.told("marker")
    return (await house.core.history.get(OWNER, message)).message


async def test_a_receipt_before_the_answer_to_the_send_is_kept(house: House) -> None:
    await house.personal.say("hi", **MINE)
    chat = (await house.told("hi")).chat
    house.personal.hang = anyio.Event()
    queued = await house.send(chat, "did you see?", wait_s=0.1)
    native = f"s-{house.personal.accepted[0][2]}"
    await house.personal.deliver("receipt", key="1", id=native, delivery="read")
    await house.personal.deliver("receipt", key="2", id=native, delivery="delivered")
    await current(house, queued.message)
    house.personal.hang.set()

    async def read() -> bool | None:
        found = (await house.core.history.get(OWNER, queued.message)).message
        return found.delivery == "read" or None

    assert queued.outcome is Outcome.QUEUED
    assert await house.core.events.wait(read, 5)


async def test_edits_and_reactions_wait_for_their_message(house: House) -> None:
    await house.personal.deliver("edit", key="2", id="n1", text="second", minute=2)
    await house.personal.deliver("edit", key="1", id="n1", text="first", minute=1)
    for number, (who, emoji) in enumerate((("bob", "👍"), ("cat", "🔥"), ("bob", "🎉"))):
        await house.personal.deliver(
            "reaction", key=f"r{number}", id="n1", sender=who, emoji=emoji, minute=number
        )
    await house.personal.say("original", id_="n1")

    message = await current(house, (await house.told("second")).id)

    assert message.status == "edited"
    given = {(each.emoji, each.by) for each in message.reactions}
    assert given == {("🔥", ("cat",)), ("🎉", ("bob",))}
    history = (await house.core.history.get(OWNER, message.id)).history
    assert history[0].kind == "message.received"
    assert (await house.core.search.messages(OWNER, "original")).items == ()


async def test_a_deletion_that_came_first_holds(house: House) -> None:
    await house.personal.deliver("delete", key="d", id="n1")
    await house.personal.deliver("edit", key="e", id="n1", text="too late", minute=5)
    await house.personal.say("secret", id_="n1")
    await house.personal.say("seen", chat="ann")

    chat = await house.chat_of(await house.told("seen"))
    found = (await house.core.history.read(OWNER, chat)).items

    assert [(each.text, each.status) for each in found] == [("", "deleted"), ("seen", "active")]
    assert (await house.core.search.messages(OWNER, "secret")).items == ()


async def test_older_messages_get_what_waited_for_them(house: House) -> None:
    await house.personal.deliver("edit", key="e", id="old", text="as it stands")
    await house.personal.say("as it was", id_="old", origin="history")

    assert (await house.told("as it stands")).status == "edited"


async def test_an_edit_that_is_older_changes_nothing(house: House) -> None:
    await house.personal.say("original", id_="n1")
    await house.told("original")
    await house.personal.deliver("edit", key="2", id="n1", text="second", minute=2)
    message = await house.told("second")
    await house.personal.deliver("edit", key="1", id="n1", text="first", minute=1)

    assert (await current(house, message.id)).text == "second"


async def test_it_waits_over_a_new_id_of_its_chat(house: House) -> None:
    await house.personal.say("hello", chat="+371")
    await house.told("hello")
    await house.personal.deliver("edit", chat="+371", key="e", id="n2", text="edited")
    await house.personal.say("written", chat="ann@new", id_="n2", once="+371")

    assert (await house.told("edited")).status == "edited"


@pytest.mark.parametrize(
    ("delivered", "shown"),
    [
        (("sent", "failed"), "failed"),
        (("failed", "sent"), "failed"),
        (("failed", "delivered"), "delivered"),
        (("delivered", "failed"), "delivered"),
        (("read", "delivered", "sent"), "read"),
    ],
)
async def test_what_arrived_cannot_fail_and_what_was_taken_can(
    house: House, delivered: tuple[str, ...], shown: str
) -> None:
    await house.personal.say("hi", **MINE)
    answer = await house.send((await house.told("hi")).chat, "hello")
    native = f"s-{house.personal.accepted[0][2]}"
    for number, each in enumerate(delivered):
        await house.personal.deliver("receipt", key=f"{number}", id=native, delivery=each)

    assert (await current(house, answer.message)).delivery == shown
