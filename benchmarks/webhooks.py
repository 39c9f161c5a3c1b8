"""How soon a messenger's deliveries are acknowledged: verified, durable, and only then answered.

A daemon of its own process, a bot that Telegram delivers to, and as many kept connections as
Telegram opens, spoken in raw bytes, so that no client library's own time is in the figures. The
baseline reads a delivery, answers, and keeps nothing.
"""

import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import anyio
import httpx2
import orjson
from anyio.abc import ByteStream
from anyio.streams.buffered import BufferedByteReceiveStream

from benchmarks.figures import Figure, Sizes, median, percentile, progress
from messengers.home import child_environment
from messengers.lock import recorded
from tests.fakes.telegram import Bot, FakeTelegram, User

__all__ = ["measure"]

_ROOT = Path(__file__).parents[1]
_CONNECTIONS = 40
"""Telegram's own default (setWebhook, max_connections)."""
_RATE = 300
_PUBLIC = "https://bot.example"
_MAX_HEAD_BYTES = 16 * 1024
_PATIENCE_S = 60
_GLANCE_S = 0.02


@dataclass
class _Door:
    """An address that takes deliveries, and how one is written."""

    port: int
    path: str = "/webhooks/bare"
    secret: str = ""
    user: int = 1
    numbers: Iterator[int] = field(default_factory=lambda: count(1))
    delivered: int = 0

    def request(self) -> bytes:
        """A delivery that is not known yet."""
        number = next(self.numbers)
        person = {"id": self.user, "first_name": "Ada", "is_bot": False}
        message = {
            "message_id": number,
            "date": int(time.time()),
            "chat": {"id": self.user, "type": "private", "first_name": "Ada"},
            "from": person,
            "text": f"Is it still there? I would come at five. ({number})",
        }
        body = orjson.dumps({"update_id": number, "message": message})
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"X-Telegram-Bot-Api-Secret-Token: {self.secret}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


async def measure(sizes: Sizes) -> list[Figure]:
    """Ours and the baseline: at Telegram's pace, then as fast as they go."""
    paced, most = sizes.of(_RATE * 20, 60), sizes.of(10_000, 120)
    with _bare() as port:
        progress("delivering to an app that keeps nothing")
        bare, bare_rate = await _measured(_Door(port), paced, most)
    with TemporaryDirectory(prefix="messengers-bench-") as directory:
        home = Path(directory, "home")
        async with _bot(home) as door:
            progress(f"delivering {paced + most:,} updates of Telegram")
            ours, rate = await _measured(door, paced, most)
            stored = _stored(home)
    if stored != door.delivered:
        raise RuntimeError(f"{door.delivered} deliveries were acknowledged, {stored} are stored")
    said, what = f"a delivery, {_RATE} a second, acknowledged after", "an app that keeps nothing"
    return [
        Figure(f"{said}, median", median(ours), "ms", what, median(bare)),
        Figure(f"{said}, p99", percentile(ours, 99), "ms", what, percentile(bare, 99), target=50),
        Figure(
            f"acknowledged deliveries, {_CONNECTIONS} connections",
            rate,
            "deliveries/s",
            what,
            bare_rate,
            target=_RATE,
            sense="at least",
        ),
    ]


async def _measured(door: _Door, paced: int, most: int) -> tuple[list[float], float]:
    """How long each took at the pace, in ms; and how many a second were taken without one."""
    await _deliver(door, _CONNECTIONS, lambda _: 0.0)  # the first of each connection costs more
    at_pace = await _deliver(door, paced, lambda number: number / _RATE)
    began = time.perf_counter()
    await _deliver(door, most, lambda _: 0.0)
    return at_pace, most / (time.perf_counter() - began)


async def _deliver(door: _Door, total: int, at_s: Callable[[int], float]) -> list[float]:
    """So many, each at its time; how long each took from then on, in ms."""
    took: list[float] = []
    numbers, began = iter(range(total)), time.perf_counter()

    async def connection() -> None:
        async with await anyio.connect_tcp("127.0.0.1", door.port) as stream:
            for number in numbers:
                at = began + at_s(number) if at_s(number) else time.perf_counter()
                await anyio.sleep(max(0.0, at - time.perf_counter()))
                await _post(stream, door.request())
                took.append((time.perf_counter() - at) * 1000)
                door.delivered += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(_CONNECTIONS):
            tasks.start_soon(connection)
    return took


async def _post(stream: ByteStream, request: bytes) -> None:
    await stream.send(request)
    reader = BufferedByteReceiveStream(stream)
    head = await reader.receive_until(b"\r\n\r\n", _MAX_HEAD_BYTES)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"a delivery was not taken: {head[:80]!r}")
    lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
    if length := int(lengths[0].split(b":")[1]):
        await reader.receive_exactly(length)


@contextmanager
def _process(line: Sequence[str], environment: dict[str, str]) -> Generator[str]:
    """A server that runs while this lasts; the line that says it is ready."""
    process = subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=_ROOT, env=environment
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().decode()
    finally:
        process.terminate()
        process.wait(_PATIENCE_S)
        process.stdout.close()


@contextmanager
def _bare() -> Generator[int]:
    with _process([sys.executable, "-m", "benchmarks.bare"], child_environment()) as said:
        yield int(said)


@asynccontextmanager
async def _bot(home: Path) -> AsyncGenerator[_Door]:
    """A daemon with a bot to which Telegram delivers."""
    line = [sys.executable, "-m", "messengers", "serve", "--home", str(home), "--port", "0"]
    with _process(line, {**child_environment(), "MESSENGERS_PUBLIC_URL": _PUBLIC}):
        known = recorded(home)
        async with FakeTelegram() as telegram:
            telegram.publish(_PUBLIC, str(known["url"]))
            bot, ada = telegram.add_bot("shop_bot"), telegram.add_user("Ada")
            yield await _door(telegram, bot, ada, known)


async def _door(telegram: FakeTelegram, bot: Bot, ada: User, known: Mapping[str, object]) -> _Door:
    new = {
        "provider": "telegram",
        "name": "shop",
        "credentials": {"token": bot.token, "receive": "webhook"},
        "endpoints": {"api": telegram.url},
    }
    transport = httpx2.AsyncHTTPTransport(uds=str(known["control"]))
    async with httpx2.AsyncClient(transport=transport, base_url="http://messengers") as control:
        made = (await control.post("/instances", json=new, timeout=_PATIENCE_S)).json()
    with anyio.fail_after(_PATIENCE_S):
        while True:
            if bot.webhook:
                break
            await anyio.sleep(_GLANCE_S)
    address = urlsplit(str(known["url"]))
    return _Door(address.port or 0, f"/webhooks/{made['id']}", bot.webhook.secret_token, ada.id)


def _stored(home: Path) -> int:
    """Deliveries that are durable."""
    with closing(sqlite3.connect(home / "messengers.db")) as database:
        return int(database.execute("SELECT count(*) FROM inbound").fetchone()[0])
