"""Every event comes three times and in any order: each is one message."""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from time import monotonic

import anyio
import pytest
from sqlalchemy import func, select

from messengers.core.callers import OWNER
from messengers.store.tables import InboundRow, MessageRow, table
from tests.core.conftest import House
from tests.fakes.scripted import Platform

pytestmark = pytest.mark.timeout(120)
Scaled = Callable[[int, int], int]
CHATS = 20
AT_ONCE = 25
_LEFT = select(func.count().label("count")).where(table(InboundRow).c.state != "done")
_STORED = select(table(MessageRow).c.native_id, table(MessageRow).c.instance_id)


async def deliver(house: House, platform: Platform, numbers: Sequence[int]) -> float:
    """Two workers bring them in, a few at a time; the seconds until all are understood."""
    began_s = monotonic()
    halves = numbers[::2], numbers[1::2]

    async def bring(mine: Sequence[int]) -> None:
        for start in range(0, len(mine), AT_ONCE):
            async with anyio.create_task_group() as few:
                for number in mine[start : start + AT_ONCE]:
                    few.start_soon(platform.say, f"{number}", f"chat{number % CHATS}")

    async with anyio.create_task_group() as workers:
        for half in halves:
            workers.start_soon(bring, half)

    async def understood() -> bool | None:
        row = await house.core.store.row(_LEFT)
        return True if row and row["count"] == 0 else None

    assert await house.core.events.wait(understood, 100)
    return monotonic() - began_s


@pytest.mark.case("F06")
@pytest.mark.soak
async def test_a_storm_of_duplicates_is_stored_once(house: House, scaled: Scaled) -> None:
    count, seed = scaled(2_000, 10_000), random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - a failure is repeated by it
    numbers = list(range(count))
    storm = numbers * 3
    random.Random(seed).shuffle(storm)
    single_s = await deliver(house, house.bot, numbers)

    storm_s = await deliver(house, house.personal, storm)

    # Two of three change nothing. The short form is too short for a close figure.
    assert storm_s < scaled(6, 2) * single_s
    rows = await house.core.store.rows(_STORED)
    stored = Counter(row["instance_id"] for row in rows)
    assert set(stored.values()) == {count}
    assert len({(row["instance_id"], row["native_id"]) for row in rows}) == 2 * count
    events = house.core.events
    received = await events.since(OWNER, 0, limit=3 * count, kind="message.received")
    assert len(received) == 2 * count
    print(f"{count} in {single_s:.2f} s, three times in {storm_s:.2f} s")  # noqa: T201 - the figures of the run
