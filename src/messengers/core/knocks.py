"""A stranger knocks: in the unit that keeps what he wrote, he begins to wait for the owner."""

import secrets

from sqlalchemy import Connection

from messengers.store import pairings
from messengers.store.rows import Row

__all__ = ["knock"]

_MOST = 50
"""Of one instance at once."""
_HOLDS_MS = 3600 * 1000
_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""What reads alike is left out."""
_LENGTH = 8


def knock(conn: Connection, chat: Row, sender_id: str, now: int) -> None:
    """Give him a code at a time (ms), if he has none and there is room on the list."""
    values = {
        "instance_id": chat["instance_id"],
        "chat_id": chat["id"],
        "sender_id": sender_id,
        "code": "".join(secrets.choice(_LETTERS) for _ in range(_LENGTH)),
        "created_at": now,
        "expires_at": now + _HOLDS_MS,
    }
    pairings.add(conn, values, _MOST)
