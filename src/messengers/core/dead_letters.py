"""Dead letters: what arrived and could not be understood. Kept whole, shown, tried again on demand.

A letter stays an event of its chat: tried again it comes before all that is waiting there.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

from sqlalchemy import Connection

from messengers.clock import from_ms
from messengers.core.audit import Audit, Place
from messengers.core.callers import Caller
from messengers.core.events import Events
from messengers.core.inbox import Inbox
from messengers.core.instances import Instances
from messengers.core.letters import DeadLetter, Replayed
from messengers.core.pages import Page, check_limit
from messengers.errors import NotFound
from messengers.models import IdKind, decode_id, encode_id
from messengers.store import Store, inbound
from messengers.store.rows import Row, dump_json

__all__ = ["DeadLetters"]

_AT_ONCE = 1_000
"""Letters tried again by one call without naming them."""


class DeadLetters:
    """List, read, replay."""

    def __init__(
        self, store: Store, events: Events, instances: Instances, inbox: Inbox, audit: Audit
    ) -> None:
        self._store = store
        self._events = events
        self._instances = instances
        self._inbox = inbox
        self._audit = audit

    async def count(self) -> int:
        """How many there are, of all instances."""
        row = await self._store.row(inbound.dead_count)
        return int(row["count"]) if row else 0

    async def list(
        self, caller: Caller, instance: str = "", limit: int = 20, cursor: str = ""
    ) -> Page[DeadLetter]:
        """Without what they hold, newest first."""
        check_limit(limit, 200)
        scope = f"dead letters {self._instances.visible(caller, instance)}"
        before = self._store.cursors.decode(scope, cursor)[0] if cursor else None
        rows = await self._rows(caller, instance, limit + 1, before)
        kept = tuple(map(self._of_row, rows[:limit]))
        if len(rows) <= limit:
            return Page(kept)
        return Page(kept, self._store.cursors.encode(scope, (rows[limit - 1]["id"],)))

    async def get(self, caller: Caller, letter: str) -> DeadLetter:
        """One with what it holds. Raises NotFound."""
        row = await self._row(caller, letter)
        held = bytes(row["payload"])
        shown = self._of_row({**row, "size_bytes": len(held)})
        return shown.model_copy(update={"payload": held.decode("utf-8", "replace")})

    async def replay(self, caller: Caller, letter: str, wait_s: float = 10.0) -> Replayed:
        """Try one again, or, by `all`, every one that the caller sees, in the order they came.

        Raises NotFound for a letter that is none, or was understood meanwhile.
        """
        if letter.strip().lower() == "all":
            rows: Sequence[Row] = await self._rows(caller, "", _AT_ONCE)
        else:
            rows = [await self._row(caller, letter)]
        if not rows:
            return Replayed()
        await self._store.write(lambda conn: self._write_down(conn, caller, rows))
        await self._inbox.revive(rows)
        keys = dump_json([row["id"] for row in rows])

        async def decided() -> Mapping[int, Row] | None:
            found = await self._states(keys)
            return found if _counted(found, "new") == 0 else None

        found = await self._events.wait(decided, wait_s) or await self._states(keys)
        dead = [row for row in found.values() if row["state"] == "dead"]
        return Replayed(
            understood=_counted(found, "done"),
            waiting=_counted(found, "new"),
            dead=tuple(encode_id(IdKind.DEAD_LETTER, row["id"]) for row in dead),
            error=dead[-1]["error"] if dead else "",
        )

    def _write_down(self, conn: Connection, caller: Caller, letters: Sequence[Row]) -> None:
        for each in letters:
            detail = encode_id(IdKind.DEAD_LETTER, each["id"])
            place = Place(each["instance_id"])
            self._audit.write(conn, caller, "dead_letter.replayed", place, detail=detail)

    async def _states(self, keys: str) -> Mapping[int, Row]:
        return {row["id"]: row for row in await self._store.rows(inbound.states, keys=keys)}

    async def _rows(
        self, caller: Caller, instance: str, limit: int, before: object = None
    ) -> Sequence[Row]:
        """Of the instances that the caller sees, newest first."""
        wanted = self._instances.visible(caller, instance)
        params: dict[str, object] = {"instances": wanted, "before": before}
        given = {name: value for name, value in params.items() if value is not None}
        stmt = inbound.dead(instances=wanted is not None, older=before is not None)
        return await self._store.rows(stmt, limit=limit, **given)

    async def _row(self, caller: Caller, letter: str) -> Row:
        key = decode_id(IdKind.DEAD_LETTER, letter.strip())
        row = await self._store.row(inbound.get, row=key) if key is not None else None
        if row is None or row["state"] != "dead" or not caller.sees(row["instance_id"]):
            raise NotFound("No such dead letter.", "list_dead_letters shows which there are.")
        return row

    def _of_row(self, row: Row) -> DeadLetter:
        return DeadLetter(
            id=encode_id(IdKind.DEAD_LETTER, row["id"]),
            instance=self._instances.name_of(row["instance_id"]),
            chat=row["chat_key"],
            kind=row["kind"],
            received_at=from_ms(row["received_at"]),
            attempts=row["attempts"],
            error=row["error"],
            size_bytes=row["size_bytes"],
        )


def _counted(rows: Mapping[int, Row], state: Literal["new", "done"]) -> int:
    return sum(1 for row in rows.values() if row["state"] == state)
