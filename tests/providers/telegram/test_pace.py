"""How fast a bot sends, by a clock that the test turns."""

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


def wait_of(pace: Pace, chat: int, hands: Hands) -> float:
    """How long until a message may leave for a chat: sends it then."""
    waited = 0.0
    while True:
        try:
            pace.take(chat)
        except RateLimited as exc:
            waited += exc.retry_after_s
            hands.at_s += exc.retry_after_s
        else:
            return round(waited, 3)


@pytest.fixture
def hands() -> Hands:
    return Hands()


@pytest.fixture
def pace(hands: Hands) -> Pace:
    return Pace(hands)


def test_a_chat_gets_a_short_burst_and_then_one_a_second(pace: Pace, hands: Hands) -> None:
    waits = [wait_of(pace, 5, hands) for _ in range(10)]

    assert waits[:3] == [0, 0, 0]
    assert sum(waits) >= 6


def test_a_group_gets_twenty_a_minute(pace: Pace, hands: Hands) -> None:
    began = hands.at_s
    for _ in range(20):
        wait_of(pace, GROUP, hands)
    wait_of(pace, GROUP, hands)

    assert hands.at_s - began >= 60


def test_all_chats_together_get_thirty_a_second(pace: Pace, hands: Hands) -> None:
    waits = [wait_of(pace, chat, hands) for chat in range(100, 131)]

    assert waits[:30] == [0] * 30
    assert waits[30] == 1


@pytest.mark.case("F15")
def test_a_chat_that_is_told_later_waits_alone(pace: Pace, hands: Hands) -> None:
    pace.later(GROUP, 30)

    assert wait_of(pace, 5, hands) == 0
    assert wait_of(pace, GROUP, hands) == 30


@pytest.mark.case("F15")
def test_when_a_second_chat_is_told_later_meanwhile_the_whole_bot_waits(
    pace: Pace, hands: Hands
) -> None:
    pace.later(GROUP, 30)
    pace.later(OTHER_GROUP, 20)

    assert wait_of(pace, 5, hands) == 20


@pytest.mark.case("F15")
def test_two_chats_told_later_one_after_the_other_are_two_chats(pace: Pace, hands: Hands) -> None:
    pace.later(GROUP, 5)
    hands.at_s += 6
    pace.later(OTHER_GROUP, 20)

    assert wait_of(pace, 5, hands) == 0


@pytest.mark.case("F15")
def test_what_belongs_to_no_chat_holds_all_and_an_absurd_wish_is_capped(
    pace: Pace, hands: Hands
) -> None:
    pace.later(0, 1e9)

    with pytest.raises(RateLimited) as caught:
        pace.require(5)
    assert caught.value.retry_after_s == 900
    hands.at_s += 900
    pace.require(5)
