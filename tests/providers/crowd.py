"""A daemon of its own process, for many accounts at once: what it holds, and how soon it ends."""

import sys
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import Process

from messengers.lock import recorded
from messengers.settings import Settings
from tests.process.conftest import Daemon, control_of

__all__ = ["ENDING_S", "Apart", "apart"]

ENDING_S = 5
"""Two where the machine has nothing else to do."""


@dataclass
class Apart:
    """The daemon, and its process as the system sees it."""

    daemon: Daemon
    process: Process

    def resident_mb(self) -> float:
        """What it holds in memory."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text("ascii").split()[1])
        return pages * 4096 / 1e6

    async def ended_s(self) -> float:
        """Stop it as its owner does; how long that took."""
        began_s = time.monotonic()
        await self.daemon.ask("POST", "/stop")
        await self.process.wait()
        return time.monotonic() - began_s


@asynccontextmanager
async def apart(home: Path, environment: dict[str, str]) -> AsyncGenerator[Apart]:
    """One that is ready."""
    line = ["-m", "messengers", "serve", "--home", str(home), "--port", "0"]
    async with await anyio.open_process([sys.executable, *line], env=environment) as process:
        assert process.stdout is not None
        with anyio.fail_after(30):
            assert (await process.stdout.receive()).startswith(b"Messengers is ready")
        async with control_of(home) as control:
            daemon = Daemon(Settings.load(home=home), str(recorded(home)["url"]), control)
            yield Apart(daemon, process)
        if process.returncode is None:
            process.kill()
