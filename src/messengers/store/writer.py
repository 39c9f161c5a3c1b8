"""The one writer: units of work from everywhere, committed together, resolved after the commit.

A unit is a plain function of a connection and runs in the writer's own thread. All that wait are
taken at once (at most 500), each within a savepoint, so that a failing unit undoes only itself.
A caller that is cancelled stops waiting; its write goes on.
"""

import asyncio
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from sqlalchemy import Connection

from messengers.errors import StorageUnavailable
from messengers.store import sqlite

__all__ = ["Writer"]

T = TypeVar("T")
_BATCH = 500
_LARGE_WAL_BYTES = 16 * 1024 * 1024
_IDLE_S = 15.0
_CHECKPOINT_WAIT_MS = 50
"""Readers hold the log for fractions of a millisecond; only a running backup holds it for longer,
and that one must not stop the writer."""


@dataclass(slots=True, eq=False)
class _Write:
    """A unit and who waits for it. `result` or `error` is set by the writer's thread."""

    unit: Callable[[Connection], object]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[object]
    committed: Callable[[], None] | None
    cuts: bool = False
    """Once it is committed the log is cut; the result says whether it was."""
    result: object = None
    error: BaseException | None = None


class Writer:
    """Owns the only writing connection of a database: opened, proven, then started."""

    def __init__(
        self, path: Path, *, large_wal_bytes: int = _LARGE_WAL_BYTES, idle_s: float = _IDLE_S
    ) -> None:
        self._wal = sqlite.wal_of(path)
        self._large_wal_bytes = large_wal_bytes
        self._checkpoint_at_bytes = large_wal_bytes
        self._idle_s = idle_s
        self._closed = False
        self.damaged = False
        """Once damage was met nothing more is written: it would only spread."""
        self.refused = False
        """The last commit failed for want of room or rights: what is to be stored may not be."""
        self._door = threading.Lock()
        self._engine = sqlite.engine(path)
        try:
            with sqlite.storage_errors():
                self._connection = self._engine.connect()
        except BaseException:
            self._engine.dispose()
            raise
        self._raw = sqlite.raw(self._connection)
        self._queue: queue.SimpleQueue[_Write | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="store-writer", daemon=True)

    def opening(self, unit: Callable[[Connection], T]) -> T:
        """The unit's result, in the calling thread, committed. Only before `start`."""
        with sqlite.storage_errors(), self._connection.begin():
            return unit(self._connection)

    def start(self) -> None:
        """From here on the connection is the writer thread's alone."""
        self._thread.start()

    async def run(
        self, unit: Callable[[Connection], T], committed: Callable[[], None] | None = None
    ) -> T:
        """The unit's result, once it is durable. Its own exception is raised here.

        `committed` is called in the caller's event loop once the unit is durable, also when the
        caller was cancelled meanwhile; once for all units of a commit that name the same.

        Raises:
            StorageUnavailable: the commit failed, and nothing of the unit happened.
        """
        return cast("T", await self._asked(unit, committed))

    async def cut(self) -> bool:
        """Move the log into the database and cut it to nothing; False when a reader held it."""
        return bool(await self._asked(_nothing, cuts=True))

    def _asked(
        self,
        unit: Callable[[Connection], object],
        committed: Callable[[], None] | None = None,
        *,
        cuts: bool = False,
    ) -> asyncio.Future[object]:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        # Behind the closing nothing may wait: nobody would answer it.
        with self._door:
            if self._closed:
                raise StorageUnavailable(*sqlite.CLOSED)
            if self.damaged:
                raise StorageUnavailable(*sqlite.DAMAGED)
            self._queue.put(_Write(unit, loop, future, committed, cuts))
        return future

    def close(self) -> None:
        """Finish what waits, then close. Blocks for as long as that takes."""
        with self._door:
            if self._closed:
                return
            self._closed = True
            self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join()
        self._connection.close()
        self._engine.dispose()

    def _work(self) -> None:
        idle = True
        while True:
            try:
                first = self._queue.get(timeout=None if idle else self._idle_s)
            except queue.Empty:
                self._checkpoint()
                idle = True
                continue
            batch, last = self._batch(first)
            if batch:
                self._commit(batch)
                self._cut(batch)
                self.damaged = self.damaged or any(_tells_damage(write) for write in batch)
                self._answer(batch)
                self._checkpoint_when_large()
                idle = False
            if last:
                return

    def _batch(self, first: _Write | None) -> tuple[list[_Write], bool]:
        """All that wait, and whether closing was asked for."""
        batch: list[_Write] = []
        item = first
        while item is not None:
            batch.append(item)
            if len(batch) == _BATCH:
                return batch, False
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                return batch, False
        return batch, True

    def _commit(self, batch: list[_Write]) -> None:
        """One transaction. When it fails as a whole, every unit of it failed."""
        try:
            with sqlite.storage_errors(), self._connection.begin():
                for write in batch:
                    self._run(write)
        except BaseException as exc:  # noqa: BLE001 - the outermost loop of the writer's thread
            for write in batch:
                write.error = _lost(exc)
            self._roll_back()
            self.refused = True
        else:
            self.refused = any(isinstance(write.error, StorageUnavailable) for write in batch)

    def _roll_back(self) -> None:
        """A COMMIT that failed may leave the transaction open, which SQLAlchemy takes for ended.

        The next BEGIN would fail then, and each one after it.
        """
        with suppress(sqlite3.Error):
            if self._raw.in_transaction:
                self._raw.execute("ROLLBACK")

    def _run(self, write: _Write) -> None:
        """Run one unit. Raises only when the whole transaction is lost with it."""
        self._raw.execute("SAVEPOINT u")
        try:
            with sqlite.storage_errors():
                write.result = write.unit(self._connection)
                self._raw.execute("RELEASE u")
        except BaseException as exc:
            # A full disk makes SQLite roll back everything, not just this unit.
            if not self._raw.in_transaction:
                raise
            self._raw.execute("ROLLBACK TO u")
            self._raw.execute("RELEASE u")
            write.error = exc

    def _cut(self, batch: list[_Write]) -> None:
        asked = [write for write in batch if write.cuts]
        done = bool(asked) and self._checkpoint()
        for write in asked:
            write.result = done

    def _answer(self, batch: list[_Write]) -> None:
        """Hand the results over, one wake-up per event loop."""
        for loop in {write.loop for write in batch}:
            mine = [write for write in batch if write.loop is loop]
            try:
                loop.call_soon_threadsafe(_resolve, mine)
            except RuntimeError:
                continue  # that loop ended, and with it everyone who waited there

    def _checkpoint_when_large(self) -> None:
        try:
            size_bytes = self._wal.stat().st_size
        except OSError:
            return
        if size_bytes >= self._checkpoint_at_bytes:
            done = self._checkpoint()
            # One that a reader held up is tried again when the log has grown by as much.
            self._checkpoint_at_bytes = self._large_wal_bytes + (0 if done else size_bytes)

    def _checkpoint(self) -> bool:
        """Move the log into the database and cut it to nothing; False when a reader held it."""
        try:
            self._raw.execute(f"PRAGMA busy_timeout={_CHECKPOINT_WAIT_MS}")
            busy = self._raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        except sqlite3.Error:
            return False  # a full or failing disk: what is in the log is safe, and a write tells
        finally:
            self._raw.execute(f"PRAGMA busy_timeout={sqlite.BUSY_TIMEOUT_MS}")
        return not busy


def _tells_damage(write: _Write) -> bool:
    error = write.error
    return isinstance(error, StorageUnavailable) and error.cause == sqlite.DAMAGED[0]


def _nothing(_: Connection) -> None:
    """The unit of who wants something else of the writer."""


def _lost(exc: BaseException) -> StorageUnavailable:
    """One exception each: raised in several tasks, a shared one gathers everyone's traceback."""
    if isinstance(exc, StorageUnavailable):
        each = StorageUnavailable(exc.cause, exc.remedy)
    else:
        each = StorageUnavailable("The database refused to commit; nothing of this was stored.")
    each.__cause__ = exc.__cause__ or exc
    return each


def _resolve(writes: list[_Write]) -> None:
    for write in writes:
        if write.future.done():
            continue  # its caller was cancelled
        if write.error is not None:
            write.future.set_exception(write.error)
        else:
            write.future.set_result(write.result)
    for committed in {write.committed for write in writes if write.error is None}:
        if committed is not None:
            committed()
