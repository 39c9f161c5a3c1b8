"""The audit: who did what, where and with which outcome. Of texts only a keyed hash.

What is done in one transaction has its line in the same. What is done elsewhere, at a messenger, is
written down before and its outcome after: a line that stays `begun` may have been done. Keyed,
because of a short text a plain hash would be a riddle that any dictionary solves.
"""

import hmac
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.callers import Caller
from messengers.errors import MessengersError, StorageUnavailable, Uncertain
from messengers.store import Store
from messengers.store import audit as rows

__all__ = ["Audit", "Place"]

_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something was done."""

    instance_id: str = ""
    chat_id: int | None = None
    message_id: int | None = None


@dataclass(slots=True)
class _Line:
    outcome: str = "unknown"


class Audit:
    """Writes lines, and forgets the oldest."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def write(
        self,
        conn: Connection,
        caller: Caller,
        action: str,
        place: Place,
        *,
        outcome: str = "done",
        text: str = "",
        detail: str = "",
    ) -> int:
        """A line within a unit of work; returns its key."""
        return rows.add(
            conn,
            at=to_ms(self._clock.now()),
            actor=caller.actor,
            client=caller.client,
            action=action,
            instance_id=place.instance_id,
            chat_id=place.chat_id,
            message_id=place.message_id,
            outcome=outcome,
            text_hash=self.hash(text),
            detail=detail,
        )

    @asynccontextmanager
    async def noted(
        self, caller: Caller, action: str, place: Place | None = None, text: str = ""
    ) -> AsyncGenerator[_Line]:
        """What is done here has a line before it begins; set its `outcome` once it is known.

        Raises StorageUnavailable before anything is done, when it cannot be written down.
        """
        where = place or Place()
        key = await self._store.write(
            lambda conn: self.write(conn, caller, action, where, outcome="begun", text=text)
        )
        line = _Line()
        try:
            yield line
        except MessengersError as exc:
            line.outcome = "unknown" if isinstance(exc, Uncertain) else exc.code
            raise
        finally:
            # What was done is done, also when its outcome cannot be written: then it stays begun.
            with anyio.CancelScope(shield=True), suppress(StorageUnavailable):
                await self._store.write(lambda conn: rows.end(conn, key, line.outcome))

    def hash(self, text: str) -> str:
        """The same for the same text, in this store only; '' for none."""
        if not text:
            return ""
        said = b"text\0" + text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._store.pepper, said, "sha256").hex()

    async def expire(self, days: int) -> None:
        """Forget what is older; in small steps, for others write."""
        cut = to_ms(self._clock.now() - timedelta(days=days))
        while await self._store.write(lambda conn: rows.forget(conn, cut, _AT_ONCE)) == _AT_ONCE:
            pass
