"""Token buckets under a clock that the test moves."""

from dataclasses import dataclass
from datetime import UTC, datetime

from messengers.core.allowance import Allowance


@dataclass
class Hands:
    """A clock that stands until it is moved."""

    at_s: float = 0.0

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.at_s, UTC)

    def monotonic_s(self) -> float:
        return self.at_s


def test_so_many_at_once_and_then_evenly() -> None:
    clock = Hands()
    allowance = Allowance(clock, 3, 6)

    assert [allowance.take("a") for _ in range(4)] == [0, 0, 0, 2]
    clock.at_s = 1.5
    assert allowance.take("a") == 0.5
    clock.at_s = 2
    assert [allowance.take("a"), allowance.take("a")] == [0, 2]
    clock.at_s = 100
    assert [allowance.take("a") for _ in range(4)] == [0, 0, 0, 2]


def test_each_key_has_its_own() -> None:
    allowance = Allowance(Hands(), 1, 10)

    assert [allowance.take(key) for key in "aab"] == [0, 10, 0]


def test_a_flood_of_keys_is_bounded_and_forgets_the_idle_first() -> None:
    allowance = Allowance(Hands(), 1, 10)
    allowance.take("old")
    allowance.take("busy")
    for number in range(9_998):
        allowance.take(str(number))
    assert allowance.take("busy") > 0
    allowance.take("one more")

    assert allowance.take("busy") > 0
    assert allowance.take("old") == 0
