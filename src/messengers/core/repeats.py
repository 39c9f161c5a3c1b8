"""Calls that come again: a key names one send, and without one so does a short moment.

A client whose stream broke repeats its call by itself (MCP 2026-07-28), so without a key an
identical one counts as the same while the first waits, and shortly after.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select

from messengers.clock import Clock, to_ms
from messengers.core.steady import Steady
from messengers.errors import Conflict, InvalidInput
from messengers.store import Store, batches, outbox
from messengers.store.rows import Row, first_row

__all__ = ["REPEATED", "Known", "Repeats", "fingerprint"]

REPEATED = (
    "The same call was made a moment ago: this is its answer, and nothing was sent again. "
    "To send the same once more, give it a client_ref of its own."
)
_REF_WINDOW_MS = 24 * 3600 * 1000
_WAITS_MS = 120 * 1000
_SETTLED_MS = 15 * 1000
_MAX_REF = 200


@dataclass(frozen=True, slots=True)
class Known:
    """What the call made when it came first."""

    row: Row
    is_batch: bool


class Repeats:
    """Finds it."""

    def __init__(self, store: Store, clock: Clock, steady: Steady) -> None:
        self._store = store
        self._clock = clock
        self._steady = steady

    async def find(self, actor: str, client_ref: str, asked: str) -> Known | None:
        """What the same call made, unless that still waits for the owner: it is asked for again.

        `asked`: the call's fingerprint. Raises Conflict when the key named something else.
        """
        if len(client_ref) > _MAX_REF:
            raise InvalidInput(
                f"client_ref is longer than {_MAX_REF} characters.", "Use a short key."
            )
        for stmt, params, is_batch in self._ways(actor, client_ref, asked):
            row = await self._store.row(stmt, **params)
            if row is not None and row["state"] != "held":
                return _same(row, asked, is_batch=is_batch)
        return None

    def find_within(
        self, conn: Connection, actor: str, client_ref: str, asked: str
    ) -> Known | None:
        """The same within the unit that would make it, also of what waits for the owner."""
        for stmt, params, is_batch in self._ways(actor, client_ref, asked):
            row = first_row(conn, stmt, **params)
            if row is not None:
                return _same(row, asked, is_batch=is_batch)
        return None

    def _ways(
        self, actor: str, client_ref: str, asked: str
    ) -> Iterator[tuple[Select[Any], Mapping[str, object], bool]]:
        """By its key, or an identical one of this moment; a message, then a batch."""
        now = to_ms(self._clock.now())
        if client_ref:
            params = {"caller": actor, "ref": client_ref, "since": now - _REF_WINDOW_MS}
            yield outbox.by_ref, params, False
            yield batches.by_ref, params, True
        else:
            params = {"caller": actor, "hash": asked, "since": now - _WAITS_MS}
            settled = {"settled": self._steady.now_ms() - _SETTLED_MS}
            yield outbox.by_hash, params | settled, False
            yield batches.by_hash, params | {"settled": now - _SETTLED_MS}, True


def fingerprint(*asked: object) -> str:
    """What must be equal for two calls to be the same call: all that was asked for, as JSON."""
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()


def _same(row: Row, asked: str, *, is_batch: bool) -> Known:
    if row["draft_hash"] != asked:
        raise Conflict(
            "This client_ref named something else before.", "Use a new one for each send."
        )
    return Known(row, is_batch)
