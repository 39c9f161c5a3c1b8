"""Daemons on fresh data directories: in this process where that shows the property, as real
subprocesses where it does not."""

import json
import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import pytest
from anyio.abc import ByteReceiveStream, Process

from messengers.daemon import Mode, serve
from messengers.home import DAEMON_FILE
from messengers.lock import locked, recorded
from messengers.settings import Settings

INITIALIZE = {
    "jsonrpc": "2.0",
    "id": "hello",
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}
INITIALIZED = {"jsonrpc": "2.0", "method": "notifications/initialized"}


@dataclass
class Daemon:
    """A daemon that runs, and the ways in."""

    settings: Settings
    url: str
    control: httpx2.AsyncClient

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def local_key(self) -> str:
        return (self.home / "local.key").read_text("ascii").strip()

    async def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """A question over the control socket that must be answered."""
        answer = await self.control.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    async def key(self, preset: str = "messenger", name: str = "test") -> str:
        made = await self.ask("POST", "/keys", {"name": name, "preset": preset})
        return str(made["secret"])


StartDaemon = Callable[..., AbstractAsyncContextManager[Daemon]]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def start_daemon(home: Path) -> StartDaemon:
    """`async with start_daemon(host=…)`: a daemon in this process, stopped as its owner would."""

    @asynccontextmanager
    async def started(**flags: object) -> AsyncGenerator[Daemon]:
        settings = Settings.load(**{"home": home, "port": 0, **flags})
        ready = anyio.Event()
        urls: list[str] = []

        def note(url: str) -> None:
            urls.append(url)
            ready.set()

        with locked(settings.home):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(serve, settings, Mode(ready=note))
                with anyio.fail_after(15):
                    await ready.wait()
                async with control_of(settings.home) as control:
                    yield Daemon(settings, urls[0], control)
                    with suppress(httpx2.TransportError):
                        await control.post("/stop")

    return started


@pytest.fixture
async def daemon(start_daemon: StartDaemon) -> AsyncIterator[Daemon]:
    async with start_daemon() as started:
        yield started


def control_of(home: Path) -> httpx2.AsyncClient:
    """The command line's side of the control socket."""
    transport = httpx2.AsyncHTTPTransport(uds=str(recorded(home)["control"]))
    return httpx2.AsyncClient(transport=transport, base_url="http://messengers", timeout=10)


class Pump:
    """A `messengers stdio` as a client runs it."""

    def __init__(self, process: Process) -> None:
        self.process = process
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._buffer = b""

    async def send(self, message: object) -> None:
        await self._stdin.send(json.dumps(message).encode() + b"\n")

    async def send_bytes(self, data: bytes) -> None:
        await self._stdin.send(data)

    async def close_stdin(self) -> None:
        await self._stdin.aclose()

    async def line(self) -> bytes:
        """The next line of stdout. Raises EndOfStream."""
        while b"\n" not in self._buffer:
            self._buffer += await self._stdout.receive()
        line, self._buffer = self._buffer.split(b"\n", 1)
        return line

    async def receive(self) -> Any:  # noqa: ANN401 - JSON
        return json.loads(await self.line())

    async def call(self, request: Mapping[str, object]) -> Any:  # noqa: ANN401 - JSON
        """Send a request and wait for its answer; what comes between is dropped."""
        await self.send(request)
        while (answer := await self.receive()).get("id") != request["id"]:
            pass
        return answer

    async def open(self) -> None:
        """The handshake of a client of 2025."""
        answer = await self.call(INITIALIZE)
        assert answer["result"]["serverInfo"]["name"] == "messengers"
        await self.send(INITIALIZED)

    async def stderr(self) -> str:
        return (await drained(self._stderr)).decode()

    async def stdout(self) -> bytes:
        return self._buffer + await drained(self._stdout)


async def drained(stream: ByteReceiveStream) -> bytes:
    data = b""
    with suppress(anyio.EndOfStream):
        while True:
            data += await stream.receive()
    return data


RunPump = Callable[..., AbstractAsyncContextManager[Pump]]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """What a client passes on: no variable of ours, a user directory of the test's own."""
    kept = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - to run programs as from a shell
        if not name.startswith(("MESSENGERS_", "XDG_"))
    }
    return {**kept, "HOME": str(tmp_path)}


@pytest.fixture
def run_pump(home: Path, environment: dict[str, str]) -> RunPump:
    """`async with run_pump("--preset", "reader")`: the pump as a subprocess on this home."""

    @asynccontextmanager
    async def run(*arguments: str, **variables: str) -> AsyncGenerator[Pump]:
        command = [sys.executable, "-m", "messengers", "stdio", "--home", str(home), *arguments]
        async with await anyio.open_process(command, env={**environment, **variables}) as process:
            yield Pump(process)
            if process.returncode is None:
                process.kill()

    return run


@pytest.fixture
async def reaped(home: Path) -> AsyncIterator[None]:
    """Daemons that clients start outlive them: end the one of this home after the test."""
    yield
    pid = daemon_pid(home)
    if pid is not None and is_alive(pid):
        os.kill(pid, signal.SIGKILL)


def daemon_pid(home: Path) -> int | None:
    """The process that recorded itself last, alive or not."""
    try:
        return int(json.loads((home / DAEMON_FILE).read_bytes())["pid"])
    except FileNotFoundError:
        return None


async def ended(pid: int) -> None:
    """Wait until a process is no more, whoever its parent is."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    await anyio.wait_readable(descriptor)
    os.close(descriptor)


def text_of(file: str | Path) -> str:
    return Path(file).read_text("utf-8")


def settle(home: Path, settings: str) -> None:
    """Write the settings file of a home."""
    home.mkdir(exist_ok=True)
    (home / "settings.toml").write_text(settings, encoding="utf-8")


def is_alive(pid: int) -> bool:
    """A zombie is dead: only its parent has not looked yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii").rsplit(") ", 1)[1][0] != "Z"
    except FileNotFoundError:
        return False


def tool_call(tool: str, request_id: object = 1, /, **arguments: object) -> dict[str, object]:
    params = {"name": tool, "arguments": arguments}
    return {"jsonrpc": "2.0", "id": request_id, "method": "tools/call", "params": params}
