"""The session file: what links the account to its phone. Whoever has it has the account."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from messengers.errors import InvalidInput
from messengers.providers.whatsapp_web.protocol import secret_of

__all__ = ["FILE", "adopt", "begun", "forget", "prepare"]

FILE = "session.db"
_BEGUN = """
SELECT (SELECT message_id FROM whatsmeow_message_secrets WHERE key = ?), count(*)
FROM whatsmeow_device
"""


def prepare(session: Path) -> None:
    """Before the engine opens it: ours alone, with a journal that waits for the disk once a commit.

    The engine commits each of the hundreds of keys of a login alone. Blocking.
    """
    os.close(os.open(session, os.O_RDWR | os.O_CREAT, 0o600))
    session.chmod(0o600)
    with closing(sqlite3.connect(session, timeout=5)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")


def begun(session: Path, key: str) -> str | None:
    """The id under which the engine began a send with this key; None: it never began.

    The engine writes that row before anything leaves. '' where nothing is linked any more: then
    the row went with the link. Blocking.
    """
    if not session.exists():
        return ""
    with closing(sqlite3.connect(session, timeout=5)) as connection:
        try:
            found, devices = connection.execute(_BEGUN, (secret_of(key),)).fetchone()
        except sqlite3.OperationalError as exc:
            if "no such table" in str(exc):
                return ""
            raise
    return found or (None if devices else "")


def adopt(copy: Path, session: Path) -> None:
    """Move a copy of another program's session to its place. Blocking.

    Raises InvalidInput when it is not one of this engine.
    """
    try:
        with closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as connection:
            devices = connection.execute("SELECT count(*) FROM whatsmeow_device").fetchone()[0]
    except sqlite3.DatabaseError:
        devices = 0
    if devices != 1:
        raise InvalidInput(
            "That is no session of one WhatsApp account.",
            "Name the SQLite database of a program that uses whatsmeow.",
        )
    copy.replace(session)


def forget(session: Path) -> None:
    """Remove the session and what the engine keeps beside it. Blocking."""
    for path in session.parent.glob(f"{FILE}*"):
        path.unlink(missing_ok=True)
    session.with_name("timers.json").unlink(missing_ok=True)
