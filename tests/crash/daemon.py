"""`messengers`, dying where a test wants it: at what SQLite is asked for once a row was written.

The file that `FUSE` names holds two beginnings of statements. When the second comes after the
first, the process is gone, as by `kill -9`: before a COMMIT nothing of it may be there, at the next
BEGIN all of it must be.
"""

import os
import signal
from pathlib import Path
from sqlite3 import Connection
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine import Engine

from messengers.__main__ import main

__all__ = ["FUSE"]

FUSE = "CRASH_FUSE"


class _Fuse:
    """One connection's statements."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._end = ""

    def __call__(self, statement: str) -> None:
        if self._end and statement.startswith(self._end):
            os.kill(os.getpid(), signal.SIGKILL)
        if self._file.exists():
            first, then = self._file.read_text("utf-8").splitlines()
            if statement.startswith(first):
                self._end = then


def _lay(file: Path) -> None:
    def connected(connection: Connection, _: Any) -> None:  # noqa: ANN401 - SQLAlchemy's record
        connection.set_trace_callback(_Fuse(file))

    event.listen(Engine, "connect", connected)


if __name__ == "__main__":
    _lay(Path(os.environ[FUSE]))  # noqa: TID251 - a test's own variable
    main()
