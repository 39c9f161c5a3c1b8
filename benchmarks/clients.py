"""What an MCP client waits for over stdio, and what the daemon weighs while nothing happens.

Spoken in raw lines, so that no client library's own time is in the figures. The baseline is the
bare SDK with one echoing tool (`benchmarks/echo.py`), started and called the same way.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import archive
from benchmarks.figures import Figure, Sizes, median, progress, resident_mb
from messengers.core.core import open_core
from messengers.home import DAEMON_FILE, child_environment
from messengers.settings import Settings

__all__ = ["Lines", "daemon", "daemon_pid", "measure", "server"]

_ROOT = Path(__file__).parents[1]
_BARE = [sys.executable, "-m", "benchmarks.echo"]
_OURS = [sys.executable, "-m", "messengers", "stdio"]
_HELLO = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "benchmark", "version": "1"},
}
_BLOCK = 50
_SETTLE_S = 3.0
_END_S = 15.0


class Lines:
    """An MCP server as a subprocess, one JSON object a line."""

    def __init__(self, command: Sequence[str], home: str = "") -> None:
        env = {**child_environment(), "MESSENGERS_PORT": "0", "MESSENGERS_HOME": home}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=_ROOT, env=env
        )
        self._id = 0

    def request(self, method: str, **params: Any) -> Any:  # noqa: ANN401 - any JSON
        """The result; notifications on the way are passed over."""
        self._id += 1
        self._write({"id": self._id, "method": method, "params": params})
        assert self._process.stdout is not None
        while True:
            line = self._process.stdout.readline()
            if not line:
                raise RuntimeError(f"the server ended during {method}")
            answer = json.loads(line)
            if answer.get("id") == self._id:
                return answer["result"]

    def greet(self) -> None:
        """The handshake of the era that most clients still speak."""
        self.request("initialize", **_HELLO)
        self._write({"method": "notifications/initialized"})

    def call(self, tool: str, **arguments: object) -> float:
        """Seconds that a call took."""
        began = time.perf_counter()
        result = self.request("tools/call", name=tool, arguments=arguments)
        took = time.perf_counter() - began
        if result.get("isError"):
            raise RuntimeError(result["content"][0]["text"])
        return took

    def end(self) -> None:
        """Close its stdin and wait."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_END_S)
        assert self._process.stdout is not None
        self._process.stdout.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    def _write(self, message: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self._process.stdin.flush()


@contextmanager
def server(command: Sequence[str], home: str = "") -> Generator[Lines]:
    """An MCP server of its own process, ended with its stdin."""
    lines = Lines(command, home)
    try:
        yield lines
    finally:
        lines.end()


async def measure(sizes: Sizes) -> list[Figure]:
    """Cold starts, starts beside a daemon, calls, memory."""
    with TemporaryDirectory(prefix="messengers-bench-") as home:
        async with open_core(Settings(home=Path(home), timezone="UTC", port=0)) as core:
            await archive.build(core, sizes.of(20_000, 500), sizes.of(200, 20))
        cold = _cold_starts(home, sizes.of(5, 1))
        with daemon(home):
            return [cold, *_idle(home, sizes), _warm_starts(home, sizes), *_calls(home, sizes)]


def _cold_starts(home: str, rounds: int) -> Figure:
    progress("starting without a daemon")
    ours = [_cold_start(home) for _ in range(rounds)]
    bare = [_first_tools(_BARE) for _ in range(rounds)]
    return Figure(
        "stdio start without a daemon, to tools/list",
        median(ours),
        "ms",
        "bare MCPServer echo",
        median(bare),
        target=2_000,
    )


def _cold_start(home: str) -> float:
    took = _first_tools(_OURS, home)
    _stop_daemon(home)
    return took


def _first_tools(command: Sequence[str], home: str = "") -> float:
    """Milliseconds from the start of the process to its list of tools."""
    began = time.perf_counter()
    with server(command, home) as lines:
        lines.greet()
        lines.request("tools/list")
        return (time.perf_counter() - began) * 1000


def _warm_starts(home: str, sizes: Sizes) -> Figure:
    """Started in turn, so that both meet the same moments of a busy machine."""
    progress("starting beside a daemon")
    ours, bare = list[float](), list[float]()
    for _ in range(sizes.of(20, 2)):
        ours.append(_first_answer(_OURS, home))
        bare.append(_first_answer(_BARE))
    return Figure(
        "stdio start with a daemon, to the first answer",
        median(ours),
        "ms",
        "bare MCPServer echo",
        median(bare),
        target=0.2,
        of="ratio",
    )


def _first_answer(command: Sequence[str], home: str = "") -> float:
    began = time.perf_counter()
    with server(command, home) as lines:
        lines.request("initialize", **_HELLO)
        return (time.perf_counter() - began) * 1000


def _calls(home: str, sizes: Sizes) -> list[Figure]:
    """Calls one after the other, in alternating blocks."""
    progress("calling tools")
    chats, recent, bare = list[float](), list[float](), list[float]()
    with server(_OURS, home) as ours, server(_BARE) as echo:
        ours.greet()
        echo.greet()
        for block in range(sizes.of(12, 2)):
            found = [ours.call("list_chats") for _ in range(_BLOCK)]
            echoed = [echo.call("echo", text="hello") for _ in range(_BLOCK)]
            read = [ours.call("list_recent_messages", since="2023-01-01") for _ in range(5)]
            if block:  # the first block warms both
                chats, recent, bare = chats + found, recent + read, bare + echoed
    return [
        Figure(
            "sequential tools/call of list_chats over stdio",
            1 / median(chats),
            "calls/s",
            "bare MCPServer echo over stdio",
            1 / median(bare),
            target=0.6,
            sense="at least",
            of="ratio",
        ),
        Figure("list_recent_messages over stdio", median(recent) * 1000, "ms"),
    ]


def _idle(home: str, sizes: Sizes) -> list[Figure]:
    progress("weighing the daemon")
    with server(_OURS, home) as lines, server(_BARE) as echo:
        lines.greet()
        lines.call("list_chats")
        echo.greet()
        time.sleep(sizes.of(1, 0) * _SETTLE_S)
        daemon, pump, bare = (
            resident_mb(daemon_pid(home)),
            resident_mb(lines.pid),
            resident_mb(echo.pid),
        )
    return [
        Figure("daemon idle, resident", daemon, "MB", "bare MCPServer echo", bare, target=130),
        Figure("stdio process, resident", pump, "MB", "bare MCPServer echo", bare),
    ]


@contextmanager
def daemon(home: str) -> Generator[None]:
    """A daemon that runs while this lasts."""
    _first_tools(_OURS, home)
    try:
        yield
    finally:
        _stop_daemon(home)


def daemon_pid(home: str) -> int:
    """The process that serves a home."""
    return int(json.loads(Path(home, DAEMON_FILE).read_text("utf-8"))["pid"])


def _stop_daemon(home: str) -> None:
    """SIGTERM, then wait until the data directory is free again."""
    pid = daemon_pid(home)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + _END_S
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.02)
    raise RuntimeError("the daemon did not end")
