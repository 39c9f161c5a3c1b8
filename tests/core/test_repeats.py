"""A call that comes again is the same call: one message, one answer, whatever happened between."""

from dataclasses import replace
from datetime import timedelta

import anyio
import pytest

from messengers.core.acts import BatchAnswer
from messengers.core.bulk import Addressee
from messengers.core.callers import OWNER
from messengers.errors import Conflict, InvalidInput, NotConnected, PlatformRefused
from messengers.models import Draft, Outcome, SentMessage
from tests.core.conftest import AGENT, House, OpenHouse, sent
from tests.core.test_bulk import rested
from tests.core.test_pacing import HandClock

TWENTY = 20
REPEATED = "The same call was made a moment ago"


async def ann(house: House) -> str:
    await house.personal.say("hi ann", **{"from": "me"})
    return (await house.told("hi ann")).chat


async def at_once(house: House, chat: str, client_ref: str) -> list[SentMessage]:
    """The answers to twenty calls, of which the messenger's answer comes when all wait."""
    answers: list[SentMessage] = []
    house.personal.hang = anyio.Event()

    async def call() -> None:
        answers.append(await house.send(chat, "hello", client_ref, wait_s=10))

    async with anyio.create_task_group() as tasks:
        for _ in range(TWENTY):
            tasks.start_soon(call)
        await anyio.wait_all_tasks_blocked()
        await house.send(chat, "hello", client_ref, wait_s=0)
        house.personal.hang.set()
    return answers


@pytest.mark.case("F04")
@pytest.mark.parametrize("client_ref", ["r1", ""])
async def test_twenty_at_once_are_one_message_and_all_hear_how_it_went(
    house: House, client_ref: str
) -> None:
    chat = await ann(house)

    answers = await at_once(house, chat, client_ref)

    assert len(answers) == TWENTY
    assert len({answer.message for answer in answers}) == 1
    assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}
    assert len(house.personal.accepted) == 1
    repeated = [each for each in answers if any(REPEATED in note for note in each.notes)]
    assert len(repeated) == (0 if client_ref else TWENTY - 1)


@pytest.mark.case("F04")
async def test_a_key_holds_for_a_day_and_for_one_content(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        chat = await ann(house)
        first = await house.send(chat, "once", client_ref="r1")
        for other in (("other", chat), ("once", "ann")):
            with pytest.raises(Conflict):
                await house.send(other[1], other[0], client_ref="r1")
        clock.go_on(24 * 3600 - 60)
        same = await house.send(chat, "once", client_ref="r1")
        stranger = replace(AGENT, actor="another key")
        theirs = await house.send(chat, "once", client_ref="r1", caller=stranger)
        clock.go_on(120)
        later = await house.send(chat, "other", client_ref="r1")

        assert same == first
        assert len({first.message, theirs.message, later.message}) == 3
        assert [text for _, text, _ in house.personal.accepted] == ["once", "once", "other"]


@pytest.mark.case("F04")
@pytest.mark.parametrize("client_ref", ["r1", ""])
async def test_the_answer_is_there_also_when_the_account_is_not(
    house: House, client_ref: str
) -> None:
    chat = await ann(house)
    first = await house.send(chat, "hello", client_ref)
    await house.core.instances.disconnect(OWNER, "me")

    again = await house.send(chat, "hello", client_ref)

    assert (again.message, again.outcome) == (first.message, Outcome.ACCEPTED)
    with pytest.raises(NotConnected):
        await house.send(chat, "something else")


@pytest.mark.case("F04")
async def test_without_a_key_the_same_is_sent_again_when_the_moment_is_over(
    open_house: OpenHouse,
) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        chat = await ann(house)
        first = await house.send(chat, "tick")
        clock.go_on(14)
        repeated = await house.send(chat, "tick")
        clock.go_on(2)
        again = await house.send(chat, "tick")

        assert repeated.message == first.message
        assert again.message != first.message
        assert len(house.personal.accepted) == 2


async def test_what_waits_long_is_asked_for_again_as_another(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        chat = await ann(house)
        house.personal.hang = anyio.Event()
        first = await house.send(chat, "tick", wait_s=0)
        clock.go_on(119)
        repeated = await house.send(chat, "tick", wait_s=0)
        clock.go_on(2)
        again = await house.send(chat, "tick", wait_s=0)

        assert first.message == repeated.message != again.message
        house.personal.hang.set()


async def test_what_failed_for_certain_may_be_tried_again_at_once(house: House) -> None:
    chat = await ann(house)
    house.personal.answers = [lambda: PlatformRefused("Blocked.")]

    failed = await house.send(chat, "hello")
    sent_then = await house.send(chat, "hello")

    assert (failed.outcome, sent_then.outcome) == (Outcome.FAILED, Outcome.ACCEPTED)


async def test_another_content_or_a_key_of_its_own_is_no_repetition(house: House) -> None:
    chat = await ann(house)
    for draft in (Draft(text="hello"), Draft(text="hello", silent=True), Draft(text="Hello")):
        act = await house.core.sending.prepare(AGENT, chat, draft)
        await house.core.approvals.perform(act)
    await house.send(chat, "hello", client_ref="mine")

    assert len(house.personal.accepted) == 4


async def test_a_held_draft_is_asked_for_once_and_then_is_the_same_message(house: House) -> None:
    stranger = await house.core.chats.find(AGENT, "x:stranger", "me", write=True)
    first = await house.send(stranger.id, "hello", client_ref="r1")
    again = await house.send(stranger.id, "hello", client_ref="r1")
    await house.core.approvals.decide(first.approval, "once", OWNER.actor)
    done = await house.send(stranger.id, "hello", client_ref="r1")

    assert first.outcome is again.outcome is Outcome.NEEDS_APPROVAL
    assert first.approval == again.approval
    assert (done.message, done.outcome) == (first.message, Outcome.ACCEPTED)
    assert len(house.personal.accepted) == 1


async def test_a_preview_of_what_was_sent_shows_it(house: House) -> None:
    chat = await ann(house)
    await house.send(chat, "a" * 300, client_ref="r1")

    act = await house.core.sending.prepare(AGENT, chat, Draft(text="a" * 300), client_ref="r1")

    parts = act.payload["parts"]
    assert isinstance(parts, list)
    assert len(parts) == 2  # pyright: ignore[reportUnknownArgumentType] - JSON


async def test_a_key_has_a_length(house: House) -> None:
    with pytest.raises(InvalidInput):
        await house.send("c1", "hello", client_ref="r" * 201)


async def test_who_wants_no_doubt_has_it_sent_again(open_house: OpenHouse) -> None:
    message, hang = "", anyio.Event()
    with pytest.RaisesGroup(ProcessLookupError, flatten_subgroups=True):
        async with open_house() as house:
            chat = await ann(house)
            await house.core.instances.set_policy(OWNER, "me", on_unknown="resend")
            house.personal.lost = 1
            twice = await house.send(chat, "sure to arrive", wait_s=15)
            assert twice.outcome is Outcome.ACCEPTED
            house.personal.hang = hang
            message = (await house.send(chat, "half way", wait_s=0.2)).message
            raise ProcessLookupError
    hang.set()
    async with open_house() as house:
        assert house.core.instances.by_name("me").on_unknown == "resend"

        async def settled() -> bool | None:
            detail = await house.core.history.get(OWNER, message)
            return detail.message.delivery == "sent" or None

        assert await house.core.events.wait(settled, 5)
        texts = [text for _, text, _ in house.personal.accepted]
        assert texts == ["sure to arrive"] * 2 + ["half way"] * 2


async def test_the_pace_and_the_doubt_are_chosen_one_by_one(open_house: OpenHouse) -> None:
    async with open_house() as house:
        await house.core.instances.set_policy(OWNER, "me", on_unknown="resend")
        await house.core.instances.set_policy(OWNER, "me", pacing="normal")
    async with open_house() as house:
        chosen = house.core.instances.by_name("me")
        assert (chosen.pacing, chosen.on_unknown) == ("normal", "resend")
        assert house.core.instances.by_name("bot").on_unknown == "hold"


@pytest.mark.case("F04")
async def test_what_waits_for_its_time_is_taken_on_once(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        chat = await ann(house)

        async def later(hours: int, client_ref: str = "") -> SentMessage:
            draft = Draft(text="the reminder", send_at=timedelta(hours=hours))
            act = await house.core.sending.prepare(AGENT, chat, draft, client_ref=client_ref)
            return sent(await house.core.approvals.perform(act, 0))

        first, again, other = await later(8), await later(8), await later(9)
        keyed = [await later(8, "mine") for _ in range(2)]
        with pytest.raises(Conflict):
            await later(9, "mine")
        with pytest.raises(Conflict):
            await house.send(chat, "the reminder", "mine")
        waiting = await house.core.batches.list(OWNER, scheduled=True)
        await house.core.schedules.cancel(AGENT, first.message)
        anew = await later(8)

        assert (again.message, again.outcome) == (first.message, Outcome.QUEUED)
        assert REPEATED in again.notes[-1]
        assert not any(REPEATED in note for each in (first, *keyed) for note in each.notes)
        assert keyed[0] == keyed[1]
        assert len({first.message, other.message, keyed[0].message, anew.message}) == 4
        assert len(waiting) == 3


@pytest.mark.case("F04")
async def test_two_that_were_prepared_together_are_taken_on_once(house: House) -> None:
    chat = await ann(house)
    draft = Draft(text="the reminder", send_at=timedelta(hours=8))
    acts = [await house.core.sending.prepare(AGENT, chat, draft) for _ in range(2)]

    first, again = [sent(await house.core.approvals.perform(act, 0)) for act in acts]

    assert first.message == again.message
    assert REPEATED in again.notes[-1]


@pytest.mark.case("F04")
async def test_a_bulk_send_that_comes_again_reaches_nobody_twice(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        chat = await ann(house)

        async def send(text: str = "Hi") -> BatchAnswer:
            act = await house.core.bulk.prepare(OWNER, [Addressee(chat=chat)], text)
            answer = await house.core.approvals.perform(act)
            assert isinstance(answer, BatchAnswer)
            return answer

        first = await send()
        await rested(house, first.batch, "done")
        clock.go_on(14)
        await house.core.opt_outs.add(OWNER, chat)
        again = await send()
        await house.core.opt_outs.remove(OWNER, chat)
        clock.go_on(2)
        other = await send()

        assert (again.batch, again.outcome, again.counts) == (first.batch, "done", {"accepted": 1})
        assert REPEATED in again.notes[-1]
        assert other.batch != first.batch
        await rested(house, other.batch, "done")
        assert len(house.personal.accepted) == 2
