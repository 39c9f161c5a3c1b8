"""The session of an account on this machine: ended at the messenger, or brought from elsewhere.

A session file is the account itself. It lies in the instance's own directory, 0700, and leaves it
never; what is adopted is copied there before its provider looks at it.
"""

import logging
import os
import shutil
import stat
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import anyio
import anyio.to_thread

from messengers.core.registry import Entry, Registry
from messengers.errors import (
    Conflict,
    InvalidInput,
    NotConnected,
    StorageUnavailable,
    Uncertain,
    Unsupported,
)
from messengers.models import Lifecycle
from messengers.providers.login import AdoptsSession, LogsOut
from messengers.providers.webhooks import EndsDeliveries
from messengers.redaction import redact

__all__ = ["adopt", "end_deliveries", "log_out", "try_log_out"]

log = logging.getLogger(__name__)
_DEADLINE_S = 10.0
_END_S = 5.0
_MAX_BYTES = 512 * 1024 * 1024
_ADOPTED = "adopted"
"""Name of the copy that a provider is given; it may move it."""
_UNTOLD = (
    "It could not be logged out at the messenger, because {why}: unlink this computer on the phone."
)
_ENDED = frozenset({Lifecycle.LOGGED_OUT, Lifecycle.BANNED})
_CONNECTED = frozenset({Lifecycle.CONNECTED, Lifecycle.DEGRADED})
# A FIFO or device must not block the open; a link is not followed.
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY


async def log_out(registry: Registry, entry: Entry) -> None:
    """End the session at the messenger. One that it has ended already is left to be removed.

    Raises:
        Unsupported: this provider has no such thing.
        NotConnected: nobody can be told.
        PlatformRefused, Unreachable, Uncertain: the messenger refused, or did not answer.
    """
    provider = await registry.prepare(entry)
    if not isinstance(provider, LogsOut):
        raise Unsupported(
            f"{entry.instance.provider} knows no logging out.",
            f"`messengers instances remove {entry.instance.name}` removes its credentials.",
        )
    if entry.health.lifecycle in _ENDED:
        return
    if not _is_connected(entry):
        raise NotConnected(
            "Only a connected account can be logged out at the messenger.",
            "Connect it first, or unlink this computer on the phone.",
        )
    await _told(provider)


async def try_log_out(registry: Registry, entry: Entry, home: Path) -> str:
    """The same before an instance is removed, as well as can be: one note for the owner, or ''."""
    if entry.removed or not has_session(home, entry) or entry.health.lifecycle in _ENDED:
        return ""
    try:
        provider = await registry.prepare(entry)
        if not isinstance(provider, LogsOut):
            return ""
        if not _is_connected(entry):
            return _UNTOLD.format(why="it was not connected")
        await _told(provider)
    except Exception as exc:  # noqa: BLE001 - whatever a provider raises, removing goes on
        log.warning("logging %s out: %s", entry.instance.name, redact(repr(exc)))
        return _UNTOLD.format(why="the messenger did not agree in time")
    return "It was logged out at the messenger."


async def end_deliveries(entry: Entry) -> None:
    """Of an instance that was stopped: as well as can be, since it is stopped in any case."""
    if not isinstance(entry.built, EndsDeliveries):
        return
    try:
        with anyio.fail_after(_END_S):
            await entry.built.end_deliveries()
    except Exception as exc:  # noqa: BLE001 - whatever a provider raises, stopping goes on
        log.warning("%s is still delivered to: %s", entry.instance.name, redact(repr(exc)))


def has_session(home: Path, entry: Entry) -> bool:
    """Whether its provider keeps anything for it."""
    directory = home / "instances" / entry.instance.id
    return directory.is_dir() and any(directory.iterdir())


async def _told(provider: LogsOut) -> None:
    try:
        with anyio.fail_after(_DEADLINE_S):
            await provider.logout()
    except TimeoutError as exc:
        raise Uncertain(
            "The messenger did not answer in time.", "Look on the phone what is linked."
        ) from exc


def _is_connected(entry: Entry) -> bool:
    return entry.running and entry.health.lifecycle in _CONNECTED


async def adopt(registry: Registry, entry: Entry, home: Path, file: Path, *, replace: bool) -> None:
    """Take a session over that another program made; the file itself stays as it is.

    Raises:
        Unsupported: this provider has no such thing.
        Conflict: the instance runs, or it has a session and is not to lose it.
        InvalidInput: the file is none, too large, or not what the provider takes.
    """
    provider = await registry.prepare(entry)
    if not isinstance(provider, AdoptsSession):
        raise Unsupported(
            f"{entry.instance.provider} takes over no session.",
            "Connect it: it says what it needs to log in.",
        )
    name = entry.instance.name
    if entry.running or entry.instance.wanted == "connected":
        raise Conflict(
            "The instance runs, and its session is in use.",
            f"`messengers instances disconnect {name}` first.",
        )
    with _set_aside(home / "instances" / entry.instance.id, replace=replace) as directory:
        copy = directory / _ADOPTED
        await anyio.to_thread.run_sync(_copy, file, copy)
        await provider.adopt(copy)
        await anyio.to_thread.run_sync(lambda: copy.unlink(missing_ok=True))
    entry.built = None


@contextmanager
def _set_aside(directory: Path, *, replace: bool) -> Generator[Path]:
    """An empty directory in the place of one, which comes back if what is done there fails."""
    old = directory.with_name(f"{directory.name}.old")
    if directory.is_dir() and any(directory.iterdir()):
        if not replace:
            raise Conflict(
                "The instance has a session already.", "--replace puts the new one in its place."
            )
        shutil.rmtree(old, ignore_errors=True)
        directory.rename(old)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    directory.chmod(0o700)
    try:
        yield directory
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        if old.exists():
            old.rename(directory)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _copy(source: Path, target: Path) -> None:
    """A regular file of limited size, opened once: what is checked is what is copied."""
    with ExitStack() as open_files:
        try:
            given = os.open(source, _OPEN)
        except (OSError, ValueError) as exc:
            raise InvalidInput(
                "The file cannot be read, or is a link.", "Name the session file itself."
            ) from exc
        open_files.callback(os.close, given)
        found = os.fstat(given)
        if not stat.S_ISREG(found.st_mode):
            raise InvalidInput("That is no regular file.", "Name the session file itself.")
        if found.st_size > _MAX_BYTES:
            limit = _MAX_BYTES // (1024 * 1024)
            raise InvalidInput(
                f"The file is larger than {limit} MB.", "Name the session file alone."
            )
        try:
            made = os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with open(given, "rb", closefd=False) as source_file, open(made, "wb") as copy:
                shutil.copyfileobj(source_file, copy)
        except OSError as exc:
            raise StorageUnavailable(
                "The session could not be copied.", "Check the space in the data directory."
            ) from exc
