"""Traffic for a long time: memory, files and threads stay as they are, and nothing gets slower."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import linear_regression
from time import monotonic

import anyio
import pytest

from benchmarks.figures import percentile
from messengers.lock import recorded
from tests.crash.laboratory import Lab

pytestmark = pytest.mark.timeout(180)
Scaled = Callable[[int, int], int]
Act = Callable[[], Awaitable[object]]
PAGE_BYTES = 4096
CHATS = 50
FOLLOWERS, COME_AND_GO = 100, 10
"""Of /events: how many at once in the long form, and how many a second."""
WARM_UP, WARM_UP_S = 6, 300
"""How many times the traffic comes before anything is measured, and for how long."""
WAL_BYTES = 64 * 1024 * 1024


@dataclass
class Course:
    """What the daemon took at each moment, and how long calls waited."""

    pid: int
    wal: Path
    at_h: list[float] = field(default_factory=list[float])
    resident_mb: list[float] = field(default_factory=list[float])
    files: list[int] = field(default_factory=list[int])
    threads: list[int] = field(default_factory=list[int])
    wal_bytes: list[int] = field(default_factory=list[int])
    waited_ms: list[float] = field(default_factory=list[float])

    def look(self) -> None:
        process = Path("/proc", str(self.pid))
        self.at_h.append(monotonic() / 3600)
        self.resident_mb.append(
            int((process / "statm").read_text("ascii").split()[1]) * PAGE_BYTES / 2**20
        )
        self.files.append(len(list((process / "fd").iterdir())))
        self.threads.append(len(list((process / "task").iterdir())))
        self.wal_bytes.append(self.wal.stat().st_size if self.wal.exists() else 0)

    def slope_mb_h(self) -> float:
        """How much more memory an hour takes, after a sixth of the time for what is kept ready."""
        start = len(self.at_h) // 6
        return linear_regression(self.at_h[start:], self.resident_mb[start:]).slope

    def drift(self) -> float:
        """The last quarter's p99 of what calls wait, in parts of the second quarter's."""
        quarter = len(self.waited_ms) // 4
        early = percentile(self.waited_ms[quarter : 2 * quarter], 99)
        return percentile(self.waited_ms[-quarter:], 99) / early


async def during(seconds: int, acts: Sequence[tuple[int, Act]]) -> None:
    """For so long, of each so many a second."""
    with anyio.move_on_after(seconds) as time_is_up:
        async with anyio.create_task_group() as tasks:
            for rate, act in acts:
                tasks.start_soon(every, 1 / rate, act)
    assert time_is_up.cancelled_caught


async def every(seconds: float, act: Act) -> None:
    """Do it at a steady pace; until cancelled."""
    began, number = anyio.current_time(), 0
    while True:
        await act()
        number += 1
        await anyio.sleep(max(0.0, began + number * seconds - anyio.current_time()))


async def glance(lab: Lab, seconds: int) -> None:
    """Somebody follows /events for so long and is gone."""
    known = recorded(lab.home)
    key = (lab.home / "local.key").read_text("ascii").strip()
    lines = ["GET /events HTTP/1.1", f"Host: 127.0.0.1:{known['port']}"]
    lines.append(f"Authorization: Bearer {key}")
    async with await anyio.connect_tcp("127.0.0.1", int(str(known["port"]))) as stream:
        await stream.send(("\r\n".join(lines) + "\r\n\r\n").encode())
        with anyio.move_on_after(seconds):
            while True:
                await stream.receive()


@pytest.mark.case("F29")
@pytest.mark.soak
async def test_traffic_leaves_nothing_behind(lab: Lab, scaled: Scaled) -> None:
    seconds, stay_s = scaled(6, 3_600), scaled(1, FOLLOWERS // COME_AND_GO)
    await lab.connect("keyed", "plain")
    await lab.insist("plain", "chat0", "first")
    assert lab.process is not None
    course = Course(lab.process.pid, lab.home / "messengers.db-wal")
    course.look()
    numbers, written = count(), list[str]()

    async def write() -> None:
        began, text = monotonic(), f"sent {next(numbers)}"
        await lab.insist("plain", f"chat{len(written) % CHATS}", text)
        course.waited_ms.append((monotonic() - began) * 1000)
        written.append(text)

    async def say() -> None:
        number = next(numbers)
        lab.book.say(f"said {number} of many", f"chat{number % CHATS}")

    async def search() -> None:
        found = await lab.call("search_messages", query="many")
        assert not found.get("isError"), found

    async def look() -> None:
        await search()
        course.look()

    async with anyio.create_task_group() as tasks:

        async def follow() -> None:
            tasks.start_soon(glance, lab, stay_s)

        # What is kept ready (pages of the database, statements, short strings) has an end, which
        # it reaches by the number of messages: at the pace of the test, in hours.
        following = (COME_AND_GO, follow)
        much = [(50, say), (5, write), (1, search)] * WARM_UP
        await during(scaled(2, WARM_UP_S), [*much, following])
        course.waited_ms.clear()
        await during(seconds, [(50, say), (5, write), (1, look), following])
    await lab.settled()
    await lab.until(lambda: len(list(Path(f"/proc/{course.pid}/fd").iterdir())) <= course.files[0])
    course.look()
    await lab.stop()

    lab.check()
    assert set(written) <= set(lab.book.texts("plain"))
    assert len(lab.book.texts("plain")) == len(set(lab.book.texts("plain")))
    assert max(course.wal_bytes) < WAL_BYTES
    assert course.threads[-1] <= max(course.threads[:3])
    # Seconds tell no slope: there it is 60 MB at most, and calls that do not stall.
    assert course.slope_mb_h() < scaled(60 * 3_600 // seconds, 1)
    assert course.drift() < scaled(50, 2)
    told = f"{len(lab.book.said)} in, {len(written)} out, {course.resident_mb[0]:.1f} MB at first"
    after = f"{course.slope_mb_h():.2f} MB an hour, p99 of calls {course.drift():.2f} times"
    print(f"{told}, {course.resident_mb[-1]:.1f} at last, {after}")  # noqa: T201 - its figures
