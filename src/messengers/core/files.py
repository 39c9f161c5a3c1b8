"""The bytes of files on disk, named by their hash: a quota, and an end after a time.

What its messenger gives again lies in `again/`: it makes room when the quota is reached, the
longest unused first. Everything else only we have: when all room is taken, a new file is refused
rather than an old one lost. Time ends both, where the owner set one. Everything here blocks.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from threading import Lock

from messengers.errors import NotFound, StorageUnavailable

__all__ = ["Files", "places"]

_AGAIN = "again"


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size_bytes: int
    used_at_s: float
    given_again: bool


def places(folder: Path, digest: str) -> tuple[Path, Path]:
    """Where a file may lie: as ours alone, and as one that is given again."""
    return folder / digest[:2] / digest, folder / _AGAIN / digest[:2] / digest


class Files:
    """One directory of them."""

    def __init__(self, folder: Path, quota_bytes: int, retention_days: int) -> None:
        """A quota or retention of 0 sets no bound."""
        self._folder = folder
        self._quota_bytes = quota_bytes
        self._retention_days = retention_days
        self._writing = Lock()
        self._stored_bytes: int | None = None

    def write(self, digest: str, data: bytes, now: datetime, *, given_again: bool = False) -> None:
        """Whole or not at all, private, on the disk when it returns.

        Raises StorageUnavailable: it cannot be written, or the quota has no room.
        """
        own, again = places(self._folder, digest)
        try:
            with self._writing:
                for path in (own, again) if given_again else (own,):
                    if path.exists() and path.stat().st_size == len(data):
                        return _touch(path, now)
                self._make_room(len(data))
                _write(again if given_again else own, data, now)
                self._stored_bytes = (self._stored_bytes or 0) + len(data)
        except OSError as exc:
            raise StorageUnavailable(
                "The file could not be stored.", "Check the data directory's space and permissions."
            ) from exc

    def read(self, digest: str, now: datetime) -> bytes:
        """Its bytes. Raises NotFound when they are gone, or StorageUnavailable."""
        for path in places(self._folder, digest):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                continue
            except OSError as exc:
                raise StorageUnavailable(
                    "A stored file cannot be read.", "Check the disk."
                ) from exc
            with suppress(OSError):  # a directory that takes nothing still gives
                _touch(path, now)
            return data
        raise NotFound("That file's bytes are gone.", "Ask for it to be sent again.")

    def has(self, digest: str) -> bool:
        """Whether its bytes are here."""
        return any(path.exists() for path in places(self._folder, digest))

    def expire(self, now: datetime) -> int:
        """Remove what nobody used for the time that the owner set; returns how many.

        Raises StorageUnavailable: something of it cannot be removed.
        """
        if not self._retention_days:
            return 0
        bound = (now - timedelta(days=self._retention_days)).timestamp()
        with self._writing:
            over = [file for file in self._all() if file.used_at_s < bound]
            self._stored_bytes = None
            try:
                for file in over:
                    file.path.unlink(missing_ok=True)
            except OSError as exc:
                raise StorageUnavailable(
                    "A stored file could not be removed.", "Check the data directory's permissions."
                ) from exc
        return len(over)

    def _make_room(self, size_bytes: int) -> None:
        if not self._quota_bytes:
            return
        if self._stored_bytes is None or self._stored_bytes + size_bytes > self._quota_bytes:
            self._stored_bytes = self._drop_until(self._quota_bytes - size_bytes)
        if self._stored_bytes + size_bytes > self._quota_bytes:
            raise StorageUnavailable(
                "The room for files is used up.",
                "The owner can give more with MESSENGERS_MEDIA_QUOTA_BYTES.",
            )

    def _drop_until(self, bound_bytes: int) -> int:
        """Remove what is given again, the longest unused first; returns what is left."""
        files = sorted(self._all(), key=lambda file: file.used_at_s)
        stored = sum(file.size_bytes for file in files)
        for file in files:
            if stored <= bound_bytes:
                break
            if file.given_again:
                file.path.unlink(missing_ok=True)
                stored -= file.size_bytes
        return stored

    def _all(self) -> Iterator[_File]:
        for folder in (self._folder, self._folder / _AGAIN):
            for path in folder.glob("??/*"):
                with suppress(FileNotFoundError):
                    about = path.stat()
                    again = folder != self._folder
                    yield _File(path, about.st_size, about.st_mtime, again)


def _touch(path: Path, now: datetime) -> None:
    """The time of a file is that of its last use."""
    os.utime(path, (now.timestamp(), now.timestamp()))


def _write(path: Path, data: bytes, now: datetime) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(file, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        _touch(part, now)
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
