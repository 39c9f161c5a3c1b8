"""A real daemon in a process of its own, killed without a warning, and started again."""

import os
import random
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import anyio
import httpx2
import pytest
from anyio.abc import Process
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

from messengers.lock import recorded
from tests.fakes.telegram import FakeTelegram
from tests.process.conftest import control_of

_PATIENCE_S = 60
_GLANCE_S = 0.05
T = TypeVar("T")
Scaled = Callable[[int, int], int]


async def until(found: Callable[[], Awaitable[T | None]]) -> T:
    """Ask until there is something: the process that knows it is another one."""
    with anyio.fail_after(_PATIENCE_S):
        while True:
            result = await found()
            if result is not None:
                return result
            await anyio.sleep(_GLANCE_S)


@dataclass
class Daemon:
    """`messengers serve` on one data directory, as often as it is started."""

    home: Path
    process: Process | None = None

    async def start(self) -> None:
        """Returns once it answers."""
        kept = {"MESSENGERS_PRESET": "admin", "MESSENGERS_BULK_PER_MINUTE": "100000"}
        environment = {**os.environ, **kept}  # noqa: TID251 - what a person's shell has
        command = [sys.executable, "-m", "messengers", "serve", "--port", "0"]
        self.process = await anyio.open_process(
            [*command, "--home", str(self.home)], env=environment, stderr=None
        )
        assert self.process.stdout is not None
        with anyio.fail_after(_PATIENCE_S):
            assert (await self.process.stdout.receive()).startswith(b"Messengers is ready")

    async def kill(self) -> None:
        """SIGKILL, and nothing of it is left."""
        if self.process is not None and self.process.returncode is None:
            self.process.send_signal(signal.SIGKILL)
            await self.process.aclose()

    async def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        async with control_of(self.home) as control:
            answer = await control.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    @asynccontextmanager
    async def agent(self) -> AsyncGenerator[Client]:
        key = (self.home / "local.key").read_text("ascii").strip()
        headers = {"Authorization": f"Bearer {key}"}
        url = f"{recorded(self.home)['url']}/mcp"
        async with (
            httpx2.AsyncClient(headers=headers, timeout=60) as http,
            Client(streamable_http_client(url, http_client=http)) as client,
        ):
            yield client


@pytest.fixture
async def daemon(tmp_path: Path) -> AsyncIterator[Daemon]:
    daemon = Daemon(tmp_path / "home")
    await daemon.start()
    yield daemon
    await daemon.kill()


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as telegram:
        yield telegram


@pytest.fixture
def chance() -> random.Random:
    """Its seed is printed where a test fails."""
    seed = random.randrange(2**32)
    print(f"seed {seed}")  # noqa: T201 - pytest shows it with a failure
    return random.Random(seed)
