"""What removing an instance takes out: its secrets always, everything it ever stored on a purge."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread
from sqlalchemy import Connection

from messengers.core.files import places
from messengers.errors import StorageUnavailable
from messengers.store import Store, expiry, media, search
from messengers.store import instances as rows
from messengers.store.rows import all_rows

__all__ = ["erase", "forget_directory", "forget_files", "freed_name"]

_BATCH = 500


def freed_name(name: str, instance_id: str) -> str:
    """What a removed instance is called: readable, and no name that a new one could want."""
    return f"{name} (removed {instance_id[:8]})"


async def erase(store: Store, instance_id: str) -> None:
    """Delete the messages, their search rows, the files and the instance itself, to the last byte.

    In small transactions, so that others go on writing meanwhile; repeated after a crash it ends
    what it began.
    """
    while await store.write(lambda conn: _erase_batch(conn, instance_id)):
        pass
    while await store.write(lambda conn: _erase_files(conn, store.media_dir, instance_id)):
        pass
    await store.write(lambda conn: rows.remove(conn, instance_id))
    await forget_directory(store.home, instance_id)
    await store.scrub()


def _erase_batch(conn: Connection, instance_id: str) -> bool:
    found = rows.unlink_messages(conn, instance_id, _BATCH)
    for row in found:
        if row["search_rowid"] is not None and row["text"]:
            search.unindex(conn, row["search_rowid"], row["text"], instance_id, row["chat_id"])
    return bool(found)


def _erase_files(conn: Connection, media_dir: Path, instance_id: str) -> bool:
    found = all_rows(conn, media.of_instance, instance=instance_id, limit=_BATCH)
    forget_files(conn, media_dir, [row["id"] for row in found])
    return bool(found)


async def forget_directory(home: Path, instance_id: str) -> None:
    """Remove `instances/<id>`: an engine keeps its session there. And what was set aside of it."""
    for place in (home / "instances" / instance_id, home / "instances" / f"{instance_id}.old"):
        await anyio.to_thread.run_sync(lambda at=place: shutil.rmtree(at, ignore_errors=True))


def forget_files(conn: Connection, media_dir: Path, keys: Sequence[int]) -> None:
    """Delete rows of files, and the bytes that no other row names.

    The bytes go before the commit: whatever ends the process between the two, rows are left that
    name them, and by these they are found again. Raises StorageUnavailable.
    """
    try:
        for digest in expiry.forget_files(conn, keys):
            for path in places(media_dir, digest):
                path.unlink(missing_ok=True)
    except OSError as exc:
        raise StorageUnavailable(
            "A stored file could not be removed.", "Check the data directory's permissions."
        ) from exc
