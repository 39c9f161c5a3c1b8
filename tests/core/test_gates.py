"""What leaves an instance: so much at once, so often, and nothing while its messenger rests."""

from collections.abc import Callable, Sequence

import anyio
import pytest

from messengers.core.callers import OWNER
from messengers.core.gates import Gate
from messengers.errors import RateLimited
from messengers.models import Draft, Outcome
from messengers.providers.capabilities import Capabilities, Rate
from messengers.providers.telegram.limits import RATES
from tests.core.conftest import AGENT, House, OpenHouse, sent
from tests.core.test_pacing import A_MOMENT_S, HandClock, Pacer

Scaled = Callable[[int, int], int]
MINE = {"from": "me"}


async def chats_of(house: House, count: int) -> list[str]:
    """So many chats in which the owner wrote."""
    for number in range(count):
        await house.personal.say(f"hi {number}", chat=f"friend{number}", **MINE)
    return [(await house.told(f"hi {number}")).chat for number in range(count)]


def set_rates(house: House, *rates: Rate, reuses_key: bool = False) -> None:
    update = {"rates": rates, "reuses_key": reuses_key}
    house.personal.capabilities = house.personal.capabilities.model_copy(update=update)


async def left(house: House, count: int) -> Sequence[str]:
    """The texts that left, once there are so many, and no more a moment later."""

    async def ready() -> bool | None:
        return len(house.personal.accepted) >= count or None

    assert await house.core.events.wait(ready, 30)
    await a_moment(house)
    return [text for _, text, _ in house.personal.accepted]


async def a_moment(house: House) -> None:
    """In which what may leave would have left."""

    async def never() -> None:
        return None

    await house.core.events.wait(never, A_MOMENT_S)


async def knocked(house: House, count: int) -> int:
    """How often the account was tried, once it was so often, and a moment later."""

    async def ready() -> bool | None:
        return house.personal.knocks >= count or None

    assert await house.core.events.wait(ready, 10)
    await a_moment(house)
    return house.personal.knocks


class Traffic:
    """Messages through a gate as a lane sends them, by a clock that stands still."""

    def __init__(self, rates: tuple[Rate, ...]) -> None:
        self.clock = HandClock()
        self.gate = Gate(self.clock)
        self.gate.fit(Capabilities(max_text=100, rates=rates))

    def send(self, chat: int, kind: str = "dm") -> float:
        """Waits as long as it must; returns how long that was."""
        place = {"id": chat, "kind": kind}
        waited = 0.0
        while (wait_s := max(self.gate.wait_s(), self.gate.chat_wait_s(place))) > 0:
            waited += wait_s
            self.clock.go_on(wait_s)
        self.gate.take(place)
        return round(waited, 3)


def test_a_telegram_chat_gets_a_short_burst_and_then_one_a_second() -> None:
    traffic = Traffic(RATES)

    waits = [traffic.send(1) for _ in range(12)]

    assert waits[:3] == [0, 0, 0]
    assert sum(waits) == 9


def test_a_telegram_group_gets_twenty_a_minute() -> None:
    traffic = Traffic(RATES)
    began_s = traffic.clock.monotonic_s()
    for _ in range(20):
        traffic.send(1, "group")
    assert traffic.clock.monotonic_s() - began_s < 20

    traffic.send(1, "group")

    assert traffic.clock.monotonic_s() - began_s == pytest.approx(60)
    assert traffic.send(2, "group") == 0


def test_all_chats_of_a_telegram_bot_get_thirty_a_second() -> None:
    traffic = Traffic(RATES)

    waits = [traffic.send(chat) for chat in range(61)]

    assert [at for at, wait_s in enumerate(waits) if wait_s] == [30, 60]


def test_a_person_may_have_a_rate_of_his_own() -> None:
    traffic = Traffic((Rate(of="person", count=1, period_s=6),))

    assert [traffic.send(1), traffic.send(1), traffic.send(2)] == [0, 6, 0]
    assert [traffic.send(3, "group"), traffic.send(3, "group")] == [0, 0]


def test_rests_end_and_an_absurd_one_is_capped() -> None:
    traffic = Traffic(())
    traffic.gate.rest(1e9)

    assert traffic.send(1) == 900
    assert [traffic.gate.unreachable() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    traffic.gate.reached()
    assert traffic.gate.unreachable() == 1


@pytest.mark.parametrize(("reuses_key", "at_once"), [(False, 1), (True, 8)])
async def test_without_a_key_one_call_is_under_way_and_with_one_a_few(
    house: House, reuses_key: bool, at_once: int
) -> None:
    set_rates(house, reuses_key=reuses_key)
    chats = await chats_of(house, 10)
    house.personal.hang = anyio.Event()
    for number, chat in enumerate(chats):
        await house.send(chat, str(number), wait_s=0)
    assert len(await left(house, at_once)) == at_once
    house.personal.hang.set()

    texts = await left(house, 10)

    assert house.personal.most_at_once == at_once
    assert sorted(map(int, texts)) == list(range(10))


async def test_a_chats_rate_holds_up_no_other_chat(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        set_rates(house, Rate(of="chat", count=2, period_s=10))
        ann, bob = await chats_of(house, 2)
        for number in range(4):
            await house.send(ann, f"a{number}", wait_s=0)
        await house.send(bob, "b", wait_s=5)
        assert sorted(await left(house, 3)) == ["a0", "a1", "b"]
        clock.go_on(10)
        await house.core.outbox.wake_all()

        assert sorted(await left(house, 5)) == ["a0", "a1", "a2", "a3", "b"]


@pytest.mark.case("F15")
async def test_later_for_the_whole_account_holds_every_chat(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        ann, bob = await chats_of(house, 2)
        house.personal.answers = [lambda: RateLimited("Later.", retry_after_s=30, whole=True)]
        first = await house.send(ann, "a", wait_s=5)
        second = await house.send(bob, "b", wait_s=A_MOMENT_S)
        clock.go_on(29)
        await house.core.outbox.wake_all()
        await a_moment(house)

        assert first.outcome is second.outcome is Outcome.QUEUED
        assert first.notes == ("queued: Later.",)
        assert house.personal.accepted == []
        clock.go_on(1)
        await house.core.outbox.wake_all()
        assert sorted(await left(house, 2)) == ["a", "b"]


@pytest.mark.case("F15")
@pytest.mark.parametrize("wish_s", [0.0, -5.0])
async def test_later_without_a_time_is_tried_again_with_a_pause(
    open_house: OpenHouse, wish_s: float
) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        (ann,) = await chats_of(house, 1)
        house.personal.answers = [lambda: RateLimited("Later.", retry_after_s=wish_s)]
        await house.send(ann, "a", wait_s=0.9)
        assert house.personal.accepted == []
        clock.go_on(1)
        await house.core.outbox.wake_all()

        assert await left(house, 1) == ["a"]


@pytest.mark.case("F18")
@pytest.mark.soak
@pytest.mark.timeout(60)
async def test_an_outage_is_waited_for_and_its_end_is_no_stampede(
    open_house: OpenHouse, scaled: Scaled
) -> None:
    clock, waiting, rate = HandClock(), scaled(36, 5_000), scaled(10, 100)
    async with open_house(clock) as house:
        set_rates(house, Rate(of="instance", count=rate, period_s=1))
        chats = await chats_of(house, 6)
        house.personal.down = True
        for number in range(waiting):
            await house.send(chats[number % 6], f"{number}", wait_s=0)
        short = Draft(text="by five", time_to_live_s=300)
        act = await house.core.sending.prepare(AGENT, chats[0], short)
        expiring = sent(await house.core.approvals.perform(act, wait_s=0))
        await knocked(house, 1)
        for minutes in [1] * 8 + [112]:
            before = house.personal.knocks
            clock.go_on(60 * minutes)
            await house.core.outbox.wake_all()
            assert await knocked(house, before + 1) == before + 1
        await house.core.outbox.expire()
        house.personal.down = False
        told = await house.core.history.get(OWNER, expiring.message)
        assert told.history[-1].kind == "message.not_sent"

        clock.go_on(60)
        texts: Sequence[str] = ()
        for allowed in range(rate, waiting + rate, rate):
            clock.go_on(1)
            await house.core.outbox.wake_all()
            texts = await left(house, min(allowed, waiting))
            assert len(texts) == min(allowed, waiting)

        for chat in range(6):
            mine = [int(text) for text in texts if int(text) % 6 == chat]
            assert mine == sorted(mine)
        assert len(set(texts)) == len(texts) == waiting


@pytest.mark.case("F19")
async def test_an_account_that_hangs_slows_no_other(house: House) -> None:
    await house.bot.say("bot hi", chat="cat")
    cat = (await house.told("bot hi", "bot")).chat
    (ann,) = await chats_of(house, 1)
    house.personal.hang = anyio.Event()
    stuck = await house.send(ann, "stuck", wait_s=0)

    answers = [await house.send(cat, f"quick {number}", wait_s=10) for number in range(10)]
    house.personal.hang.set()

    assert stuck.outcome is Outcome.QUEUED
    assert {answer.outcome for answer in answers} == {Outcome.ACCEPTED}


async def test_a_messengers_own_limit_of_new_contacts_holds(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        pacer = Pacer(house, clock)
        set_rates(house, Rate(of="new_contact", count=2, period_s=24 * 3600))
        ann = await pacer.meet("ann")
        await pacer.pace("off")
        for name in ("one", "two"):
            assert (await pacer.send(f"x:{name}", name, wait_s=5)).outcome is Outcome.ACCEPTED
            clock.go_on(60)

        held = await pacer.send("x:three", "three", wait_s=5)
        known = await pacer.send(ann, "known", wait_s=5)

        assert held.outcome is Outcome.QUEUED
        assert held.notes[0].startswith("queued: the messenger takes 2 new contacts in 24 h;")
        assert known.outcome is Outcome.ACCEPTED
        assert (await pacer.later(24 * 3600 - 119, 1))[-1] == "three"
