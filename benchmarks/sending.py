"""What sending costs beyond the messenger's own answer, and how fast a bulk send leaves.

A daemon of its own process and a messenger that writes down what it is made to send, over loopback.
Every message is stored, claimed and settled, each of which is durable before the next begins. The
baseline hands the same messages to the same messenger and stores nothing.
"""

import os
import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx2
from anyio import to_thread

from benchmarks.clients import Lines, server
from benchmarks.figures import Figure, Sizes, median, percentile, progress
from messengers.home import child_environment
from messengers.lock import recorded
from tests.fakes.ledger_book import Ledger, ledger

__all__ = ["measure"]

_ROOT = Path(__file__).parents[1]
_PATHS = (_ROOT / "tests" / "crash" / "site", _ROOT)
_PATIENCE_S = 60
_GLANCE_S = 0.02
_BATCH = 100
"""Recipients of one bulk send."""
_AT_ONCE = 8
"""Calls that the engine has open where a key makes a second call the same message."""


async def measure(sizes: Sizes) -> list[Figure]:
    """Ours and the baseline: one after the other, then all at once."""
    single, batches = sizes.of(300, 5), sizes.of(15, 1)
    with TemporaryDirectory(prefix="messengers-bench-") as directory:
        async with ledger() as book, _daemon(Path(directory, "home"), book) as lines:
            progress(f"sending {single} messages and {batches} times {_BATCH}")
            bare, bare_rate = await _bare(book, single)
            ours = [await _send(lines, number) for number in range(single)]
            rate = await _bulk(lines, book, batches)
    added = [took - median(bare) for took in ours]
    what = "handing it to the messenger, storing nothing"
    return [
        Figure(
            "send_message over stdio, accepted after, median",
            median(ours),
            "ms",
            what,
            median(bare),
        ),
        Figure(
            "of that, beyond the messenger's own answer, median", median(added), "ms", target=10
        ),
        Figure("the same, p99", percentile(added, 99), "ms"),
        Figure(
            f"a bulk send to {_BATCH} chats, from the call to the last arrival",
            rate,
            "messages/s",
            f"the same, {_AT_ONCE} at once, storing nothing",
            bare_rate,
            target=200,
            sense="at least",
        ),
    ]


async def _bare(book: Ledger, single: int) -> tuple[list[float], float]:
    """How long the messenger takes for one, in ms; and how many it takes a second."""
    took: list[float] = []
    numbers = count()

    async def post(client: httpx2.AsyncClient) -> None:
        body = {"kind": "bare", "chat": "ann", "text": "hello", "key": f"bare{next(numbers)}"}
        began = time.perf_counter()
        await client.post("/send", json=body)
        took.append((time.perf_counter() - began) * 1000)

    async def some(client: httpx2.AsyncClient) -> None:
        for _ in range(_BATCH // _AT_ONCE):
            await post(client)

    async with httpx2.AsyncClient(base_url=book.url) as client:
        for _ in range(single):
            await post(client)
        one_by_one = list(took)
        began = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for _ in range(_AT_ONCE):
                tasks.start_soon(some, client)
        made = len(took) - len(one_by_one)
    return one_by_one, made / (time.perf_counter() - began)


async def _send(lines: Lines, number: int) -> float:
    """Milliseconds until the messenger's answer is told to the client."""
    to = {"chat": f"to:p{number}", "instance": "bench", "text": f"hello {number}"}
    return await to_thread.run_sync(lambda: lines.call("send_message", **to)) * 1000


async def _bulk(lines: Lines, book: Ledger, batches: int) -> float:
    """Messages a second, over some bulk sends one after the other."""
    took = 0.0
    for batch in range(batches):
        recipients = [{"chat": f"to:b{batch}x{number}"} for number in range(_BATCH)]
        asked = {
            "instance": "bench",
            "text": f"news {batch}",
            "recipients": recipients,
            "wait_s": 0,
        }
        expected = len(book.entries) + _BATCH
        began = time.perf_counter()
        await to_thread.run_sync(lambda asked=asked: lines.call("send_bulk", **asked))
        with anyio.fail_after(_PATIENCE_S):
            await book.until(expected)
        took += time.perf_counter() - began
    return batches * _BATCH / took


@asynccontextmanager
async def _daemon(home: Path, book: Ledger) -> AsyncGenerator[Lines]:
    """A client of a daemon with one account in which an agent may write to anybody."""
    own = {
        "PYTHONPATH": os.pathsep.join(map(str, _PATHS)),
        "MESSENGERS_PRESET": "admin",
        "MESSENGERS_BULK_PER_MINUTE": "100000",
    }
    line = [sys.executable, "-m", "messengers", "serve", "--home", str(home), "--port", "0"]
    process = await anyio.open_process(line, env={**child_environment(), **own}, stderr=None)
    try:
        assert process.stdout is not None
        await process.stdout.receive()
        await _connect(str(recorded(home)["control"]), book)
        with server([sys.executable, "-m", "messengers", "stdio"], str(home)) as lines:
            await to_thread.run_sync(lines.greet)
            yield lines
    finally:
        process.terminate()
        await process.wait()


async def _connect(control: str, book: Ledger) -> None:
    new = {
        "provider": "ledger_keyed",
        "name": "bench",
        "confirm": "never",
        "endpoints": {"api": book.url},
    }
    transport = httpx2.AsyncHTTPTransport(uds=control)
    async with httpx2.AsyncClient(transport=transport, base_url="http://messengers") as client:
        (await client.post("/instances", json=new, timeout=_PATIENCE_S)).raise_for_status()
        with anyio.fail_after(_PATIENCE_S):
            while True:
                told = (await client.get("/instances/bench")).json()
                if told["health"]["lifecycle"] == "connected":
                    return
                await anyio.sleep(_GLANCE_S)
