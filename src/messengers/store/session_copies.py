"""Copies of the instances' sessions, for the owner who asks for them: each is an account."""

import io
import os
import shutil
import sqlite3
import stat
import tarfile
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from uuid import UUID

from messengers.errors import Conflict, InvalidInput, StorageUnavailable
from messengers.store import sqlite

__all__ = ["WARNING", "back_up_sessions", "beside", "unpacked"]

WARNING = (
    "{file} holds the sessions of {count}: whoever has it has those accounts. "
    "Keep it as you keep a password."
)
_FOLDER = "instances"
_LOGS = ("-wal", "-shm", "-journal")
"""Beside a database, and in the copy of it already."""


def beside(target: Path) -> Path:
    """Where the sessions go that belong to a copy of the database."""
    return target.with_name(f"{target.stem}-sessions.tar")


def back_up_sessions(home: Path, target: Path) -> str:
    """Write every session into one archive, 0600, and say what that means.

    `messengers restore --with-sessions` puts them back.

    Raises:
        Conflict: there is a file of that name already.
        StorageUnavailable: it could not be written; nothing is left of it.
    """
    if target.exists():
        raise Conflict("A file of the sessions' name is there already.", "Choose another name.")
    part = target.with_name(f"{target.name}.part")
    owners: set[str] = set()
    try:
        part.unlink(missing_ok=True)
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with tarfile.open(part, "w") as archive:
                for file in _files(home / _FOLDER):
                    owners.add(file.relative_to(home / _FOLDER).parts[0])
                    _add(archive, file, file.relative_to(home).as_posix())
            os.replace(part, target)
        finally:
            part.unlink(missing_ok=True)
    except OSError as exc:
        raise StorageUnavailable(
            "The sessions could not be written.", "Check the directory's rights and the space."
        ) from exc
    count = f"{len(owners)} instance" + ("" if len(owners) == 1 else "s")
    return WARNING.format(file=target, count=count)


def _files(folder: Path) -> Iterator[Path]:
    """The regular files of living instances; links lead elsewhere and are left out."""
    for path in sorted(folder.rglob("*")):
        first = path.relative_to(folder).parts[0]
        is_log = path.name.endswith(_LOGS)
        if not first.endswith(".old") and not is_log and stat.S_ISREG(path.lstat().st_mode):
            yield path


def _add(archive: tarfile.TarFile, file: Path, name: str) -> None:
    """One file as it is at this moment; a database in use as a whole."""
    try:
        content = _of_database(file)
    except sqlite3.OperationalError as exc:
        raise OSError(f"a session is in use: {exc}") from exc
    except sqlite3.DatabaseError:
        # Only what is no database: opening one besides SQLite would take its locks away.
        content = file.read_bytes()
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o600
    archive.addfile(entry, io.BytesIO(content))


def _of_database(file: Path) -> bytes:
    with (
        closing(sqlite.open_reader(file)) as source,
        closing(sqlite3.connect(":memory:")) as copy,
    ):
        source.execute("SELECT count(*) FROM sqlite_master")  # a copy would wait for a lock forever
        source.backup(copy)
        return copy.serialize()


@contextmanager
def unpacked(home: Path, archive: Path) -> Generator[Callable[[], None]]:
    """The sessions of an archive, ready: what is given puts them in place.

    A session that is there goes to `<id>.old`. The caller holds the lock of the data directory.

    Raises:
        InvalidInput: there is no such file, or it is none that `back_up_sessions` wrote.
        OSError: the disk refused.
    """
    part = home / f"{_FOLDER}.restored"
    shutil.rmtree(part, ignore_errors=True)
    try:
        try:
            _unpack(archive, part)
        except (FileNotFoundError, tarfile.TarError) as exc:
            raise InvalidInput(
                f"{archive} is no archive of sessions.",
                "`messengers backup` names the one it wrote.",
            ) from exc
        yield lambda: _put_back(part, home / _FOLDER)
    finally:
        shutil.rmtree(part, ignore_errors=True)


def _unpack(archive: Path, part: Path) -> None:
    """Regular files of instances only, whatever else an archive may hold."""
    part.mkdir(mode=0o700)
    with tarfile.open(archive, "r:") as found:
        for entry in found:
            place = part.joinpath(*_place_of(entry))
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            made = os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with open(made, "wb") as copy, found.extractfile(entry) or io.BytesIO() as content:
                shutil.copyfileobj(content, copy)


def _place_of(entry: tarfile.TarInfo) -> list[str]:
    """The instance and the file's path in its directory."""
    top, *place = entry.name.split("/")
    is_plain = entry.isreg() and not {"", ".", ".."} & {*place}
    if top == _FOLDER and is_plain and len(place) > 1:
        with suppress(ValueError):
            return [str(UUID(place[0])), *place[1:]]
    raise tarfile.TarError(entry.name)


def _put_back(part: Path, folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    for owner in sorted(part.iterdir()):
        place, old = folder / owner.name, folder / f"{owner.name}.old"
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
            place.rename(old)
        owner.rename(place)
