"""How long an instance keeps what was written; after that it is removed to the last byte.

Chats, contacts, decisions and who may be written to stay: they are no messages.
"""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.registry import Registry
from messengers.core.removal import forget_files
from messengers.core.summaries import resummarize
from messengers.models import Attachment, IdKind, decode_id
from messengers.store import Store, chats, expiry, search
from messengers.store.rows import Row, all_rows, load_json, one_row

__all__ = ["Retention"]

_EVERY_S = 3_600.0
_BATCH = 500


class Retention:
    """Looks from time to time for what is too old."""

    def __init__(self, store: Store, clock: Clock, registry: Registry) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._next_s = 0.0

    def hurry(self) -> None:
        """Look at the next occasion: somebody chose another time."""
        self._next_s = 0.0

    async def sweep(self) -> None:
        """Remove what is too old, once an hour."""
        now_s = self._clock.monotonic_s()
        if now_s < self._next_s:
            return
        self._next_s = now_s + _EVERY_S
        removed = False
        for entry in self._registry.entries():
            days = entry.instance.retention_days
            if days and not entry.removed:
                cut = to_ms(self._clock.now() - timedelta(days=days))
                removed |= await self._forget(entry.instance.id, cut)
        if removed:
            await self._registry.refresh_history()
            await self._store.scrub()

    async def _forget(self, instance_id: str, cut: int) -> bool:
        """In small transactions, so that others go on writing meanwhile."""
        removed, media_dir = False, self._store.media_dir
        while await self._store.write(lambda conn: _batch(conn, media_dir, instance_id, cut)):
            removed = True
        await self._store.write(lambda conn: expiry.remove_records(conn, instance_id, cut))
        if removed:
            self._registry.forget_history(instance_id)
        return removed


def _batch(conn: Connection, media_dir: Path, instance_id: str, cut: int) -> bool:
    """Remove some of the messages, with their words and files; False: there are none left."""
    found = expiry.old_messages(conn, instance_id, cut, _BATCH)
    for row in found:
        if row["search_rowid"] is not None and row["text"]:
            search.unindex(conn, row["search_rowid"], row["text"], instance_id, row["chat_id"])
    expiry.remove_messages(conn, [row["id"] for row in found])
    for chat in sorted({row["chat_id"] for row in found}):
        resummarize(conn, one_row(conn, chats.get, chat=chat))
    forget_files(conn, media_dir, _unneeded(conn, found))
    return bool(found)


def _unneeded(conn: Connection, removed: Sequence[Row]) -> Sequence[int]:
    """The files of removed messages that no message of their chat has any more."""
    gone: dict[int, set[int]] = {}
    for row in removed:
        gone.setdefault(row["chat_id"], set()).update(_files(row))
    unneeded: set[int] = set()
    for chat, keys in gone.items():
        if keys:
            left = all_rows(conn, expiry.attachments_of, chat=chat)
            unneeded |= keys.difference(*(_files(row) for row in left))
    return sorted(unneeded)


def _files(row: Row) -> set[int]:
    files = (Attachment(**each) for each in load_json(row["attachments"], ()))
    return {key for file in files if (key := decode_id(IdKind.MEDIA, file.media)) is not None}
