"""Messages that wait for their time: nothing else waits for them, and they can be called off."""

from datetime import UTC, datetime, timedelta

import pytest

from messengers.core.callers import OWNER
from messengers.errors import InvalidInput, NotFound
from messengers.models import Draft, Outcome, SentMessage
from tests.core.conftest import AGENT, House, OpenHouse, sent


async def ann(house: House) -> str:
    """A chat in which the owner wrote."""
    await house.personal.say("hi ann", **{"from": "me"})
    return (await house.told("hi ann")).chat


async def later(
    house: House, chat: str, text: str, send_at: datetime | timedelta, wait_s: float = 0
) -> SentMessage:
    act = await house.core.sending.prepare(AGENT, chat, Draft(text=text, send_at=send_at))
    return sent(await house.core.approvals.perform(act, wait_s))


def texts(house: House) -> list[str]:
    return [text for _, text, _ in house.personal.accepted]


async def until_sent(house: House, *expected: str) -> None:
    async def ready() -> bool | None:
        return texts(house) == list(expected) or None

    assert await house.core.events.wait(ready, 10), texts(house)


async def test_it_leaves_at_its_time_and_holds_up_nobody(house: House) -> None:
    chat = await ann(house)
    soon = datetime.now(UTC) + timedelta(seconds=1)

    waits = await later(house, chat, "the reminder", soon)
    meanwhile = await house.send(chat, "before it")

    assert waits.outcome is Outcome.QUEUED
    assert waits.notes[0].startswith("leaves at 20")
    assert waits.message
    assert meanwhile.outcome is Outcome.ACCEPTED
    await until_sent(house, "before it", "the reminder")
    assert datetime.now(UTC) >= soon
    detail = await house.core.history.get(OWNER, waits.message)
    assert detail.message.delivery == "sent"


async def test_a_time_from_now_survives_a_restart(open_house: OpenHouse) -> None:
    async with open_house() as house:
        waits = await later(house, await ann(house), "on time", timedelta(seconds=0.8))
        assert waits.outcome is Outcome.QUEUED

    async with open_house() as house:
        await until_sent(house, "on time")


async def test_what_waits_is_listed_and_called_off_by_its_message(house: House) -> None:
    chat = await ann(house)
    second = await later(house, chat, "second", timedelta(hours=2))
    first = await later(house, chat, "first", timedelta(hours=1))

    listed = await house.core.batches.list(AGENT, scheduled=True)
    cancelled = await house.core.schedules.cancel(AGENT, first.message)

    assert [each.recipients[0].message for each in listed] == [first.message, second.message]
    assert {each.state for each in listed} == {"scheduled"}
    assert cancelled.state == "cancelled"
    left = await house.core.batches.list(AGENT, scheduled=True)
    assert [each.recipients[0].message for each in left] == [second.message]
    await house.core.schedules.cancel(AGENT, left[0].id)
    assert await house.core.batches.list(AGENT, scheduled=True) == []
    assert await house.core.batches.list(AGENT) == []
    for unknown in (chat, "m999", "b999", ""):
        with pytest.raises(NotFound):
            await house.core.schedules.cancel(AGENT, unknown)


async def test_to_a_stranger_the_owner_is_asked_and_then_it_waits(house: House) -> None:
    await house.personal.say("hello", "eve")
    chat = (await house.told("hello")).chat

    held = await later(house, chat, "tomorrow then", timedelta(seconds=1))
    (asked,) = await house.core.approvals.waiting()
    assert held.outcome is Outcome.NEEDS_APPROVAL
    assert asked.shown.title == "Send a message 0:00:01 after it is agreed to"
    agreed = sent(await house.core.approvals.decide(held.approval, "once", "owner", 0))

    assert agreed.outcome is Outcome.QUEUED
    assert agreed.message == held.message
    await until_sent(house, "tomorrow then")


async def test_cancelling_what_waits_for_the_owner_ends_the_question(house: House) -> None:
    await house.personal.say("hello", "eve")
    chat = (await house.told("hello")).chat
    held = await later(house, chat, "no", timedelta(hours=1))

    await house.core.schedules.cancel(AGENT, held.message)

    assert await house.core.approvals.waiting() == []
    ended = await house.core.approvals.outcome(held.approval, 0)
    assert ended.outcome is Outcome.NOT_SENT


async def test_approved_after_its_time_it_leaves_at_once_and_its_outcome_is_told(
    house: House,
) -> None:
    await house.personal.say("hello", "eve")
    chat = (await house.told("hello")).chat
    held = await later(house, chat, "late", datetime.now(UTC) - timedelta(minutes=1))

    agreed = sent(await house.core.approvals.decide(held.approval, "once", "owner", 5))

    assert agreed.outcome is Outcome.ACCEPTED
    assert texts(house) == ["late"]


@pytest.mark.parametrize("ahead", [timedelta(days=400), timedelta(hours=-1)])
async def test_a_time_past_or_too_far_ahead_is_refused(house: House, ahead: timedelta) -> None:
    chat = await ann(house)

    for send_at in (ahead, datetime.now(UTC) + ahead):
        with pytest.raises(InvalidInput, match="send_at is"):
            await later(house, chat, "when", send_at)
