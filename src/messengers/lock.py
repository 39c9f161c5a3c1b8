"""One daemon per data directory: an exclusive lock that dies with its process."""

import fcntl
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import orjson

from messengers.errors import AlreadyRunning, StorageUnavailable
from messengers.home import DAEMON_FILE, LOCK_FILE, make_private

__all__ = ["is_held", "locked", "recorded"]

_PATIENCE_S = 0.3
"""A client that looks whether a daemon runs holds the lock for a moment."""


@contextmanager
def locked(home: Path) -> Generator[None]:
    """Hold the data directory, which is made if it is not there.

    Raises:
        AlreadyRunning: another process holds it.
        StorageUnavailable: the directory cannot be used.
    """
    try:
        make_private(os.path.realpath(home))
        descriptor = os.open(home / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise StorageUnavailable(
            f"The data directory {home} cannot be used: {exc.strerror or exc}.",
            "Give it to this user, or choose another: --home or MESSENGERS_HOME.",
        ) from exc
    try:
        _take(descriptor, home)
        yield
    finally:
        os.close(descriptor)


def is_held(home: Path) -> bool:
    """Whether a daemon holds the data directory: then one starts, runs or ends."""
    try:
        descriptor = os.open(home / LOCK_FILE, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def recorded(home: Path) -> dict[str, object]:
    """What the daemon of this home wrote about itself; empty when there is nothing to read."""
    try:
        found: object = orjson.loads((home / DAEMON_FILE).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return {}
    return dict(found) if isinstance(found, dict) else {}  # pyright: ignore[reportUnknownArgumentType] - any JSON


def _take(descriptor: int, home: Path) -> None:
    until = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            if time.monotonic() < until:
                time.sleep(0.02)
                continue
            pid = recorded(home).get("pid")
            raise AlreadyRunning(
                f"Messengers runs already for {home}" + (f" (process {pid})." if pid else "."),
                "Use it, or end it with `messengers stop`.",
            ) from exc
        return
