"""How soon a thousand clients of `/events` know what somebody wrote, and what they weigh.

Timed from before the message is sent on a chat page until a client has its event: it is stored,
understood and told in between. The baseline (`benchmarks/echo_stream.py`) stores nothing.
"""

import asyncio
import json
import socket
import sys
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import httpx2
from websockets.asyncio.client import ClientConnection, connect

from benchmarks.clients import daemon, daemon_pid
from benchmarks.figures import Figure, Sizes, median, percentile, progress, resident_mb
from messengers.core.callers import OWNER
from messengers.core.core import open_core
from messengers.lock import recorded
from messengers.settings import Settings

__all__ = ["measure"]

_ROOT = Path(__file__).parents[1]
_PAUSE_S = 0.2
_DEADLINE_S = 60
_TEXT = "Is the blue one still there? " * 4
Say = Callable[[], Awaitable[None]]


class _Client(asyncio.Protocol):
    """A client that notes when its events come, and costs little itself."""

    def __init__(self, crowd: "_Crowd", request: bytes) -> None:
        self._crowd = crowd
        self._request = request

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if b"event: message.received" in data:
            self._crowd.came()
        elif b"event: stream.open" in data:
            self._crowd.opened += 1


class _Crowd:
    """All clients of one server."""

    def __init__(self) -> None:
        self.opened = 0
        self._left = 0
        self._began = 0.0
        self._done = anyio.Event()
        self.delays_ms: list[float] = []

    def came(self) -> None:
        self.delays_ms.append((time.perf_counter() - self._began) * 1000)
        self._left -= 1
        if self._left == 0:
            self._done.set()

    async def join(self, count: int, port: int, key: str) -> list[_Client]:
        """So many open the stream, fifty at a time."""
        lines = ["GET /events?types=message.received HTTP/1.1", f"Host: 127.0.0.1:{port}"]
        lines.append(f"Authorization: Bearer {key}")
        request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        loop, joined = asyncio.get_running_loop(), list[_Client]()
        with anyio.fail_after(_DEADLINE_S):
            while len(joined) < count:
                for _ in range(min(50, count - len(joined))):
                    client = _Client(self, request)
                    await loop.create_connection(lambda made=client: made, "127.0.0.1", port)
                    joined.append(client)
                while self.opened < len(joined):  # noqa: ASYNC110 - a byte that came has no event
                    await anyio.sleep(0.01)
        return joined

    async def hear(self, say: Say, times: int) -> list[float]:
        """Milliseconds until each of them has heard, each time; the first time warms."""
        for number in range(times + 1):
            if number == 1:
                self.delays_ms.clear()
            self._left, self._done = self.opened, anyio.Event()
            self._began = time.perf_counter()
            await say()
            with anyio.fail_after(_DEADLINE_S):
                await self._done.wait()
            await anyio.sleep(_PAUSE_S)
        return self.delays_ms


async def measure(sizes: Sizes) -> list[Figure]:
    """Ours, then the baseline, with as many clients."""
    count, times = sizes.of(1_000, 20), sizes.of(20, 2)
    progress(f"telling {count:,} clients of /events")
    with TemporaryDirectory(prefix="messengers-bench-") as home:
        ours, each_kb = await _ours(home, count, times)
    bare = await _bare(count, times)
    return [
        Figure(
            f"event to {count:,} clients of /events, p95",
            percentile(ours, 95),
            "ms",
            "Starlette with a queue and an encoding for each, storing nothing",
            percentile(bare, 95),
            target=150,
        ),
        Figure("the same, median", median(ours), "ms", "the same", median(bare)),
        Figure("daemon grown for each client of /events", each_kb, "kB", target=50),
    ]


async def _ours(home: str, count: int, times: int) -> tuple[list[float], float]:
    async with open_core(Settings(home=Path(home), timezone="UTC", port=0)) as core:
        await core.instances.create(OWNER, "webchat", "shop", {})
        _, key = await core.keys.create(OWNER, "benchmark", "reader", rate_per_min=count * 2)
    with daemon(home):
        url = str(recorded(Path(home))["url"])
        async with _visitor(url) as page:
            crowd, said = _Crowd(), 0

            async def say() -> None:
                nonlocal said
                said += 1
                frame = {"type": "say", "client_id": f"client-{said:04}", "text": _TEXT}
                await page.send(json.dumps(frame))

            before = resident_mb(daemon_pid(home))
            clients = await crowd.join(count, int(url.rpartition(":")[2]), key)
            delays = await crowd.hear(say, times)
            grown_kb = (resident_mb(daemon_pid(home)) - before) * 1024
            for client in clients:
                client.transport.abort()
            return delays, grown_kb / count


@asynccontextmanager
async def _visitor(url: str) -> AsyncGenerator[ClientConnection]:
    """Somebody on the chat page."""
    async with httpx2.AsyncClient() as client:
        page = await client.get(f"{url}/chat/shop")
    cookie = "; ".join(f"{name}={value}" for name, value in page.cookies.items())
    address = f"ws{url.removeprefix('http')}/chat/shop/ws"
    headers = {"Cookie": cookie}
    async with connect(address, origin=url, additional_headers=headers) as page_socket:
        yield page_socket


async def _bare(count: int, times: int) -> list[float]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "benchmarks.echo_stream", str(port)]
    async with await anyio.open_process(command, cwd=_ROOT, stdout=None, stderr=None) as process:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await _answers(client)
            crowd = _Crowd()

            async def say() -> None:
                await client.post("/say", content=_TEXT)

            clients = await crowd.join(count, port, "none")
            delays = await crowd.hear(say, times)
            for each in clients:
                each.transport.abort()
        process.terminate()
    return delays


async def _answers(client: httpx2.AsyncClient) -> None:
    with anyio.fail_after(_DEADLINE_S):
        while True:
            try:
                await client.get("/say")
            except httpx2.TransportError:
                await anyio.sleep(0.05)
            else:
                return
