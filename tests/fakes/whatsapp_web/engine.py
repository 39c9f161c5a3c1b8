"""The real engine in a process of its own, driven by a test through `probe.py`."""

import itertools
import os
import sys
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import asynccontextmanager, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from platform import machine
from signal import SIGSTOP
from subprocess import PIPE
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import anyio
import anyio.abc
import orjson
import pytest
from anyio.streams.buffered import BufferedByteReceiveStream

from tests.fakes.whatsapp_web.devices import Account, Companion
from tests.fakes.whatsapp_web.server import FakeWhatsApp
from tests.programs import ROOT, STRICT_SKIPS

__all__ = ["Engine", "Json", "quick_folder", "require_engine", "running", "start"]

Json: TypeAlias = Any
_LINE_MAX_BYTES = 1 << 24
_PATIENCE_S = 15
_OWN_BUSINESS = {"protocolMessage", "senderKeyDistributionMessage", "messageContextInfo"}
_GLANCE_S = 0.05


def require_engine() -> None:
    """Without the engine, or where it cannot be pointed at the fake, the test skips."""
    if sys.platform != "linux" or machine() not in {"x86_64", "aarch64"}:
        pytest.skip("the WhatsApp engine can be told to trust the fake on Linux only")
    if find_spec("neonize") is None:
        reason = "the WhatsApp engine (neonize) is not installed"
        if STRICT_SKIPS:
            pytest.fail(reason)
        pytest.skip(reason)


@contextmanager
def quick_folder() -> Generator[Path]:
    """In memory where the system has it: an engine that pairs waits for its disk 800 times."""
    memory = Path("/dev/shm")  # noqa: S108 — not a name in it, but a folder made there
    with TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else None) as folder:
        yield Path(folder)


class Engine:
    """Events are kept in their order; `event` takes the first that fits, and waits for it."""

    def __init__(self, process: anyio.abc.Process, log: Path) -> None:
        self._process = process
        self._log = log
        self._numbers = itertools.count(1)
        self._arrived = anyio.Condition()
        self._lines: list[Json] = []

    async def read(self) -> None:
        assert self._process.stdout is not None
        lines = BufferedByteReceiveStream(self._process.stdout)
        while True:
            try:
                line = await lines.receive_until(b"\n", _LINE_MAX_BYTES)
            except (anyio.EndOfStream, anyio.IncompleteRead, anyio.ClosedResourceError):
                return
            async with self._arrived:
                self._lines.append(orjson.loads(line))
                self._arrived.notify_all()

    async def event(
        self, name: str, fits: Callable[[Json], bool] = lambda data: data is not None
    ) -> Json:
        """The data of the next event of that name."""
        line = await self._take(lambda line: line.get("event") == name and fits(line["data"]))
        return line["data"]

    async def message(self) -> Json:
        """The next message event of something people write."""
        return await self.event("Message", lambda data: not set(data["Message"]) <= _OWN_BUSINESS)

    def freeze(self) -> None:
        """It reads and answers nothing more."""
        self._process.send_signal(SIGSTOP)

    async def call(
        self, name: str, *args: Json, timeout_s: float = _PATIENCE_S, **options: Json
    ) -> Json:
        """What the engine's method returns; its exception as a RuntimeError."""
        number = next(self._numbers)
        asked = {"id": number, "call": name, "args": args, "options": options}
        assert self._process.stdin is not None
        await self._process.stdin.send(orjson.dumps(asked) + b"\n")
        line = await self._take(lambda line: line.get("id") == number, timeout_s)
        if "error" in line:
            raise RuntimeError(line["error"])
        return line["result"]

    async def eventually(self, fits: Callable[[Json], bool], name: str, *args: Json) -> Json:
        """Calls until the result fits, for what the engine learns without an event."""
        with anyio.fail_after(_PATIENCE_S):
            while not fits(result := await self.call(name, *args)):  # noqa: ASYNC110 — no event
                await anyio.sleep(_GLANCE_S)
        return result

    async def _take(self, fits: Callable[[Json], bool], timeout_s: float = _PATIENCE_S) -> Json:
        with anyio.fail_after(timeout_s):
            async with self._arrived:
                while True:
                    for number, line in enumerate(self._lines):
                        if fits(line):
                            return self._lines.pop(number)
                    await self._arrived.wait()

    async def logged(self, words: str) -> str:
        """The first line of the engine's log with these words; where it sends no event."""
        with anyio.fail_after(_PATIENCE_S):
            while True:
                for line in self._log.read_text("utf-8").splitlines():
                    if words in line:
                        return line
                await anyio.sleep(_GLANCE_S)

    async def pair(self, whatsapp: FakeWhatsApp, account: Account) -> Companion:
        companion = await whatsapp.scan_qr(await self.event("Qr"), account)
        await self.event("Connected")
        return companion


async def start(whatsapp: FakeWhatsApp, database: Path) -> anyio.abc.Process:
    """With as little environment as the product gives its workers."""
    command = whatsapp.command("tests.fakes.whatsapp_web.probe", str(database), whatsapp.proxy_url)
    environment = {"PATH": os.defpath, "PYTHONPATH": str(ROOT)}
    with _log_of(database).open("wb") as log:
        return await anyio.open_process(
            command, stdin=PIPE, stdout=PIPE, stderr=log, env=environment
        )


def _log_of(database: Path) -> Path:
    return database.with_suffix(".log")


@asynccontextmanager
async def running(whatsapp: FakeWhatsApp, database: Path) -> AsyncGenerator[Engine]:
    """Killed at the end: the engine's threads never finish by themselves."""
    async with await start(whatsapp, database) as process, anyio.create_task_group() as tasks:
        engine = Engine(process, _log_of(database))
        tasks.start_soon(engine.read)
        try:
            yield engine
        finally:
            with suppress(ProcessLookupError):
                process.kill()
