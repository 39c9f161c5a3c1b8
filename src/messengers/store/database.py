"""The store as one object: opened once, by the process that holds the data directory."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from sqlalchemy import Connection, SelectBase

from messengers.clock import Clock
from messengers.errors import MessengersError, StorageUnavailable
from messengers.home import make_private
from messengers.store import search, sqlite
from messengers.store.backup import back_up
from messengers.store.cursors import Cursors
from messengers.store.integrity import fault_of
from messengers.store.keyring import Keyring
from messengers.store.migrations import migrate
from messengers.store.reader import Reader
from messengers.store.rows import Row
from messengers.store.secrets import RECORDS, Cipher, derive, pepper_of, settle_key
from messengers.store.session_copies import back_up_sessions, beside
from messengers.store.writer import Writer

__all__ = ["Store"]

T = TypeVar("T")
_CUT_TRIES = 20
"""Each waits 50 ms for readers."""
_Keys = tuple[bytes, bytes]
_CHECKED_BYTES = 16 * 1024 * 1024


class Store:
    """Units of work in, rows out."""

    def __init__(
        self, home: Path, clock: Clock, writer: Writer, reader: Reader, keys: "_Keys"
    ) -> None:
        master_key, self.pepper = keys
        self.home = home
        self.media_dir = home / "media"
        self.clock = clock
        self.cipher = Cipher(derive(master_key, RECORDS))
        self.cursors = Cursors(derive(master_key, "cursors"))
        self.request_state_key = derive(master_key, "request state")
        self._path = home / sqlite.DATABASE
        self._writer = writer
        self._reader = reader

    @classmethod
    async def open(cls, home: Path, clock: Clock, *, keyring: bool = False) -> "Store":
        """Open or make the database of a data directory, and bring it up to date.

        Only the process that holds the directory's lock may call it.

        Raises:
            StorageUnavailable: rights, disk, damage, a newer database, a missing or wrong key.
                Nothing was overwritten.
        """
        writer, keys = await anyio.to_thread.run_sync(partial(_prepare, home, keyring))
        try:
            reader = await Reader.open(home / sqlite.DATABASE)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(writer.close)
            raise
        return cls(home, clock, writer, reader, keys)

    async def aclose(self) -> None:
        """Finish what waits and close; the log is folded into the database."""
        with anyio.CancelScope(shield=True):
            await self._reader.aclose()
            await anyio.to_thread.run_sync(self._writer.close)

    async def write(
        self, unit: Callable[[Connection], T], committed: Callable[[], None] | None = None
    ) -> T:
        """Run a unit of work in the writer's thread; its result comes when it is durable.

        The unit touches nothing but its connection: others run in the same transaction. What it
        raises is raised here and undoes only itself. Cancelling stops the waiting, not the write;
        `committed` is called in this event loop once it is durable, whether cancelled or not.

        Raises:
            StorageUnavailable: it could not be stored, and nothing of it was.
        """
        return await self._writer.run(unit, committed)

    async def rows(self, stmt: SelectBase, **params: object) -> list[Row]:
        """All rows of a statement made once (at import, or by a cached builder) for its params."""
        return await self._reader.rows(stmt, params)

    async def row(self, stmt: SelectBase, **params: object) -> Row | None:
        """The first row, or None."""
        found = await self._reader.rows(stmt, params)
        return found[0] if found else None

    async def backup(self, target: Path, *, sessions: bool = False) -> str:
        """Copy the live database to a new 0600 file; returns what the owner must know of it.

        With `sessions` an archive of them goes beside it: whoever has that has the accounts.

        Raises:
            Conflict: one of the files exists.
        """
        return await anyio.to_thread.run_sync(self._back_up, target, sessions)

    def _back_up(self, target: Path, sessions: bool) -> str:
        if not sessions:
            return back_up(self._path, target)
        archive = beside(target)
        warning = back_up_sessions(self.home, archive)
        try:
            return f"{back_up(self._path, target)} {warning}"
        except MessengersError:
            archive.unlink(missing_ok=True)
            raise

    @property
    def damaged(self) -> bool:
        """Whether damage was met, so that nothing is written any more."""
        return self._writer.damaged

    async def scrub(self) -> bool:
        """Have what was deleted leave the search index and the log too.

        False: somebody, a backup most likely, kept reading the log; it is cut once he is done.
        """
        while await self.write(search.merge):
            pass
        for _ in range(_CUT_TRIES):
            if await self._writer.cut():
                return True
        return False

    async def takes_more(self) -> bool:
        """Whether what is to be stored can be; after a refusal it is tried, to find out."""
        if not self._writer.refused:
            return True
        try:
            await self.write(sqlite.take_room)
        except StorageUnavailable:
            return False
        return True

    def size_bytes(self) -> int:
        """What the database and its log take on disk."""
        files = (self._path, sqlite.wal_of(self._path))
        return sum(file.stat().st_size for file in files if file.exists())


def _prepare(home: Path, keyring: bool) -> tuple[Writer, _Keys]:
    """Everything that blocks: directory, migration, writer, key."""
    path = home / sqlite.DATABASE
    try:
        make_private(str(home.resolve()))
    except OSError as exc:
        raise StorageUnavailable(
            "The data directory cannot be used.", "Make it a directory that belongs to this user."
        ) from exc
    sqlite.make_file(path)
    _check(path)
    migrate(path)
    writer = Writer(path)
    try:
        ring = Keyring(home) if keyring else None
        keys = writer.opening(partial(_keys, home=home, keyring=ring))
        writer.start()
    except BaseException:
        writer.close()
        raise
    return writer, keys


def _keys(conn: Connection, home: Path, keyring: Keyring | None) -> _Keys:
    """The master key, and what API keys are hashed with."""
    key = settle_key(conn, home, keyring)
    return key, pepper_of(conn, key)


def _check(path: Path) -> None:
    """Refuse what is damaged before anything is written; a large one is checked as it is used."""
    size_bytes = path.stat().st_size
    if 0 < size_bytes <= _CHECKED_BYTES and fault_of(path, "quick_check"):
        raise StorageUnavailable(*sqlite.DAMAGED)
