"""What removing an instance takes out: its secrets always, everything it ever stored on a purge."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread
from sqlalchemy import Connection

from messengers.core.files import places
from messengers.store import Store, search
from messengers.store import instances as rows

__all__ = ["erase", "forget_directory", "freed_name", "unlink"]

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
    orphans = await store.write(lambda conn: rows.remove(conn, instance_id))
    await anyio.to_thread.run_sync(unlink, store.media_dir, orphans)
    await forget_directory(store.home, instance_id)
    await store.scrub()


def _erase_batch(conn: Connection, instance_id: str) -> bool:
    found = rows.unlink_messages(conn, instance_id, _BATCH)
    for row in found:
        if row["search_rowid"] is not None and row["text"]:
            search.unindex(conn, row["search_rowid"], row["text"], instance_id, row["chat_id"])
    return bool(found)


async def forget_directory(home: Path, instance_id: str) -> None:
    """Remove `instances/<id>`: an engine keeps its session there. And what was set aside of it."""
    for place in (home / "instances" / instance_id, home / "instances" / f"{instance_id}.old"):
        await anyio.to_thread.run_sync(lambda at=place: shutil.rmtree(at, ignore_errors=True))


def unlink(media_dir: Path, digests: Sequence[str]) -> None:
    """Remove files by the hashes of their bytes."""
    for digest in digests:
        for path in places(media_dir, digest):
            path.unlink(missing_ok=True)
