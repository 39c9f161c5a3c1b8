"""Reads: one hop to a read-only connection. SQLAlchemy's async engine takes three times as long."""

import sqlite3
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import aiosqlite
import anyio
import anyio.to_thread
from sqlalchemy import SelectBase

from messengers.errors import StorageUnavailable
from messengers.store import sqlite
from messengers.store.rows import Row
from messengers.store.statements import compiled

__all__ = ["Reader"]

_CONNECTIONS = 3
_CHUNK_ROWS = 64
"""Of aiosqlite's iteration, which nothing here uses."""


class _Connection:
    """One read-only connection in its own thread, and how many reads it has before it."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self.connection = connection
        self.waiting = 0


class Reader:
    """A few connections that can only read.

    No transaction outlives a call: an open one would keep the write-ahead log from shrinking.
    """

    def __init__(self, connections: list[_Connection]) -> None:
        self._connections = connections

    @classmethod
    async def open(cls, path: Path) -> "Reader":
        """Connect; the writer must have opened the database before."""
        connections: list[_Connection] = []
        reader = cls(connections)
        try:
            for _ in range(_CONNECTIONS):
                # Opened before aiosqlite has a thread: its thread outlives a failed opening.
                with sqlite.storage_errors():
                    opened = await anyio.to_thread.run_sync(sqlite.open_reader, path)
                made = aiosqlite.Connection(partial(_as_is, opened), _CHUNK_ROWS)
                connections.append(_Connection(await made))
        except BaseException:
            with anyio.CancelScope(shield=True):
                await reader.aclose()
            raise
        return reader

    async def aclose(self) -> None:
        """Close every connection, after the reads that wait on it."""
        while self._connections:
            await self._connections.pop().connection.close()

    async def rows(self, stmt: SelectBase, params: Mapping[str, object]) -> list[Row]:
        """All rows. Values come and go as SQLite keeps them: int, float, str, bytes, None."""
        statement = compiled(stmt, params)
        sql, values = statement.bind(params)
        if not self._connections:
            raise StorageUnavailable(*sqlite.CLOSED)
        chosen = min(self._connections, key=_load)
        chosen.waiting += 1
        try:
            with sqlite.storage_errors():
                found = await chosen.connection.execute_fetchall(sql, values)
        finally:
            chosen.waiting -= 1
        names = statement.names
        return [dict(zip(names, row, strict=True)) for row in found]


def _as_is(connection: sqlite3.Connection) -> sqlite3.Connection:
    return connection


def _load(connection: _Connection) -> int:
    return connection.waiting
