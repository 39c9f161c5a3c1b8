"""Changes of what is already there: edits, deletions, reactions, forwarding."""

import anyio
import anyio.lowlevel
import pytest

from messengers.core.acts import Act
from messengers.core.callers import OWNER
from messengers.errors import Conflict, Forbidden, InvalidInput, MessengersError
from messengers.models import Message, Outcome
from tests.core.conftest import AGENT, House, sent


async def _talk(house: House) -> tuple[Message, str]:
    """Their message, and the id of our answer to it."""
    await house.personal.say("hi", **{"from": "me"})
    await house.personal.say("hello")
    theirs = await house.told("hello")
    return theirs, (await house.send(theirs.chat, "our answer")).message


async def _done(house: House, act: Act) -> Outcome:
    return sent(await house.core.approvals.perform(act)).outcome


async def _message(house: House, ref: str) -> Message:
    return (await house.core.history.get(OWNER, ref)).message


async def test_an_edit_is_made_there_and_here(house: House) -> None:
    _, ours = await _talk(house)

    done = await _done(house, await house.core.changes.prepare_edit(AGENT, ours, "a better one"))

    edited = await _message(house, ours)
    assert done is Outcome.ACCEPTED
    assert (edited.text, edited.status) == ("a better one", "edited")
    assert [(call[0], call[-1]) for call in house.personal.calls] == [("edit", "a better one")]


async def test_a_deletion_on_our_side_leaves_the_messenger_alone(house: House) -> None:
    theirs, _ = await _talk(house)
    act = await house.core.changes.prepare_delete(AGENT, theirs.id, for_everyone=False)

    assert await _done(house, act) is Outcome.ACCEPTED
    assert (await _message(house, theirs.id)).status == "deleted"
    assert house.personal.calls == []


async def test_a_reaction_becomes_another_and_goes(house: House) -> None:
    theirs, _ = await _talk(house)
    counts: list[list[tuple[str, int]]] = []
    for emoji in ("👍", "🎂", ""):
        await _done(house, await house.core.changes.prepare_react(AGENT, theirs.id, emoji))
        reactions = (await _message(house, theirs.id)).reactions
        counts.append([(each.emoji, each.count) for each in reactions])

    assert counts == [[("👍", 1)], [("🎂", 1)], []]
    assert [call[-1] for call in house.personal.calls] == ["👍", "🎂", ""]


async def test_what_is_forwarded_arrives_as_it_is(house: House) -> None:
    theirs, _ = await _talk(house)
    await house.personal.say("other chat", chat="bob", **{"from": "me"})
    other = (await house.told("other chat")).chat

    act = await house.core.changes.prepare_forward(AGENT, theirs.id, other)

    assert await _done(house, act) is Outcome.ACCEPTED
    assert [(chat, text) for chat, text, _ in house.personal.accepted][-1] == ("bob", "hello")


async def test_only_our_own_can_be_changed(house: House) -> None:
    theirs, _ = await _talk(house)

    with pytest.raises(Forbidden):
        await house.core.changes.prepare_edit(AGENT, theirs.id, "not said")
    with pytest.raises(Forbidden):
        await house.core.changes.prepare_delete(AGENT, theirs.id)


@pytest.mark.parametrize("text", ["", "  \n", "long " * 50, "half \ud800"])
async def test_an_edit_that_is_no_message_is_refused(house: House, text: str) -> None:
    _, ours = await _talk(house)

    with pytest.raises(InvalidInput):
        await house.core.changes.prepare_edit(AGENT, ours, text)


@pytest.mark.parametrize("emoji", ["1️⃣", "ℹ️", "❤️", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "👩‍👩‍👧", "🇱🇻", "㊗️", "™️", "🅰️"])
async def test_whatever_emoji_there_is_may_be_a_reaction(house: House, emoji: str) -> None:
    theirs, _ = await _talk(house)

    act = await house.core.changes.prepare_react(AGENT, theirs.id, emoji)

    assert act.shown.text == emoji


@pytest.mark.parametrize("emoji", ["ok", ":)", "👍" * 40, "👍 code 4851", "é", "ключ", "１２３"])
async def test_a_reaction_that_is_no_emoji_is_refused(house: House, emoji: str) -> None:
    theirs, _ = await _talk(house)

    with pytest.raises(InvalidInput):
        await house.core.changes.prepare_react(AGENT, theirs.id, emoji)


async def test_what_is_gone_is_not_changed_again(house: House) -> None:
    theirs, ours = await _talk(house)
    for ref in (theirs.id, ours):
        act = await house.core.changes.prepare_delete(AGENT, ref, for_everyone=False)
        await house.core.approvals.perform(act)

    with pytest.raises(Conflict):
        await house.core.changes.prepare_edit(AGENT, ours, "again")
    with pytest.raises(Conflict):
        await house.core.changes.prepare_react(AGENT, theirs.id, "👍")
    with pytest.raises(InvalidInput):
        await house.core.changes.prepare_forward(AGENT, theirs.id, theirs.chat)


async def test_a_change_the_messenger_refuses_is_not_made_here(house: House) -> None:
    _, ours = await _talk(house)
    act = await house.core.changes.prepare_edit(AGENT, ours, "too late")
    house.personal.answers = [lambda: Forbidden("That message is too old.", "Send a new one.")]

    with pytest.raises(MessengersError):
        await house.core.approvals.perform(act)
    assert (await _message(house, ours)).text == "our answer"


async def test_who_leaves_after_the_messenger_agreed_finds_it_changed(house: House) -> None:
    _, ours = await _talk(house)
    act = await house.core.changes.prepare_edit(AGENT, ours, "agreed")

    async def changed() -> bool | None:
        return (await _message(house, ours)).text == "agreed" or None

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(house.core.approvals.perform, act)
        while not house.personal.calls:
            await anyio.lowlevel.checkpoint()
        tasks.cancel_scope.cancel()
    assert await house.core.events.wait(changed, 5)
