"""Quiet hours: nothing leaves that nobody waits for, and what waited leaves after them."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from messengers.core.callers import OWNER
from messengers.core.quiet import check_quiet, quiet_until
from messengers.errors import InvalidInput
from messengers.models import Outcome
from tests.core.conftest import OpenHouse
from tests.core.test_pacing import HandClock, Pacer

RIGA = ZoneInfo("Europe/Riga")


@pytest.mark.parametrize(
    ("hours", "local", "until"),
    [
        ("22:00-08:00", "2026-11-20T21:59", None),
        ("22:00-08:00", "2026-11-20T22:00", "2026-11-21T08:00"),
        ("22:00-08:00", "2026-11-21T07:59", "2026-11-21T08:00"),
        ("22:00-08:00", "2026-11-21T08:00", None),
        ("13:00-14:30", "2026-11-20T13:15", "2026-11-20T14:30"),
        ("13:00-14:30", "2026-11-20T14:30", None),
        ("", "2026-11-20T03:00", None),
    ],
)
def test_the_hours_end_when_they_say(hours: str, local: str, until: str | None) -> None:
    moment = datetime.fromisoformat(local).replace(tzinfo=RIGA)

    ends = quiet_until(hours, moment)

    assert ends == (until and datetime.fromisoformat(until).replace(tzinfo=RIGA))


def test_a_night_in_which_the_clock_is_changed_has_an_hour_more_or_less() -> None:
    before = datetime(2026, 10, 24, 23, tzinfo=RIGA)

    ends = quiet_until("22:00-08:00", before)

    assert ends is not None
    assert (ends.astimezone(UTC) - before.astimezone(UTC)).total_seconds() == 10 * 3600


@pytest.mark.parametrize("text", ["22-8", "24:00-08:00", "08:00-08:00", "22:00", "night"])
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        check_quiet(text)


@pytest.mark.parametrize(("text", "kept"), [("none", ""), (" 22:00–08:00 ", "22:00-08:00")])
def test_hours_are_kept_in_one_form(text: str, kept: str) -> None:
    assert check_quiet(text) == kept


async def test_in_quiet_hours_only_answers_leave(open_house: OpenHouse) -> None:
    clock = HandClock()
    clock.at = datetime(2026, 11, 20, 20, 30, tzinfo=UTC)  # 22:30 in Riga
    async with open_house(clock) as house:
        pacer = Pacer(house, clock)
        # In the fake's world somebody wrote at noon.
        ann = await pacer.meet("ann")
        await pacer.pace("off")
        await house.core.instances.set_policy(OWNER, "me", quiet_hours="22:00-08:00")
        await house.personal.say("awake?", chat="bob", minute=8 * 60 + 15)
        bob = (await house.told("awake?")).chat

        held = await pacer.send(ann, "good morning", wait_s=5)
        answer = await pacer.send(bob, "yes", wait_s=5)

        assert held.outcome is Outcome.QUEUED
        assert held.notes == ("queued: quiet hours until 08:00.",)
        assert answer.outcome is Outcome.ACCEPTED
        assert await pacer.later(9 * 3600 + 29 * 60) == ["yes"]
        assert await pacer.later(61, 1) == ["yes", "good morning"]
    async with open_house(clock) as house:
        assert house.core.instances.by_name("me").quiet_hours == "22:00-08:00"


@pytest.mark.case("F20")
async def test_what_waits_over_a_night_of_change_leaves_when_the_quiet_hours_end(
    open_house: OpenHouse,
) -> None:
    clock = HandClock()
    clock.at = datetime(2027, 3, 27, 21, tzinfo=UTC)  # 23:00 in Riga; this night has 23 hours
    async with open_house(clock) as house:
        pacer = Pacer(house, clock)
        ann = await pacer.meet("ann")
        await pacer.pace("off")
        await house.core.instances.set_policy(OWNER, "me", quiet_hours="22:00-08:00")

        await pacer.send(ann, "good morning", wait_s=5)

        assert await pacer.later(8 * 3600 - 60) == []
        assert await pacer.later(61, 1) == ["good morning"]
