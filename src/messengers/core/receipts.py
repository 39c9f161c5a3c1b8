"""Read receipts: the only thing that ever sends one. Reading through a tool never does."""

from collections.abc import Sequence

from sqlalchemy import Connection

from messengers.core.audit import Audit, Place
from messengers.core.callers import Caller
from messengers.core.chats import Chats, chat_key
from messengers.core.events import Events
from messengers.core.instances import Instances
from messengers.errors import Forbidden, NotFound
from messengers.models import Chat, IdKind, MessageRef, decode_id
from messengers.providers.base import MarksRead
from messengers.store import Store, chats, messages
from messengers.store.rows import Row

__all__ = ["Receipts"]

_MAX_MARKED = 200


class Receipts:
    """Marks chats as read."""

    def __init__(
        self, store: Store, audit: Audit, events: Events, instances: Instances, chats: Chats
    ) -> None:
        self._store = store
        self._audit = audit
        self._events = events
        self._instances = instances
        self._chats = chats

    async def up_to(self, caller: Caller, chat: Chat, until: str = "") -> Chat:
        """Tell the platform and the store that the owner's side has read up to a message (all).

        Raises Forbidden: nothing may leave.
        """
        instance = self._instances.resolve(caller, chat.instance)
        verdict = self._chats.access.judge(chat, instance)
        if verdict.refused:
            raise Forbidden(verdict.why, "Only the owner can change that.")
        newest = await self._newest(chat, until)
        if newest is None:
            return chat
        provider = self._instances.provider(instance.id)
        key, marker = chat_key(chat), newest["id"]
        if isinstance(provider, MarksRead):
            unread = await self._unread(key, newest)
            if unread:
                await provider.mark_read(chat.native_id, unread)
        left = await self._store.row(messages.unread_after, chat=key, marker=marker)
        unread = left["unread"] if left else 0

        def unit(conn: Connection) -> None:
            chats.set_values(conn, key, unread=unread, read_marker=marker)
            self._audit.write(conn, caller, "mark_read", Place(instance.id, key))
            self._events.record(conn, "chat.read", instance_id=instance.id, chat_id=key)

        await self._events.write(unit)
        return await self._chats.get(caller, chat.id)

    async def _unread(self, chat: int, newest: Row) -> Sequence[MessageRef]:
        """What others wrote after the read marker up to a message; oldest first."""
        place = {"chat": chat, "until": newest["id"], "limit": _MAX_MARKED}
        found = await self._store.rows(messages.unread_until, **place) or [newest]
        return [
            MessageRef(native_id=row["native_id"], sender_native_id=row["sender_id"])
            for row in reversed(found)
            if row["native_id"] and row["direction"] == "in"
        ]

    async def _newest(self, chat: Chat, until: str) -> Row | None:
        if until:
            wanted = decode_id(IdKind.MESSAGE, until.strip()) or 0
            row = await self._store.row(messages.get, message=wanted)
            if row is None or row["chat_id"] != chat_key(chat):
                raise NotFound("No such message in this chat.", "Take the id from read_messages.")
            return row
        stmt = messages.page(since=False, older=False)
        found = await self._store.rows(stmt, chat=chat_key(chat), until=2**62, limit=1)
        return found[0] if found else None
