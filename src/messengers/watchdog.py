"""Watches the event loop from a thread of its own, and writes down what blocks it, and where.

While the loop is blocked everything waits, so the loop itself could only say so afterwards.
"""

import asyncio
import logging
import sys
import threading
import traceback
from collections.abc import Generator
from contextlib import contextmanager

from messengers.clock import Clock

__all__ = ["watched"]

log = logging.getLogger(__name__)
_LIMIT_S = 1.0
_FRAMES = 12
"""Of the stack, the innermost: who blocks, and who called it."""


@contextmanager
def watched(clock: Clock, limit_s: float = _LIMIT_S) -> Generator[None]:
    """Watch the running event loop: what holds it beyond the limit is logged with its stack."""
    loop, ended = asyncio.get_running_loop(), threading.Event()
    thread = threading.Thread(
        target=_watch,
        args=(loop, threading.get_ident(), clock, limit_s, ended),
        name="watchdog",
        daemon=True,
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()


def _watch(
    loop: asyncio.AbstractEventLoop,
    watched_thread: int,
    clock: Clock,
    limit_s: float,
    ended: threading.Event,
) -> None:
    while not ended.wait(limit_s):
        answered = threading.Event()
        began_s = clock.monotonic_s()
        try:
            loop.call_soon_threadsafe(answered.set)
        except RuntimeError:
            return  # the loop is closed
        if answered.wait(limit_s) or ended.is_set():
            continue
        if clock.monotonic_s() - began_s > 2 * limit_s:
            # This thread waited too long as well, so what the loop does now tells nothing.
            log.warning("Nothing of this process ran for a while: the machine has too much to do.")
            continue
        _tell(watched_thread)
        while not answered.wait(limit_s) and not ended.is_set():
            pass
        took_s = clock.monotonic_s() - began_s
        log.error("The event loop goes on; it was blocked for %.1f s.", took_s)


def _tell(thread: int) -> None:
    frames = sys._current_frames()  # noqa: SLF001 - documented  # pyright: ignore[reportPrivateUsage] - likewise
    frame = frames.get(thread)
    stack = "".join(traceback.format_stack(frame, _FRAMES)) if frame else ""
    log.error("The event loop is blocked:\n%s", stack)
