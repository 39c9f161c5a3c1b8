"""A program that is given bytes and says something: fed, listened to, ended in any case.

It gets a minimal environment and a session of its own, so that what it started ends with it.
"""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import anyio
from anyio.abc import Process

from messengers import home
from messengers.errors import NotReady

__all__ = ["Said", "ask_program"]


@dataclass(frozen=True, slots=True)
class Said:
    """What a program wrote until it ended or was ended."""

    out: bytes
    code: int | None
    """Its exit code; None: it was ended, because the time was up or it said too much."""


async def ask_program(
    command: Sequence[str], given: bytes, *, deadline_s: float, max_bytes: int
) -> Said:
    """Give a program `given` on stdin; what it writes to stdout, at most `max_bytes`.

    Raises NotReady: it cannot be started.
    """
    theirs = home.child_environment()
    environment = {name: theirs[name] for name in theirs if not name.startswith("MESSENGERS_")}
    try:
        child = await anyio.open_process(
            command, stderr=subprocess.DEVNULL, env=environment, cwd="/", start_new_session=True
        )
    except OSError as exc:
        raise NotReady("A program that is needed cannot be started.", str(exc.strerror)) from exc
    out, code = bytearray(), None
    try:
        with anyio.move_on_after(deadline_s):
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_give, child, given)
                await _listen(child, out, max_bytes)
                tasks.cancel_scope.cancel()
            code = await child.wait() if len(out) <= max_bytes else None
    finally:
        with anyio.CancelScope(shield=True):
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(child.pid, signal.SIGKILL)
            await child.aclose()
    return Said(bytes(out[:max_bytes]), code)


async def _give(child: Process, given: bytes) -> None:
    if child.stdin is not None:
        with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
            await child.stdin.send(given)
        await child.stdin.aclose()


async def _listen(child: Process, out: bytearray, max_bytes: int) -> None:
    if child.stdout is not None:
        async for chunk in child.stdout:
            out += chunk
            if len(out) > max_bytes:
                return
