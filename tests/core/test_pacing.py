"""Pacing: an instance sends no faster than its profile, whatever the chat, and loses nothing.

The clock stands until a test moves it, so what may not leave yet never does by itself.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import anyio
import pytest

from messengers.core import pacing
from messengers.core.callers import OWNER
from messengers.errors import RateLimited
from messengers.models import Draft, Outcome, Pacing, SentMessage
from tests.core.conftest import AGENT, House, OpenHouse, sent

CAREFUL = pacing.PROFILES["careful"]
A_MOMENT_S = 0.2
"""Real time in which a row that may leave would have left."""
_PATIENCE_S = 10.0


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 20, 12, tzinfo=UTC)
        self.monotonic = 1_000.0

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return self.monotonic

    def go_on(self, seconds: float) -> None:
        """Time passes."""
        self.at += timedelta(seconds=seconds)
        self.monotonic += seconds


class Pacer:
    """A house whose personal account is paced, and its clock."""

    def __init__(self, house: House, clock: HandClock) -> None:
        self.house = house
        self.clock = clock
        self.instance = "me"

    @property
    def left(self) -> list[str]:
        """The texts the messenger accepted, in order."""
        return [text for _, text, _ in self.house.personal.accepted]

    async def pace(self, profile: Pacing, instance: str = "me") -> None:
        await self.house.core.instances.set_policy(OWNER, instance, pacing=profile, confirm="never")

    async def meet(self, name: str) -> str:
        """Somebody writes first; the chat."""
        await self.house.personal.say("hi", chat=name)
        return (await self.house.chat_of(await self.house.told("hi"))).id

    async def send(self, chat: str, text: str, wait_s: float = A_MOMENT_S) -> SentMessage:
        core, draft = self.house.core, Draft(text=text)
        act = await core.sending.prepare(AGENT, chat, draft, instance=self.instance)
        return sent(await core.approvals.perform(act, wait_s))

    async def later(self, seconds: float, more: int = 0) -> list[str]:
        """Let time pass; what has left once so many more left, or after a moment for none."""
        expected = len(self.left) + max(more, 1)

        async def gone() -> bool | None:
            return len(self.left) >= expected or None

        self.clock.go_on(seconds)
        await self.house.core.outbox.wake_all()
        await self.house.core.events.wait(gone, _PATIENCE_S if more else A_MOMENT_S)
        return self.left


@pytest.fixture
async def pacer(open_house: OpenHouse) -> AsyncIterator[Pacer]:
    clock = HandClock()
    async with open_house(clock) as house:
        yield Pacer(house, clock)


async def test_without_pacing_nothing_waits(pacer: Pacer) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("off")

    for number in range(3):
        answer = await pacer.send(ann, str(number), wait_s=5)
        assert answer.outcome is Outcome.ACCEPTED

    assert pacer.left == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("profile", "least_s", "most_s"), [("normal", 0.3, 1.0), ("careful", 1.5, 3.5)]
)
async def test_messages_of_all_chats_leave_one_pause_apart(
    pacer: Pacer, profile: Pacing, least_s: float, most_s: float
) -> None:
    ann, bob = await pacer.meet("ann"), await pacer.meet("bob")
    await pacer.pace(profile)

    first = await pacer.send(ann, "1", wait_s=5)
    second = await pacer.send(bob, "2")
    third = await pacer.send(ann, "3")

    assert first.outcome is Outcome.ACCEPTED
    assert second.outcome is third.outcome is Outcome.QUEUED
    assert await pacer.later(least_s - 0.01) == ["1"]
    assert len(await pacer.later(most_s - least_s + 0.01, 1)) == 2
    assert len(await pacer.later(least_s - 0.01)) == 2
    assert len(await pacer.later(most_s - least_s + 0.01, 1)) == 3


async def test_a_chat_keeps_its_order(pacer: Pacer) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("careful")
    texts = [str(number) for number in range(5)]
    await pacer.send(ann, texts[0], wait_s=5)
    for text in texts[1:]:
        await pacer.send(ann, text, wait_s=0)

    for _ in texts[1:]:
        await pacer.later(3.5, 1)

    assert pacer.left == texts


async def test_another_account_is_not_slowed(pacer: Pacer) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("careful")
    await pacer.send(ann, "1", wait_s=5)
    held = await pacer.send(ann, "2")

    other = pacer.house.bot
    await other.say("hello", chat="cat")
    chat = (await pacer.house.chat_of(await pacer.house.told("hello", "bot"))).id
    answer = await pacer.house.send(chat, "at once")

    assert held.outcome is Outcome.QUEUED
    assert answer.outcome is Outcome.ACCEPTED


async def test_a_new_contact_waits_and_a_known_one_does_not(pacer: Pacer) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("careful")

    held = await pacer.send("x:stranger", "first", wait_s=5)
    known = await pacer.send(ann, "known", wait_s=5)

    assert held.outcome is Outcome.QUEUED
    assert held.notes == ("queued: a first message to a new contact leaves after up to 30 s.",)
    assert known.outcome is Outcome.ACCEPTED
    assert await pacer.later(14.9) == ["known"]
    assert await pacer.later(15.2, 1) == ["known", "first"]
    again = await pacer.send("x:stranger", "second")
    assert again.notes == ()
    assert await pacer.later(3.5, 1) == ["known", "first", "second"]


async def test_whom_the_owner_wrote_to_himself_is_not_new(pacer: Pacer) -> None:
    await pacer.house.personal.say("from my phone", chat="dan", **{"from": "me"})
    dan = (await pacer.house.chat_of(await pacer.house.told("from my phone"))).id
    await pacer.pace("careful")

    answer = await pacer.send(dan, "hello", wait_s=5)

    assert answer.outcome is Outcome.ACCEPTED


async def test_new_contacts_wait_for_one_another_and_hold_up_no_known_one(pacer: Pacer) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("careful")
    for name in ("one", "two"):
        await pacer.send(f"x:{name}", name, wait_s=0)

    assert len(await pacer.later(30, 1)) == 1
    assert len(await pacer.later(14.9)) == 1
    assert (await pacer.send(ann, "known", wait_s=5)).outcome is Outcome.ACCEPTED
    assert len(await pacer.later(15.2, 1)) == 3


@pytest.fixture
def two_a_day(monkeypatch: pytest.MonkeyPatch) -> None:
    assert CAREFUL is not None
    small = {**pacing.PROFILES, "careful": replace(CAREFUL, new_a_day=2)}
    monkeypatch.setattr(pacing, "PROFILES", small)


def test_the_figures_are_these() -> None:
    assert {
        "off": None,
        "normal": pacing.Profile((0.3, 1.0)),
        "careful": pacing.Profile((1.5, 3.5), (15.0, 30.0), 20),
    } == pacing.PROFILES
    assert timedelta(days=7) == pacing.FRESH


async def fill_the_day(pacer: Pacer) -> None:
    """The new contacts that a day has, one a minute."""
    for name in ("one", "two"):
        await pacer.send(f"x:{name}", name, wait_s=0)
        assert (await pacer.later(60, 1))[-1] == name


@pytest.mark.usefixtures("two_a_day")
async def test_a_fresh_account_writes_to_few_new_contacts_a_day_and_says_so(pacer: Pacer) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("careful")
    await fill_the_day(pacer)

    with anyio.fail_after(5):
        held = await pacer.send("x:three", "three", wait_s=60)
    await pacer.later(4)
    known = await pacer.send(ann, "known", wait_s=5)

    assert held.outcome is Outcome.QUEUED
    told = "queued: a new account writes to 2 new contacts a day at most; this leaves after"
    assert held.notes == (f"{told} 2026-11-21T12:01+00:00.",)
    assert known.outcome is Outcome.ACCEPTED
    assert "three" not in await pacer.later(23 * 3600)
    assert (await pacer.later(59 * 60, 1))[-1] == "three"


@pytest.mark.usefixtures("two_a_day")
async def test_an_older_account_has_no_such_limit(pacer: Pacer) -> None:
    pacer.clock.go_on(7 * 24 * 3600)
    await pacer.pace("careful")
    await fill_the_day(pacer)

    await pacer.send("x:three", "three", wait_s=0)

    assert (await pacer.later(30, 1))[-1] == "three"


@pytest.mark.usefixtures("two_a_day")
async def test_another_pace_lets_go_what_the_first_held(pacer: Pacer) -> None:
    await pacer.pace("careful")
    await fill_the_day(pacer)
    await pacer.send("x:three", "three", wait_s=0)

    await pacer.pace("off")

    assert (await pacer.later(0, 1))[-1] == "three"


async def test_what_the_messenger_put_off_comes_first_whatever_the_pace(pacer: Pacer) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("careful")
    pacer.house.personal.answers = [lambda: RateLimited("Slow down.", retry_after_s=60)]

    await pacer.send(ann, "late", wait_s=5)

    assert await pacer.later(10) == []
    await pacer.pace("off")
    assert await pacer.later(49) == []
    assert await pacer.later(2, 1) == ["late"]


async def test_a_restart_sends_nothing_earlier(open_house: OpenHouse) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        pacer = Pacer(house, clock)
        ann = await pacer.meet("ann")
        await pacer.pace("careful")
        await pacer.send(ann, "1", wait_s=5)
        await pacer.send(ann, "2", wait_s=0)
        await pacer.send("x:new", "first", wait_s=A_MOMENT_S)
    async with open_house(clock) as house:
        pacer = Pacer(house, clock)
        assert house.core.instances.by_name("me").pacing == "careful"
        assert await pacer.later(1.49) == ["1"]
        assert await pacer.later(2.1, 1) == ["1", "2"]
        assert await pacer.later(11) == ["1", "2"]
        assert await pacer.later(16, 1) == ["1", "2", "first"]


async def test_killed_during_a_call_the_next_one_waits_its_pause(open_house: OpenHouse) -> None:
    clock = HandClock()
    hangs = anyio.Event()
    with pytest.RaisesGroup(ProcessLookupError, flatten_subgroups=True):
        async with open_house(clock) as house:
            pacer = Pacer(house, clock)
            ann = await pacer.meet("ann")
            await pacer.pace("careful")
            house.personal.hang = hangs
            await pacer.send(ann, "1")
            await pacer.send(ann, "2", wait_s=0)
            raise ProcessLookupError
    hangs.set()
    async with open_house(clock) as house:
        pacer = Pacer(house, clock)
        assert await pacer.later(1.49) == ["1"]
        assert await pacer.later(2.1, 1) == ["1", "2"]


@pytest.mark.case("F20")
@pytest.mark.parametrize("hours", [-24, -1, 1, 24])
async def test_a_clock_that_is_set_neither_hurries_nor_holds(pacer: Pacer, hours: int) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("careful")
    await pacer.send(ann, "1", wait_s=5)
    pacer.clock.at += timedelta(hours=hours)

    second = await pacer.send(ann, "2")

    assert second.outcome is Outcome.QUEUED
    assert await pacer.later(1.49) == ["1"]
    assert await pacer.later(2.1, 1) == ["1", "2"]


@pytest.mark.case("F20")
@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_new_contact_gets_his_message_in_time_whatever_the_clock_says(
    pacer: Pacer, hours: int
) -> None:
    await pacer.pace("careful")
    held = await pacer.send("x:new", "hello", wait_s=5)
    pacer.clock.at += timedelta(hours=hours)

    assert held.outcome is Outcome.QUEUED
    assert await pacer.later(14.9) == []
    assert await pacer.later(15.2, 1) == ["hello"]


@pytest.mark.case("F20")
@pytest.mark.parametrize("hours", [-1, 1])
async def test_what_the_messenger_asked_to_wait_is_waited_whatever_the_clock_says(
    pacer: Pacer, hours: int
) -> None:
    ann = await pacer.meet("ann")
    await pacer.pace("off")
    pacer.house.personal.answers = [lambda: RateLimited("Slow down.", retry_after_s=60)]
    await pacer.send(ann, "late", wait_s=5)
    pacer.clock.at += timedelta(hours=hours)

    assert await pacer.later(59) == []
    assert await pacer.later(2, 1) == ["late"]


@pytest.mark.case("F20")
async def test_a_clock_set_back_before_a_restart_holds_for_a_pause_at_most(
    open_house: OpenHouse,
) -> None:
    clock = HandClock()
    async with open_house(clock) as house:
        pacer = Pacer(house, clock)
        ann = await pacer.meet("ann")
        await pacer.pace("careful")
        await pacer.send(ann, "1", wait_s=5)
    clock.at -= timedelta(days=1)
    async with open_house(clock) as house:
        pacer = Pacer(house, clock)
        second = await pacer.send(ann, "2", wait_s=5)

        assert second.outcome is Outcome.ACCEPTED


async def test_stopping_does_not_wait_for_what_is_held(open_house: OpenHouse) -> None:
    clock = HandClock()
    with anyio.fail_after(8):
        async with open_house(clock) as house:
            pacer = Pacer(house, clock)
            await pacer.pace("careful")
            held = await pacer.send("x:new", "later")

    assert held.outcome is Outcome.QUEUED


async def test_the_provider_advises_and_the_owner_decides(house: House) -> None:
    view = await house.core.instances.set_policy(OWNER, "me", pacing="normal")

    assert view.instance.pacing == "normal"
    assert house.core.instances.by_name("bot").pacing == "off"
