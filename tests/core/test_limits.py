"""Who may do how much in a minute, and what remembering it costs."""

import tracemalloc

import pytest

from messengers.core.allowance import Allowance
from messengers.core.callers import OWNER, Caller
from messengers.core.limits import Limits
from messengers.errors import RateLimited
from messengers.models import Draft, Outcome
from tests.core.conftest import AGENT, House
from tests.core.test_allowance import Hands

KEY = Caller("k1")


def limits(clock: Hands, requests: int = 10) -> Limits:
    return Limits(clock, requests, 3)


@pytest.mark.timeout(180)
@pytest.mark.case("S70")
def test_a_million_keys_stay_below_fifty_megabytes() -> None:
    tracemalloc.start()
    allowance = Allowance(Hands(), 10, 60, 100_000)
    for number in range(1_000_000):
        allowance.take(f"2001:db8:{number:x}::")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert used < 50_000_000


@pytest.mark.case("S70")
def test_each_key_has_its_own_rate_and_gets_it_back() -> None:
    clock = Hands()
    some = limits(clock)
    slow = Caller("k2", rate_per_min=2)

    assert [some.request(slow).remaining for _ in range(3)] == [1, 0, 0]
    assert some.request(slow).wait_s == pytest.approx(30)
    assert some.request(KEY).limit == 10
    assert some.request(Caller("local", local=True)).limit == 200
    clock.at_s = 30
    assert not some.request(slow).wait_s


@pytest.mark.case("S70")
def test_one_tool_takes_half_of_a_keys_calls_at_most() -> None:
    some = limits(Hands())

    for _ in range(5):
        some.call(KEY, "send_message", "write", counted=True)
    with pytest.raises(RateLimited) as failed:
        some.call(KEY, "send_message", "write", counted=True)
    some.call(KEY, "react", "write", counted=True)
    some.call(KEY, "read_messages", "read", counted=True)
    some.call(OWNER, "send_message", "write", counted=False)

    assert failed.value.retry_after_s == pytest.approx(12)


@pytest.mark.case("S70")
async def test_a_chat_gets_so_much_in_a_minute_whoever_sends(house: House) -> None:
    await house.bot.say("hello", chat="eve")
    eve = (await house.told("hello", "bot")).chat
    acts = [
        await house.core.sending.prepare(AGENT, eve, Draft(text=f"number {n}")) for n in range(121)
    ]
    for act in acts[:120]:
        house.core.limits.act(act)

    with pytest.raises(RateLimited, match="this chat"):
        await house.core.approvals.perform(acts[120], 5)
    mine = await house.core.sending.prepare(OWNER, eve, Draft(text="mine"))
    done = await house.core.approvals.perform(mine, 5)

    assert [text for _, text, _ in house.bot.accepted] == ["mine"]
    assert done.outcome is Outcome.ACCEPTED


@pytest.mark.case("F04")
async def test_a_call_that_comes_again_is_answered_however_often(house: House) -> None:
    await house.bot.say("hello", chat="eve")
    eve = (await house.told("hello", "bot")).chat
    first = await house.send(eve, "good morning", "r1")
    act = await house.core.sending.prepare(AGENT, eve, Draft(text="something else"))
    for _ in range(119):
        house.core.limits.act(act)

    again = await house.send(eve, "good morning", "r1")

    assert (again.message, again.outcome) == (first.message, Outcome.ACCEPTED)
    with pytest.raises(RateLimited, match="this chat"):
        await house.core.approvals.perform(act, 5)
