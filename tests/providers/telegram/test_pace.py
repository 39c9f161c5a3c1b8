"""When Telegram says later, by a clock that the test turns."""

from datetime import UTC, datetime

import pytest

from messengers.errors import RateLimited
from messengers.providers.telegram.pace import Pace

GROUP, OTHER_GROUP = -4_001, -4_002


class Hands:
    """A clock."""

    def __init__(self) -> None:
        self.at_s = 1_000.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at_s, UTC)

    def monotonic_s(self) -> float:
        return self.at_s


def wait_of(pace: Pace, chat: int) -> float:
    """How long Telegram wants nothing for a chat."""
    try:
        pace.require(chat)
    except RateLimited as exc:
        return round(exc.retry_after_s, 3)
    return 0.0


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def pace(hands: Hands) -> Pace:
    return Pace(hands)


@pytest.mark.case("F15")
def test_a_chat_that_is_told_later_waits_alone(pace: Pace) -> None:
    pace.later(GROUP, 30)

    assert wait_of(pace, 5) == 0
    assert wait_of(pace, GROUP) == 30


@pytest.mark.case("F15")
def test_when_a_second_chat_is_told_later_meanwhile_the_whole_bot_waits(pace: Pace) -> None:
    pace.later(GROUP, 30)
    pace.later(OTHER_GROUP, 20)

    assert wait_of(pace, 5) == 20


@pytest.mark.case("F15")
def test_two_chats_told_later_one_after_the_other_are_two_chats(pace: Pace, hands: Hands) -> None:
    pace.later(GROUP, 5)
    hands.at_s += 6
    pace.later(OTHER_GROUP, 20)

    assert wait_of(pace, 5) == 0


@pytest.mark.case("F15")
def test_what_belongs_to_no_chat_holds_all_and_an_absurd_wish_is_capped(
    pace: Pace, hands: Hands
) -> None:
    pace.later(0, 1e9)

    with pytest.raises(RateLimited) as caught:
        pace.require(5)
    assert caught.value.retry_after_s == 900
    assert caught.value.whole
    hands.at_s += 900
    pace.require(5)
