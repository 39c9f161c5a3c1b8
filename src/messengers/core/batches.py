"""Batches: messages that are held until it is their turn, in the order they were given.

A bulk send is one, and so is a single message that waits for its time. Each recipient has a draft
of his own in the outbox, so what became of it, what is unknown and what a crash left are the
outbox's to say; a batch only decides what may leave next.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import groupby
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.acts import Act, BatchAnswer
from messengers.core.approvals import Approvals, Stage
from messengers.core.audit import Place
from messengers.core.batch_rows import UNDER_WAY, answer_of, recipient_of
from messengers.core.batch_views import OVER, Action, Batch
from messengers.core.callers import Caller
from messengers.core.drafts import Drafts, PartPlan
from messengers.core.events import Events
from messengers.core.instances import Instances
from messengers.core.repeats import REPEATED, Repeats
from messengers.errors import NotFound
from messengers.models import IdKind, decode_id, encode_id
from messengers.store import Store, audit
from messengers.store import batches as rows
from messengers.store.rows import Row, all_rows, id_of, one_row

__all__ = ["Batches"]

_OPEN = ("held", "running", "paused")
_MOVES: Mapping[Action, tuple[tuple[str, ...], str]] = {
    "pause": (("running",), "paused"),
    "resume": (("paused",), "running"),
    "cancel": (_OPEN, "cancelled"),
}


class Batches:
    """Writes, shows, pauses, goes on, ends."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        instances: Instances,
        drafts: Drafts,
        approvals: Approvals,
        repeats: Repeats,
    ) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._instances = instances
        self._drafts = drafts
        self._approvals = approvals
        self._repeats = repeats
        self.wake: Callable[[int], None] = lambda _: None
        """Has a batch that may go on do so; see `core.rounds`."""
        approvals.executors["send_bulk"] = self._execute
        approvals.stages["send_bulk"] = Stage(
            hold=lambda conn, act: (id_of(IdKind.BATCH, self.hold(conn, act)), 0),
            release=lambda conn, batch: self.release(conn, _key(batch)),
            drop=lambda conn, batch, why: self.end(conn, _key(batch), why),
            start=self.start,
            outcome=self._outcome,
        )

    def hold(self, conn: Connection, act: Act) -> int:
        """Within the approval's unit: a batch of which nothing may leave yet."""
        return self.add(conn, act.caller.actor, act.payload, held=True)[0]

    def release(self, conn: Connection, batch: int) -> None:
        """Within the unit that approves it; one that was cancelled meanwhile stays so."""
        self.move(conn, batch, ("held",), "running")

    def drop(
        self, conn: Connection, batch: int, why: str, state: str = "cancelled"
    ) -> Sequence[str]:
        """Within a unit: end it, and what has not left as not sent; returns the drafts of that."""
        if not self.move(conn, batch, _OPEN, state, why):
            return ()
        found = all_rows(conn, rows.recipients, batch=batch)
        drafts = dict.fromkeys(row["draft"] for row in found if row["state"] in UNDER_WAY)
        for draft in drafts:
            self._drafts.drop(conn, draft, why)
        return tuple(drafts)

    def end(self, conn: Connection, batch: int, why: str) -> None:
        """The same of one of which nothing has left."""
        self.drop(conn, batch, why)

    async def start(self, batch: str) -> None:
        """Have what was released leave."""
        self.wake(_key(batch))

    def add(
        self, conn: Connection, actor: str, payload: Mapping[str, Any], *, held: bool
    ) -> tuple[int, bool]:
        """Write a batch with its drafts, or find the one that the same call made before.

        Returns its key and whether it is new.

        The payload's `letters` are the payloads of sends, each with its `position`.
        """
        ref, asked = payload["client_ref"], payload["fingerprint"]
        known = self._repeats.find_within(conn, actor, ref, asked)
        if known is not None:
            return int(known.row["id"]), False
        now = to_ms(self._clock.now())
        wait_ms = payload.get("send_in_ms", 0)
        state = "held" if held else "running"
        values = {
            "kind": payload["kind"],
            "instance_id": payload["instance"],
            "state": state,
            "on_failure": payload["on_failure"],
            "delay_ms": payload["delay_ms"],
            "send_at": now + wait_ms if wait_ms else payload.get("send_at", 0),
            "requested_by": actor,
            "client_ref": ref,
            "draft_hash": asked,
            "created_at": now,
        }
        batch = rows.add(conn, values)
        entries = [*payload["letters"], *payload["skipped"]]
        for entry in sorted(entries, key=lambda each: each["position"]):
            self._add_recipient(conn, batch, actor, entry)
        self._tell(conn, batch, state)
        return batch, True

    def _add_recipient(
        self, conn: Connection, batch: int, actor: str, entry: Mapping[str, Any]
    ) -> None:
        draft = "" if entry.get("skipped") else uuid4().hex
        if draft:
            self._drafts.add(
                conn,
                draft=draft,
                chat=entry["chat"],
                parts=[PartPlan(**part) for part in entry["parts"]],
                reply_to=entry["reply_to"],
                client_ref="",
                fingerprint="",
                time_to_live_s=entry["time_to_live_s"],
                actor=actor,
                held=True,
                batch=batch,
            )
        values = {
            "batch_id": batch,
            "position": entry["position"],
            "chat_id": decode_id(IdKind.CHAT, entry["chat"]),
            "draft": draft,
            "skipped": entry.get("skipped", ""),
        }
        rows.add_recipient(conn, values)

    def _tell(self, conn: Connection, batch: int, state: str) -> None:
        row = one_row(conn, rows.get, batch=batch)
        data = {"batch": encode_id(IdKind.BATCH, batch)}
        kind = f"batch.{state}"
        self._events.record(conn, kind, instance_id=row["instance_id"], data=data)

    def move(
        self, conn: Connection, batch: int, before: tuple[str, ...], state: str, why: str = ""
    ) -> bool:
        """Within a unit: on to another state, with its event; False where it was in none before."""
        ended = to_ms(self._clock.now()) if state in OVER else None
        moved = rows.set_state(conn, batch, before, state, why, ended)
        if moved:
            self._tell(conn, batch, state)
        if moved and state == "paused":
            rows.hold_back(conn, batch)
        return moved

    async def control(self, caller: Caller, ref: str, action: Action) -> Batch:
        """Pause, go on or cancel; what is so already, or over, stays as it is. Raises NotFound."""
        row = await self._row(caller, ref)
        before, state = _MOVES[action]
        if action == "cancel" and row["state"] == "held":
            await self._withdraw(row["id"])

        def unit(conn: Connection) -> Sequence[str]:
            dropped: Sequence[str] = ()
            if action == "cancel":
                dropped = self.drop(conn, row["id"], "It was cancelled.")
            else:
                self.move(conn, row["id"], before, state)
            audit.add(
                conn,
                at=to_ms(self._clock.now()),
                actor=caller.actor,
                client=caller.client,
                action=f"batch.{action}",
                instance_id=row["instance_id"],
                outcome="done",
                detail=id_of(IdKind.BATCH, row["id"]),
            )
            return dropped

        for draft in await self._events.write(unit):
            self._drafts.tell(draft)
        self.wake(row["id"])
        return await self.get(caller, ref)

    async def _withdraw(self, batch: int) -> None:
        """End the approval that a batch waits for: there is nothing left to decide."""
        for approval in await self._approvals.waiting():
            if approval.batch == id_of(IdKind.BATCH, batch):
                await self._approvals.lapse(approval.id)

    async def get(self, caller: Caller, ref: str) -> Batch:
        """One with its recipients. Raises NotFound."""
        return await self._shown(await self._row(caller, ref))

    async def list(
        self, caller: Caller, instance: str = "", *, scheduled: bool = False, limit: int = 20
    ) -> Sequence[Batch]:
        """Bulk sends, newest first; or what has a time and is not over, earliest first."""
        visible = self._instances.visible(caller, instance)
        stmt = rows.listed(instances=visible is not None, waiting=scheduled)
        given = {"instances": visible} if visible is not None else {}
        found = await self._store.rows(stmt, limit=limit, **given)
        return [await self._shown(row) for row in found]

    async def follow(
        self,
        caller: Caller,
        ref: str,
        wait_s: float,
        progress: Callable[[Batch], Awaitable[None]],
    ) -> Batch:
        """Wait until it rests or the time is up; each step on is told."""
        told = -1

        async def resting() -> Batch | None:
            nonlocal told
            now = await self.get(caller, ref)
            if now.settled != told:
                told = now.settled
                await progress(now)
            return now if now.state != "running" else None

        found = await self._events.wait(resting, wait_s) if wait_s else None
        return found or await self.get(caller, ref)

    async def _row(self, caller: Caller, ref: str) -> Row:
        key = decode_id(IdKind.BATCH, ref.strip())
        row = await self._store.row(rows.get, batch=key) if key is not None else None
        if row is None or not caller.sees(row["instance_id"]):
            raise NotFound("No such batch.", "Take the id from send_bulk, e.g. b3.")
        return row

    async def _shown(self, row: Row) -> Batch:
        found = await self._store.rows(rows.recipients, batch=row["id"])
        state, send_at = row["state"], row["send_at"]
        if state == "running" and send_at > to_ms(self._clock.now()):
            state = "scheduled"
        everyone = (list(each) for _, each in groupby(found, lambda each: each["position"]))
        return Batch(
            id=id_of(IdKind.BATCH, row["id"]),
            kind=row["kind"],
            instance=self._instances.name_of(row["instance_id"]),
            state=state,
            reason=row["reason"],
            send_at=from_ms(send_at) if send_at else None,
            created_at=from_ms(row["created_at"]),
            requested_by=row["requested_by"],
            recipients=tuple(recipient_of(parts) for parts in everyone),
        )

    async def _execute(
        self, payload: Mapping[str, Any], caller: Caller, wait_s: float
    ) -> BatchAnswer:
        batch, notes = await self.begin(caller, payload)
        answer = await self._outcome(batch, wait_s)
        return answer.model_copy(update={"notes": (*answer.notes, *notes)})

    async def begin(
        self, caller: Caller, payload: Mapping[str, Any]
    ) -> tuple[str, tuple[str, ...]]:
        """Store a batch and let it go: it is under way, also when who asked leaves.

        Returns its id, and what to say of a call that was made before.
        """
        repeated = () if payload["client_ref"] else (REPEATED,)
        if payload.get("known"):
            return payload["known"], repeated
        made = list[tuple[int, bool]]()

        def unit(conn: Connection) -> tuple[int, bool]:
            made.append(self.add(conn, caller.actor, payload, held=False))
            key, is_new = made[-1]
            if is_new:
                place, detail = Place(payload["instance"]), id_of(IdKind.BATCH, key)
                action = "send_later" if payload["kind"] == "message" else "send_bulk"
                self._approvals.audit.write(conn, caller, action, place, detail=detail)
            return made[-1]

        def committed() -> None:
            self._events.announce()
            for batch, _ in made:
                self.wake(batch)

        batch, is_new = await self._store.write(unit, committed)
        return id_of(IdKind.BATCH, batch), () if is_new else repeated

    async def _outcome(self, ref: str, _wait_s: float) -> BatchAnswer:
        row = await self._store.row(rows.get, batch=_key(ref))
        if row is None:
            raise NotFound("The batch was removed meanwhile.")
        return answer_of(await self._shown(row))


def _key(ref: str) -> int:
    return decode_id(IdKind.BATCH, ref) or 0
