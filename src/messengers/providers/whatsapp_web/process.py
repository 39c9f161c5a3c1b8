"""A worker as its daemon sees it: started, asked, listened to, killed.

The worker gets a minimal environment and its session file's path, nothing else. It is killed when
its instance stops, and ends by itself when the daemon is gone, because its stdin ends then.
"""

import logging
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import anyio
import orjson
from anyio.abc import Process
from anyio.streams.buffered import BufferedByteReceiveStream

from messengers import home
from messengers.errors import (
    MessengersError,
    NotConnected,
    NotFound,
    NotReady,
    PlatformRefused,
    Uncertain,
    Unreachable,
    Unsupported,
)
from messengers.providers.whatsapp_web.protocol import ErrorKind
from messengers.redaction import redact

__all__ = ["COMMAND", "Worker", "start"]

log = logging.getLogger(__name__)
COMMAND: Sequence[str] = (sys.executable, "-m", "messengers.providers.whatsapp_web.worker")
_MAX_LINE = 192 * 1024 * 1024
"""Bytes: the largest file that may be downloaded, in base64."""
_MAX_LAST_WORDS = 4_000
_MEMORY = {"GOMEMLIMIT": "48MiB", "GOGC": "50", "MALLOC_ARENA_MAX": "1"}
"""What the engine's collector aims at; else it keeps the 250 MB that a large history once took.
And one heap for what is C, instead of one for each thread."""
_BATCH = 100
"""Events that are handed on at once, so that their commits are shared."""

Event = Mapping[str, Any]


class Worker:
    """A running worker."""

    def __init__(self, process: Process) -> None:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise TypeError("a worker has three pipes")
        self._process = process
        self._stdin = process.stdin
        self._stderr = process.stderr
        self._lines = BufferedByteReceiveStream(process.stdout)
        self._numbers = count(1)
        self._sending = anyio.Lock()
        self._waiting: dict[int, Callable[[Mapping[str, Any]], None]] = {}
        self._last_words = ""
        self.gone = False
        """Nothing will be answered any more."""

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, call: str, deadline_s: float, **given: object) -> Any:  # noqa: ANN401 - any JSON
        """One call and its answer.

        Raises what the worker says of it; Uncertain when there is no answer in time, or the worker
        ends before it.
        """
        number = next(self._numbers)
        answered = anyio.Event()
        answers: list[Mapping[str, Any]] = []

        def take(answer: Mapping[str, Any]) -> None:
            answers.append(answer)
            answered.set()

        if self.gone:
            raise NotConnected("WhatsApp is not connected at the moment.", "Try again.")
        self._waiting[number] = take
        try:
            async with self._sending:
                with anyio.CancelScope(shield=True):  # half a line would be the end of them all
                    request = {"id": number, "call": call, "with": given}
                    await self._stdin.send(orjson.dumps(request) + b"\n")
            with anyio.fail_after(deadline_s):
                await answered.wait()
        except (TimeoutError, anyio.BrokenResourceError, anyio.ClosedResourceError) as exc:
            raise Uncertain("WhatsApp did not answer in time.", "Look at the phone.") from exc
        finally:
            self._waiting.pop(number, None)
        if not answers:
            raise Uncertain("The worker ended before it answered.", "Look at the phone.")
        return _value(answers[0])

    async def batches(self) -> AsyncIterator[list[Event]]:
        """What happened, in order, as many at once as are there; ends with the worker."""
        try:
            while True:
                batch = [await self._line()]
                while len(batch) < _BATCH and b"\n" in self._lines.buffer:
                    batch.append(await self._line())
                events = [each for each in batch if not self._is_answer(each)]
                if events:
                    yield events
        except (anyio.IncompleteRead, anyio.ClosedResourceError, anyio.BrokenResourceError):
            return

    async def _line(self) -> Event:
        return orjson.loads(await self._lines.receive_until(b"\n", _MAX_LINE))

    def _is_answer(self, line: Event) -> bool:
        if "id" not in line or "event" in line:
            return False
        take = self._waiting.get(line["id"])
        if take is not None:
            take(line)
        return True

    def lost(self) -> None:
        """Whoever waits for an answer is told that there will be none."""
        self.gone = True
        for number in tuple(self._waiting):
            take = self._waiting.pop(number)
            take({"error": "lost"})

    def end(self) -> None:
        """Kill it; `batches` ends then."""
        self._process.kill()

    async def listen_for_last_words(self) -> None:
        """Keep the end of what the engine writes to its stderr, for when it crashes."""
        async for chunk in self._stderr:
            said = self._last_words + chunk.decode("utf-8", "replace")
            self._last_words = said[-_MAX_LAST_WORDS:]

    def last_words(self) -> str:
        """The first line of a crash, redacted; '' without one. The rest may hold anything."""
        lines = self._last_words.splitlines()
        marks = ("panic:", "fatal error:", "SIG", "Error")
        return next((redact(line)[:200] for line in lines if any(m in line for m in marks)), "")


@asynccontextmanager
async def start(session: Path) -> AsyncGenerator[Worker]:
    """Run a worker on a session file, and kill it on the way out."""
    command = [*COMMAND, str(session)]
    theirs = home.child_environment()
    environment = {name: theirs[name] for name in theirs if not name.startswith("MESSENGERS_")}
    environment |= _MEMORY
    try:
        process = await anyio.open_process(
            command, env=environment, cwd=session.parent, start_new_session=True
        )
    except OSError as exc:
        raise NotReady("The WhatsApp worker cannot be started.", str(exc.strerror)) from exc
    worker = Worker(process)
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(worker.listen_for_last_words)
            yield worker
            tasks.cancel_scope.cancel()
    finally:
        worker.lost()
        with anyio.CancelScope(shield=True):
            if process.returncode is None:
                process.kill()
            await process.aclose()


_ERRORS: Mapping[ErrorKind, tuple[type[MessengersError], str]] = {
    "refused": (PlatformRefused, "WhatsApp refused"),
    "unreachable": (Unreachable, "WhatsApp cannot be reached"),
    "uncertain": (Uncertain, "WhatsApp did not confirm"),
    "not_ready": (NotConnected, "WhatsApp is not connected"),
    "unsupported": (Unsupported, "That cannot be done"),
    "gone": (NotFound, "WhatsApp knows no such thing"),
}


def _value(answer: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any JSON
    if "ok" in answer:
        return answer["ok"]
    if answer["error"] == "lost":
        raise Uncertain("The worker ended before it answered.", "Look at the phone.")
    kind, sentence = _ERRORS[answer["error"]]
    raise kind(f"{sentence}: {redact(answer['why'])}.")
