"""Whether a database is whole, asked without writing to it."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Literal

from messengers.store import sqlite

__all__ = ["fault_of"]


def fault_of(
    database: Path, check: Literal["integrity_check", "quick_check"] = "integrity_check"
) -> str:
    """What SQLite finds wrong with a file; empty: nothing. The quick one leaves indexes out."""
    try:
        with closing(sqlite.open_reader(database)) as connection:
            found = str(connection.execute(f"PRAGMA {check}(1)").fetchone()[0])
    except sqlite3.OperationalError:
        return ""  # locked, or unreadable for this user: no damage, and said elsewhere
    except sqlite3.DatabaseError as exc:
        return str(exc)
    return "" if found == "ok" else " ".join(found.split())
