"""Config files of other programs: read strictly, backed up, replaced as a whole or not at all."""

import os
import tempfile
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from messengers.errors import Conflict, InvalidInput, StorageUnavailable

__all__ = ["backup", "read", "replace"]

_MAX_BYTES = 16 * 1024 * 1024


def read(path: Path) -> str:
    """The file's text, line ends as they are; empty when there is none.

    Raises InvalidInput when it is no text, StorageUnavailable when it cannot be read.
    """
    try:
        if path.exists() and not path.is_file():
            raise InvalidInput(f"{path} is no file.", "Nothing was changed.")
        data = path.read_bytes()
    except FileNotFoundError:
        return ""
    except OSError as exc:
        raise StorageUnavailable(
            f"{path} cannot be read: {exc.strerror}.", "Nothing was changed."
        ) from exc
    if len(data) > _MAX_BYTES:
        raise InvalidInput(f"{path} is too large for a config.", "Nothing was changed.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as exc:
        raise InvalidInput(f"{path} is not UTF-8.", "Nothing was changed.") from exc


def backup(path: Path) -> Path | None:
    """A private copy beside the file, named by the time; None when there is no file yet."""
    if not path.exists():
        return None
    target = path.resolve()
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
    copy = target.with_name(f"{target.name}.before-messengers-{moment}")
    try:
        _write(copy, target.read_bytes())
    except OSError as exc:
        raise _unwritable(copy, exc) from exc
    return copy


def replace(path: Path, before: str, after: str) -> None:
    """Put the new text in the old one's place at once, as 0600. A symbolic link stays a link.

    Raises Conflict when the file changed since it was read: a running client writes it too.
    """
    target = path.resolve()
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    except OSError as exc:
        raise _unwritable(target, exc) from exc
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(after.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        if read(target) != before:
            raise Conflict(
                f"{path} was changed by another program meanwhile.", "Nothing was changed: repeat."
            )
        os.replace(name, target)
    except OSError as exc:
        raise _unwritable(target, exc) from exc
    finally:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _write(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(data)


def _unwritable(path: Path, exc: OSError) -> StorageUnavailable:
    return StorageUnavailable(
        f"{path} cannot be written: {exc.strerror}.",
        "Nothing was changed. Make it writable, or paste what --print shows.",
    )
