"""What waits for the owner: held acts, decided once.

An approval is bound to a keyed hash of what would happen and where. Deciding and releasing a held
draft are one transaction, so an approved message cannot be lost or released twice.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import anyio
import orjson
from sqlalchemy import Connection

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.acts import (
    Act,
    Answer,
    Approval,
    BatchAnswer,
    Choice,
    InstanceAnswer,
    Shown,
    choices,
    files_in,
)
from messengers.core.address import Address
from messengers.core.audit import Audit, Place
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import Chats
from messengers.core.events import Events
from messengers.core.instances import Instances
from messengers.core.limits import Limits
from messengers.errors import Conflict, Forbidden, InvalidInput, NotFound, Uncertain
from messengers.models import Chat, IdKind, Outcome, SentMessage, decode_id, encode_id
from messengers.store import Store, chats
from messengers.store import approvals as rows
from messengers.store.rows import Row, id_of, load_json, one_row

__all__ = ["Approvals", "Executor", "Stage"]

_BATCHES = frozenset({"send_bulk", "send_later"})
"""What these hold is a batch."""
_WRITTEN_DOWN = frozenset(
    {
        *("send", "send_fetched", "send_later", "send_bulk"),
        *("create_instance", "disconnect_instance", "delete_instance"),
    }
)
"""What stands in the audit by the transaction that does it."""
_LIFETIME_MS = 24 * 3600 * 1000
Executor = Callable[[Mapping[str, Any], Caller, float], Awaitable[Answer]]
"""Does an approved act: (payload, caller, seconds to wait) → answer."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How a send is held in the outbox, within the approval's own transaction."""

    hold: Callable[[Connection, Act], tuple[str, int]]
    """Writes the held rows; returns (draft, first message's key)."""
    release: Callable[[Connection, str], None]
    drop: Callable[[Connection, str, str], None]
    """(draft, why): ends it as not sent."""
    start: Callable[[str], Awaitable[None]]
    """Has what was released leave; a dropped draft has nothing left to do."""
    outcome: Callable[[str, float], Awaitable[Answer]]
    """Waits for what became of a released or dropped draft."""


@dataclass(frozen=True, slots=True)
class _Doing:
    """What is done now: in whose right, and at whose wish."""

    action: str
    caller: Caller
    asker: Caller
    place: Place
    text: str


class Approvals:
    """Holds, shows, decides."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        audit: Audit,
        address: Address,
        events: Events,
        instances: Instances,
        chats: Chats,
        limits: Limits,
    ) -> None:
        self.audit = audit
        self._address = address
        self._store = store
        self._clock = clock
        self._events = events
        self._instances = instances
        self._chats = chats
        self._limits = limits
        self.executors: dict[str, Executor] = {}
        self.stages: dict[str, Stage] = {}

    async def perform(self, act: Act, wait_s: float = 5.0) -> Answer:
        """Do it now where policy allows, otherwise hold it and say so.

        Raises RateLimited: too much for this account or chat at once.
        """
        if not act.is_known:
            self._limits.act(act)
        if act.needs_approval:
            approval = await self.hold(act)
            return _held_answer(act, approval, self._address.approval(approval.id))
        doing = _Doing(act.action, act.caller, act.caller, _place(act), act.shown.text)
        return await self._do(doing, act.payload, wait_s)

    async def _do(self, doing: _Doing, payload: Mapping[str, Any], wait_s: float) -> Answer:
        """Do it, and write down who did and what became of it."""
        execute = self.executors[doing.action]
        if doing.action in _WRITTEN_DOWN:
            return await execute(payload, doing.caller, wait_s)
        noted = self.audit.noted(doing.asker, doing.action, doing.place, doing.text)
        async with noted as line:
            answer = await execute(payload, doing.caller, wait_s)
            line.outcome = str(answer.outcome)
        return answer

    async def hold(self, act: Act) -> Approval:
        """Keep an act until the owner decides. The identical waiting act is the same approval."""
        row = await self._events.write(lambda conn: self._hold(conn, act))
        return self._of_row(row)

    def _hold(self, conn: Connection, act: Act) -> Row:
        now, digest = to_ms(self._clock.now()), act.digest(self._store.pepper)
        known = rows.find_waiting(conn, act.caller.actor, digest, now)
        if known is not None:
            return known
        stage = self.stages.get(act.action)
        draft, message = stage.hold(conn, act) if stage else ("", None)
        chat = decode_id(IdKind.CHAT, act.chat.id) if act.chat else None
        sealed = self._store.cipher.seal("approval", digest, "payload", orjson.dumps(act.payload))
        values = {
            "action": act.action,
            "instance_id": act.instance_id,
            "chat_id": chat,
            "payload": sealed,
            "draft": draft,
            "message_id": message,
            "shown": act.shown.model_dump_json(),
            "hash": digest,
            "requested_by": act.caller.actor,
            "created_at": now,
            "expires_at": now + _LIFETIME_MS,
        }
        key = rows.add(conn, values)
        self._event(conn, "approval.waiting", {**values, "id": key})
        asked, outcome = f"{act.action}.asked", "needs_approval"
        self.audit.write(conn, act.caller, asked, _place(act), outcome=outcome, text=act.shown.text)
        return {**values, "id": key, "state": "waiting", "decision": ""}

    async def decide(self, approval: str, decision: Choice, by: str, wait_s: float = 5.0) -> Answer:
        """The owner's answer, taken once. Approving does what was held, and nothing else.

        Raises NotFound, Conflict when it was decided before or its time is over, or InvalidInput
        when a standing answer is given to what is agreed to one by one.
        """
        row = await self._row(approval)
        if decision not in choices(row["action"], in_chat=bool(row["chat_id"])):
            raise InvalidInput("This is agreed to one by one.", "Answer once or reject.")
        stage = self.stages.get(row["action"])
        answer = self._undone(row)
        if decision in ("once", "always"):
            await self._require_open(row, decision)
        # What is decided is done, also when who decided leaves meanwhile.
        with anyio.CancelScope(shield=True):
            await self._events.write(lambda conn: self._decide(conn, row, decision, by))
            if stage is not None:
                await stage.start(row["draft"])
            elif decision in ("once", "always"):
                answer = await self._carry_out(row, wait_s)
        return answer if stage is None else await stage.outcome(row["draft"], wait_s)

    async def _require_open(self, row: Row, decision: Choice) -> None:
        """Raises Forbidden where the owner closed the chat meanwhile; what waits goes on.

        An *always* takes the place of his *never*.
        """
        place = await self._store.row(chats.get, chat=row["chat_id"]) if row["chat_id"] else None
        if place is None:
            return
        decided = {**place, "decision": decision if decision == "always" else place["decision"]}
        if why := self._chats.access.refusal(decided):
            raise Forbidden(why, "Reject it, or take that back first.")

    async def _carry_out(self, row: Row, wait_s: float) -> Answer:
        sealed = bytes(row["payload"])
        payload = self._store.cipher.open("approval", row["hash"], "payload", sealed)
        place = Place(row["instance_id"], row["chat_id"], row["message_id"])
        asker = Caller(row["requested_by"])
        doing = _Doing(row["action"], OWNER, asker, place, Shown(**load_json(row["shown"])).text)
        answer = await self._do(doing, orjson.loads(payload), wait_s)
        key, outcome = row["id"], answer.model_dump_json()
        await self._store.write(lambda conn: rows.set_values(conn, key, outcome=outcome))
        return answer

    def _decide(self, conn: Connection, row: Row, decision: Choice, by: str) -> None:
        now = to_ms(self._clock.now())
        approved = decision in ("once", "always")
        state = "approved" if approved else "rejected"
        if row["expires_at"] <= now or not rows.decide(conn, row["id"], state, decision, now, by):
            raise Conflict("This approval was decided before or its time is over.", "Ask again.")
        _forget(conn, row)
        stage = self.stages.get(row["action"])
        if stage is not None:
            if approved:
                stage.release(conn, row["draft"])
            else:
                stage.drop(conn, row["draft"], "The owner did not approve it.")
        if decision in ("always", "never") and row["chat_id"]:
            self._chats.write_decision(conn, self._chat_of(conn, row), decision)
        self._event(conn, f"approval.{state}", row)
        self._write_down(conn, row, state, decision, by)

    def _write_down(
        self, conn: Connection, row: Row, state: str, decision: Choice, by: str
    ) -> None:
        """The decision, and with it what is released by it, in the name of who asked for it."""
        place = Place(row["instance_id"], row["chat_id"], row["message_id"])
        text, decided = Shown(**load_json(row["shown"])).text, f"{row['action']}.{state}"
        self.audit.write(conn, Caller(by), decided, place, outcome=decision, text=text)
        if state == "approved" and row["action"] in self.stages:
            outcome, asker = "queued" if row["message_id"] else "done", Caller(row["requested_by"])
            self.audit.write(conn, asker, row["action"], place, outcome=outcome, text=text)

    def _chat_of(self, conn: Connection, row: Row) -> Chat:
        found = one_row(conn, chats.get, chat=row["chat_id"])
        return self._chats.of_row(found)

    async def waiting(self) -> list[Approval]:
        """What waits, oldest first."""
        found = await self._store.rows(rows.waiting, now=to_ms(self._clock.now()))
        return [self._of_row(row) for row in found]

    async def decided(self, limit: int) -> list[Approval]:
        """What does not wait any more, newest first."""
        return [self._of_row(row) for row in await self._store.rows(rows.decided, limit=limit)]

    async def files(self, approval: str) -> list[str]:
        """The media ids of what would leave; none once it was decided."""
        row = await self._row(approval)
        if not row["payload"]:
            return []
        sealed = bytes(row["payload"])
        payload = self._store.cipher.open("approval", row["hash"], "payload", sealed)
        return list(dict.fromkeys(files_in(orjson.loads(payload))))

    async def get(self, approval: str) -> Approval:
        """One approval, decided or not. Raises NotFound."""
        return self._of_row(await self._row(approval))

    async def latest(self, act: Act) -> Approval | None:
        """The newest approval of exactly this act of its caller, decided or not."""
        digest = act.digest(self._store.pepper)
        row = await self._store.row(rows.latest, caller=act.caller.actor, hash=digest)
        return None if row is None else self._of_row(row)

    async def outcome(self, approval: str, wait_s: float = 5.0) -> Answer:
        """What became of a decided approval.

        Raises Uncertain when it was approved and its act has not ended, or failed.
        """
        row = await self._row(approval)
        stage = self.stages.get(row["action"])
        if stage is not None:
            return await stage.outcome(row["draft"], wait_s)
        if row["outcome"]:
            answer = SentMessage if row["chat_id"] else InstanceAnswer
            return answer.model_validate_json(row["outcome"])
        if row["state"] == "approved":
            raise Uncertain("The owner approved it; what became of it is not known yet.")
        return self._undone(row)

    async def expire(self) -> None:
        """End what nobody decided in time, as not sent."""
        for row in await self._store.rows(rows.due, now=to_ms(self._clock.now())):
            await self._events.write(lambda conn, row=row: self._expire(conn, row))

    async def lapse(self, approval: str) -> None:
        """End one before its time, because its question was not answered. What is decided stays."""
        row = await self._row(approval)
        await self._events.write(lambda conn: self._expire(conn, row))

    def _expire(self, conn: Connection, row: Row) -> None:
        now = to_ms(self._clock.now())
        if not rows.decide(conn, row["id"], "expired", "", now, ""):
            return
        _forget(conn, row)
        stage = self.stages.get(row["action"])
        if stage is not None:
            stage.drop(conn, row["draft"], "Nobody approved it in time.")
        self._event(conn, "approval.expired", row)

    async def _row(self, approval: str) -> Row:
        key = decode_id(IdKind.APPROVAL, approval.strip())
        row = await self._store.row(rows.get, approval=key) if key is not None else None
        if row is None:
            raise NotFound("No such approval.", "`messengers approve` shows what waits.")
        return row

    def _event(self, conn: Connection, kind: str, row: Row) -> None:
        self._events.record(
            conn,
            kind,
            instance_id=row["instance_id"],
            chat_id=row["chat_id"],
            message_id=row["message_id"],
            data={"approval": encode_id(IdKind.APPROVAL, row["id"]), "action": row["action"]},
        )

    def _undone(self, row: Row) -> Answer:
        if row["chat_id"]:
            return SentMessage(
                chat=id_of(IdKind.CHAT, row["chat_id"]),
                outcome=Outcome.NOT_SENT,
                notes=("The owner did not approve it.",),
            )
        shown = Shown(**load_json(row["shown"]))
        return InstanceAnswer(
            instance=shown.recipient,
            provider="",
            outcome="not_done",
            reason="The owner did not approve it.",
        )

    def _of_row(self, row: Row) -> Approval:
        instance = self._instances.name_of(row["instance_id"]) if row["instance_id"] else ""
        return Approval(
            id=encode_id(IdKind.APPROVAL, row["id"]),
            action=row["action"],
            instance=instance,
            chat=id_of(IdKind.CHAT, row["chat_id"]),
            shown=Shown(**load_json(row["shown"])),
            state=row["state"],
            requested_by=row["requested_by"],
            created_at=from_ms(row["created_at"]).isoformat(),
            expires_at=from_ms(row["expires_at"]).isoformat(),
            decision=row["decision"],
            decided_at=from_ms(row["decided_at"]).isoformat() if row.get("decided_at") else "",
            decided_by=row.get("decided_by", ""),
            message=id_of(IdKind.MESSAGE, row["message_id"]),
            batch=row["draft"] if row["action"] in _BATCHES else "",
        )


def _place(act: Act) -> Place:
    """Where an act happens; of one on a message also which."""
    chat = decode_id(IdKind.CHAT, act.chat.id) if act.chat else None
    message = decode_id(IdKind.MESSAGE, str(act.payload.get("message", "")))
    return Place(act.instance_id, chat, message)


def _forget(conn: Connection, row: Row) -> None:
    """Nothing needs the payload again; it may hold credentials that a program gave."""
    rows.set_values(conn, row["id"], payload=b"")


def _held_answer(act: Act, approval: Approval, link: str) -> Answer:
    """What the caller hears while the owner has not decided. The link needs the owner's login."""
    command = f"`messengers approve {approval.id}` in a terminal"
    notes = (f"{act.why} Ask the owner to run {command} or to decide at {link}",)
    if act.chat is not None:
        return SentMessage(
            message=approval.message,
            chat=act.chat.id,
            outcome=Outcome.NEEDS_APPROVAL,
            approval=approval.id,
            notes=notes,
        )
    if approval.batch:
        return BatchAnswer(
            batch=approval.batch,
            instance=act.instance,
            outcome="needs_approval",
            approval=approval.id,
            notes=notes,
        )
    return InstanceAnswer(
        instance=act.instance,
        id=act.instance_id,
        provider=act.provider,
        outcome="needs_approval",
        approval=approval.id,
        notes=notes,
    )
