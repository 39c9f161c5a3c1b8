"""Live messages that one unit of work stores.

Of a chat to which several came the row is read and its summary written once, and the words and
events of all are written together: a statement costs the writer more than what it does.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from messengers.core.summaries import summary_with
from messengers.providers.base import ChatSeen, ContactSeen
from messengers.store import chats, messages, search
from messengers.store.rows import Row

__all__ = ["Burst"]

_TOLD = {"in": "message.received", "out": "message.sent"}


class Burst:
    """What was read for its messages, and what is still to be written of them."""

    def __init__(self, conn: Connection, times: Iterable[int]) -> None:
        """`times` (ms) are those of the messages that have a text, in their order."""
        self._conn = conn
        self._rowids = iter(search.next_rowids(conn, times))
        self._places: dict[int, Row] = {}
        self._keys: dict[tuple[str, str], int] = {}
        self._summaries: dict[int, dict[str, Any]] = {}
        self._met: set[tuple[str, ContactSeen]] = set()
        self.added: list[Row] = []
        """Messages that were not known before, with their keys."""

    def chat(self, instance_id: str, seen: ChatSeen) -> Row | None:
        """A chat of an earlier message, with all that came to it."""
        key = self._keys.get((instance_id, seen.native_id))
        return None if key is None else self._places[key]

    def place(self, chat_id: int) -> Row:
        """The same by its key."""
        return self._places[chat_id]

    def meets(self, instance_id: str, contact: ContactSeen) -> bool:
        """Whether something is told of a contact that no earlier message told."""
        told = (instance_id, contact)
        is_new = told not in self._met
        self._met.add(told)
        return is_new

    def add(self, chat: Row, values: Row) -> bool:
        """Store a message; False when its chat has it already."""
        self._keys[chat["instance_id"], chat["native_id"]] = chat["id"]
        self._places[chat["id"]] = chat
        rowid = next(self._rowids) if values["text"] else None
        values = {**values, "search_rowid": rowid}
        key = messages.add_new(self._conn, values)
        if key is None:
            return False
        self.added.append({**values, "id": key})
        new = {} if values["withheld"] else summary_with(chat, key, values)
        self._summaries.setdefault(chat["id"], {}).update(new)
        self._places[chat["id"]] = {**chat, **new}
        return True

    def finish(self) -> list[tuple[str, Row]]:
        """Write what was put off; returns what is to be told: a kind of event and its message."""
        for chat, new in self._summaries.items():
            if new:
                chats.set_values(self._conn, chat, **new)
        words = [
            (row["search_rowid"], row["text"], row["instance_id"], row["chat_id"])
            for row in self.added
            if row["text"]
        ]
        search.index_all(self._conn, words)
        live = (row for row in self.added if row["origin"] in ("realtime", "device"))
        return [(_TOLD[row["direction"]], row) for row in live if not row["withheld"]]
