"""Messages of ours as their platform tells of them: its answer to a send, or an echo of it.

Either may come first, and an echo may be the only one that comes. They are one message, known by
its native id or by our key, and all that was told of either is kept.
"""

from typing import Any

from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.events import Events
from messengers.core.followups import DELIVERY_RANK, Followups, find
from messengers.models import Delivery
from messengers.providers.base import MessageSeen
from messengers.store import chats, events, messages, outbox, search
from messengers.store.rows import Row, first_row, one_row

__all__ = ["Echoes"]


class Echoes:
    """Joins what a platform tells of our sends with the sends."""

    def __init__(self, events: Events, clock: Clock) -> None:
        self._clock = clock
        self.followups = Followups(events)

    def heard(self, conn: Connection, instance_id: str, seen: MessageSeen) -> bool:
        """Whether a message is the echo of a send whose key it carries; then that was accepted."""
        if not seen.client_key:
            return False
        key = {"instance": instance_id, "key": seen.client_key}
        row = first_row(conn, outbox.by_key, **key)
        if row is None:
            return False
        now = to_ms(self._clock.now())
        outbox.settle(conn, row["id"], "accepted", now)
        outbox.confirm(conn, row["message_id"])
        self.accepted(conn, row, seen.native_id, seen.delivery or "sent")
        return True

    def known(self, conn: Connection, row: Row, seen: MessageSeen) -> None:
        """A stored message was seen at its platform: one of ours is there, whatever was thought."""
        if row["origin"] == "api":
            self.followups.advance(conn, row, seen.delivery or "sent")

    def accepted(self, conn: Connection, row: Row, native_id: str, delivery: Delivery) -> None:
        """The message of an outbox row is at its platform under this id."""
        place = one_row(conn, chats.get, chat=row["chat_id"])
        message = one_row(conn, messages.get, message=row["message_id"])
        echo = find(conn, row["instance_id"], row["chat_id"], native_id)
        if echo is not None and echo["id"] == message["id"]:
            self.followups.advance(conn, message, delivery)
            return
        new: dict[str, Any] = {"native_id": native_id, "delivery": delivery}
        if echo is not None:
            self._take_over(conn, place, message, echo)
            new["delivery"] = max(delivery, echo["delivery"], key=lambda d: DELIVERY_RANK[d])
            new |= {name: echo[name] for name in ("reactions", "edited_at")}
        messages.set_values(conn, message["id"], **new)
        self.followups.record(conn, "message.accepted", message)
        if echo is not None and echo["status"] != "active":
            place = one_row(conn, chats.get, chat=row["chat_id"])
            changed = {"text": echo["text"], "status": echo["status"]}
            self.followups.rewrite(conn, place, message, **changed)
        self.followups.catch_up(conn, place, native_id)

    def _take_over(self, conn: Connection, place: Row, message: Row, echo: Row) -> None:
        """The echo was stored as a message of its own before the send had its answer."""
        if echo["search_rowid"] is not None:
            search.unindex(
                conn, echo["search_rowid"], echo["text"], echo["instance_id"], echo["chat_id"]
            )
        events.repoint(conn, echo["id"], message["id"])
        messages.remove(conn, echo["id"])
        new: dict[str, Any] = {}
        if place["last_id"] == echo["id"]:
            new["last_id"] = message["id"]
        if place["owner_wrote_at"] == echo["sent_at"]:
            # What an agent sent makes no chat known to its owner.
            last = first_row(conn, messages.last_of_owner, chat=place["id"])
            new["owner_wrote_at"] = last["sent_at"] if last else None
        if new:
            chats.set_values(conn, place["id"], **new)
