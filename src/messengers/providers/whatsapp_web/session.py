"""The session file: what links the account to its phone. Whoever has it has the account."""

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from messengers import home
from messengers.errors import Conflict, InvalidInput
from messengers.providers.whatsapp_web.protocol import secret_of

__all__ = ["FILE", "adopt", "begun", "forget"]

FILE = "session.db"
_MAX_BYTES = 1024**3
_MAGIC = b"SQLite format 3\0"
_BEGUN = "SELECT message_id FROM whatsmeow_message_secrets WHERE key = ?"


def begun(session: Path, key: str) -> str | None:
    """The id under which the engine began a send with this key; None: it never began.

    The engine writes that row before anything leaves. Blocking.
    """
    if not session.exists():
        return None
    with closing(sqlite3.connect(session, timeout=5)) as connection:
        try:
            row = connection.execute(_BEGUN, (secret_of(key),)).fetchone()
        except sqlite3.OperationalError as exc:
            if "no such table" in str(exc):
                return None
            raise
    return str(row[0]) if row else None


def adopt(source: Path, session: Path) -> None:
    """Take over a session file of another program with the same engine. Blocking.

    Raises InvalidInput when it is none, Conflict when there is one already.
    """
    if session.exists():
        raise Conflict("This instance has a session already.", "Log it out first.")
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError as exc:
        raise InvalidInput("The session file cannot be read.", str(exc.strerror)) from exc
    with os.fdopen(descriptor, "rb") as file:
        if os.fstat(descriptor).st_size > _MAX_BYTES or file.read(16) != _MAGIC:
            raise InvalidInput("That is no session file.", "Name the engine's SQLite database.")
        file.seek(0)
        home.make_private(str(session.parent))
        part = session.with_suffix(".part")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            shutil.copyfileobj(file, out)
    part.replace(session)


def forget(session: Path) -> None:
    """Remove the session and what the engine keeps beside it. Blocking."""
    for path in session.parent.glob(f"{FILE}*"):
        path.unlink(missing_ok=True)
    session.with_name("timers.json").unlink(missing_ok=True)
