"""Killed at any moment, again and again: nothing lost, nothing twice, every doubt told."""

import random
from collections import Counter
from collections.abc import Callable

import anyio
import pytest

from tests.crash.laboratory import KINDS, Lab
from tests.fakes.ledger import Kind

pytestmark = pytest.mark.timeout(180)
Scaled = Callable[[int, int], int]
CHATS = 5
CALL_S = 0.02
"""How long the messenger takes for each: long enough to be killed in the middle of."""


@pytest.fixture
def seeds(scaled: Scaled) -> list[int]:
    """Printed where a test fails."""
    found = [random.randrange(2**32) for _ in range(scaled(1, 50))]
    print(f"seeds {found}")  # noqa: T201 - a failure is repeated by them
    return found


async def kill_at_random(lab: Lab, chance: random.Random, times: int) -> list[float]:
    """Kill and start again; how long each time until something left, where something waited."""
    resumed: list[float] = []
    for _ in range(times):
        await anyio.sleep(chance.uniform(0.05, 0.6))
        await lab.kill()
        before = len(lab.book.entries)
        ready_s = await lab.start()
        with anyio.move_on_after(2):
            await lab.book.until(before + 1)
            resumed.append(round(anyio.current_time() - ready_s, 2))
    return resumed


def check_account(lab: Lab, kind: Kind, texts: list[str]) -> Counter[str]:
    """I1 to I4 for one account; returns how many rows ended in which state."""
    states, sent = lab.states(kind), lab.book.texts(kind)
    assert set(states) == set(texts)
    assert [text for text, count in Counter(sent).items() if count > 1] == [], "sent twice"
    accepted = {text for text, state in states.items() if state == "accepted"}
    doubtful = {text for text, state in states.items() if state == "unknown"}
    assert accepted <= set(sent), "lost"
    assert set(sent) - accepted <= doubtful, "sent and not told"
    assert set(texts) == accepted | doubtful
    for chat in range(CHATS):
        mine = [int(text) for text in sent if int(text) % CHATS == chat]
        assert mine == sorted(mine), "out of order"
    return Counter(states.values())


@pytest.mark.case("F07")
@pytest.mark.soak
async def test_killed_while_sending_and_receiving(
    lab: Lab, seeds: list[int], scaled: Scaled
) -> None:
    kills, messages = scaled(2, 20), scaled(20, 400)
    lab.book.delay_s = CALL_S
    await lab.connect(*KINDS)
    texts: list[str] = []
    for seed in seeds:
        new = [str(number) for number in range(len(texts), len(texts) + messages)]
        texts += new
        resumed = await traffic(lab, random.Random(seed), new, kills)
        print(f"seed {seed}: {kills} kills, resumed after {resumed} s")  # noqa: T201 - its figures
    await lab.stop()

    ends = {kind: check_account(lab, kind, texts) for kind in KINDS}
    lab.check()
    assert ends["keyed"] == {"accepted": len(texts)}
    assert ends["plain"]["unknown"] <= lab.kills
    assert ends["noted"]["unknown"] <= lab.kills
    print(ends)  # noqa: T201 - the figures of the run


async def traffic(lab: Lab, chance: random.Random, texts: list[str], kills: int) -> list[float]:
    """Messages both ways while the daemon is killed."""
    resumed: list[float] = []

    async def write(kind: Kind) -> None:
        for text in texts:
            await lab.insist(kind, f"chat{int(text) % CHATS}", text)

    async def hear() -> None:
        for number in range(len(texts) * 5):
            lab.book.say(f"said {number}", f"chat{number % CHATS}")
            await anyio.sleep(0.002)

    async with anyio.create_task_group() as tasks:
        for kind in KINDS:
            tasks.start_soon(write, kind)
        tasks.start_soon(hear)
        resumed += await kill_at_random(lab, chance, kills)
    await lab.settled()
    return resumed
