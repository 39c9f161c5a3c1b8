"""What may leave in an hour and a day: counted in the store, refused with when there is room."""

import time
from datetime import UTC, datetime, timedelta

import pytest

from messengers.core.bulk import Addressee
from messengers.core.callers import OWNER, Caller
from messengers.errors import Forbidden, InvalidInput, RateLimited
from messengers.models import Draft, Outcome
from messengers.providers.arrangement import Arrangement
from tests.core.conftest import House, OpenHouse

KEY = Caller("k1")
OTHER = Caller("k2")
NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Calendar:
    """A clock that the test sets by hours."""

    hours = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(hours=self.hours)

    def monotonic_s(self) -> float:
        return time.monotonic()


async def _eve(house: House, name: str = "eve") -> str:
    await house.bot.say(f"hello from {name}", chat=name)
    return (await house.told(f"hello from {name}", "bot")).chat


async def test_a_key_has_its_budget_over_restarts_until_the_hour_is_over(
    open_house: OpenHouse,
) -> None:
    clock = Calendar()
    async with open_house(clock, key_sends_per_hour=2) as house:
        eve = await _eve(house)
        for text in ("one", "two"):
            assert (await house.send(eve, text, caller=KEY)).outcome is Outcome.ACCEPTED
    clock.hours = 0.5
    async with open_house(clock, key_sends_per_hour=2) as house:
        with pytest.raises(RateLimited, match="2 messages in 1 hour") as failed:
            await house.send(eve, "three", caller=KEY)
        assert (await house.send(eve, "of another", caller=OTHER)).outcome is Outcome.ACCEPTED
        assert (await house.send(eve, "mine", caller=OWNER)).outcome is Outcome.ACCEPTED
        clock.hours = 1.01
        assert (await house.send(eve, "later", caller=KEY)).outcome is Outcome.ACCEPTED

    assert 1_700 < failed.value.retry_after_s <= 1_800
    assert "13:00" in failed.value.cause
    assert [text for _, text, _ in house.bot.accepted][2:] == ["of another", "mine", "later"]


async def test_an_account_has_one_for_all_keys_and_the_owner_is_free(house: House) -> None:
    eve = await _eve(house)
    await house.core.instances.set_policy(OWNER, "bot", sends_per_day=2)

    await house.send(eve, "one", caller=KEY)
    await house.send(eve, "two", caller=OTHER)
    for caller in (KEY, OTHER):
        with pytest.raises(RateLimited, match="account bot"):
            await house.send(eve, "three", caller=caller)
    await house.send(eve, "mine", caller=OWNER)
    await house.core.instances.set_policy(OWNER, "bot", sends_per_day=0)
    await house.send(eve, "four", caller=KEY)

    assert [text for _, text, _ in house.bot.accepted] == ["one", "two", "mine", "four"]


async def test_what_is_more_than_a_budget_is_refused_whole(house: House) -> None:
    chats = [await _eve(house, name) for name in ("eve", "mallory", "trudy")]
    await house.core.instances.set_policy(OWNER, "bot", confirm="never", sends_per_hour=2)

    with pytest.raises(InvalidInput, match="2 messages"):
        await house.send(chats[0], "x" * 500, caller=KEY)
    everyone = [Addressee(chat=chat) for chat in chats]
    act = await house.core.bulk.prepare(KEY, everyone, "news")
    with pytest.raises(RateLimited):
        await house.core.approvals.perform(act, 5)

    assert house.bot.accepted == []
    assert await house.core.batches.list(OWNER) == []


async def test_new_recipients_are_counted_and_those_who_wrote_are_not_new(house: House) -> None:
    eve = await _eve(house)
    await house.core.instances.set_policy(OWNER, "bot", confirm="never", new_recipients_per_day=2)

    async def writes(to: str) -> Outcome:
        act = await house.core.sending.prepare(KEY, to, Draft(text=f"hi {to}"), "bot")
        answer = await house.core.approvals.perform(act, 5)
        return Outcome(answer.outcome)

    assert await writes("x:new1") is Outcome.ACCEPTED
    assert await writes("x:new2") is Outcome.ACCEPTED
    with pytest.raises(RateLimited, match="2 new recipients"):
        await writes("x:new3")
    assert await writes("x:new1") is Outcome.ACCEPTED
    assert await writes(eve) is Outcome.ACCEPTED


async def test_a_chat_with_the_answer_never_is_read_only_for_everything(house: House) -> None:
    eve = await _eve(house)
    chat = await house.core.chats.get(OWNER, eve)
    await house.core.chats.decide(OWNER, chat, "never")
    chat = await house.core.chats.get(OWNER, eve)

    with pytest.raises(Forbidden):
        await house.send(eve, "hello")
    with pytest.raises(Forbidden):
        await house.core.receipts.up_to(KEY, chat)
    with pytest.raises(Forbidden):
        await house.core.arrangements.prepare(KEY, eve, Arrangement(archived=True))
    assert house.bot.accepted == []
    assert house.bot.calls == []
