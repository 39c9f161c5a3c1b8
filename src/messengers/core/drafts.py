"""A draft in the store: its outbox rows, its messages, and what became of them.

One row per platform call, each with a message of its own. All of it is written within the unit of
work of whoever decides: queueing, approving, settling.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import Access
from messengers.core.budgets import Budgets
from messengers.core.events import Events
from messengers.core.happenings import Happenings
from messengers.core.media import Media
from messengers.errors import NotFound
from messengers.models import (
    Button,
    Card,
    IdKind,
    Location,
    MessageRef,
    Model,
    Outcome,
    Poll,
    SentMessage,
    encode_id,
    require_id,
)
from messengers.providers.base import Sent
from messengers.store import Store, audit, chats, messages, outbox, search
from messengers.store.rows import Row, all_rows, dump_json, load_json, one_row

__all__ = ["WORST_FIRST", "Drafts", "PartPlan"]

_DAY_MS = 24 * 3600 * 1000
WORST_FIRST = ("unknown", "failed", "not_sent", "held", "queued", "claimed", "accepted")
_OUTCOMES = {
    "unknown": Outcome.UNKNOWN,
    "failed": Outcome.FAILED,
    "not_sent": Outcome.NOT_SENT,
    "held": Outcome.NEEDS_APPROVAL,
    "queued": Outcome.QUEUED,
    "claimed": Outcome.QUEUED,
    "accepted": Outcome.ACCEPTED,
}
_SETTLED = ("unknown", "failed", "not_sent", "accepted")


class PartPlan(Model):
    """One platform call, as it is kept."""

    text: str = ""
    """In the provider's dialect."""
    source: str = ""
    """What the transcript shows."""
    media: str = ""
    reply_to: MessageRef | None = None
    silent: bool = False
    missed: tuple[str, ...] = ()
    """What of the draft its messenger cannot do, for the sender."""
    location: Location | None = None
    contact: Card | None = None
    poll: Poll | None = None
    buttons: tuple[Button, ...] = ()
    keyboard: bool = False
    more: tuple[str, ...] = ()
    """Further files of the same message."""

    @property
    def files(self) -> tuple[str, ...]:
        """The media ids of all its files."""
        return ((self.media, *self.more)) if self.media else ()

    @property
    def detail(self) -> dict[str, Any]:
        """What the message shows beside its text, as of one that came."""
        contents = {"location": self.location, "contact": self.contact, "poll": self.poll}
        found: dict[str, Any] = {n: value.model_dump() for n, value in contents.items() if value}
        return found | ({"buttons": [b.text for b in self.buttons]} if self.buttons else {})


@dataclass(slots=True)
class _News:
    """Those who wait for a draft, which the same call may have asked for many times."""

    event: anyio.Event = field(default_factory=anyio.Event)
    waiting: int = 0


class Drafts:
    """Held, queued, settled."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        media: Media,
        access: Access,
        budgets: Budgets,
    ) -> None:
        self._budgets = budgets
        self._store = store
        self._clock = clock
        self._events = events
        self._media = media
        self._happenings = Happenings(events, clock, access)
        self._news: dict[str, _News] = {}
        self.refusal = access.refusal
        """Why nothing leaves for a chat, '' where nothing forbids it."""

    def add(
        self,
        conn: Connection,
        *,
        draft: str,
        chat: str,
        parts: Sequence[PartPlan],
        reply_to: str,
        client_ref: str,
        fingerprint: str,
        time_to_live_s: int,
        actor: str,
        held: bool,
        batch: int | None = None,
    ) -> tuple[str, int]:
        """Write a draft: per part an outbox row and its message. Returns (draft, first message).

        Raises RateLimited: the budget of the caller or the account is spent.
        """
        key = require_id(IdKind.CHAT, chat, "chat")
        place = one_row(conn, chats.get, chat=key)
        self._budgets.require(conn, actor, place, len(parts))
        now = to_ms(self._clock.now())
        first = 0
        for number, part in enumerate(parts, 1):
            message = self._message(conn, place, part, reply_to, f"{number}/{len(parts)}")
            first = first or message
            row = {
                "draft": draft,
                "instance_id": place["instance_id"],
                "chat_id": key,
                "message_id": message,
                "part": number,
                "parts": len(parts),
                "payload": part.model_dump_json(),
                "key": f"{draft}{number:02d}",
                "client_ref": client_ref,
                "draft_hash": fingerprint,
                "batch_id": batch,
                "state": "held" if held else "queued",
                "expires_at": now + time_to_live_s * 1000,
                "requested_by": actor,
                "created_at": now,
            }
            outbox.add(conn, row)
            if not held:
                self._listed(conn, message, now)
        return draft, first

    def _message(
        self, conn: Connection, place: Row, part: PartPlan, reply_to: str, number: str
    ) -> int:
        files = [self._media.attachment(conn, each) for each in part.files]
        values = {
            "instance_id": place["instance_id"],
            "chat_id": place["id"],
            "direction": "out",
            "origin": "api",
            "sender_id": "",
            "is_me": 1,
            "received_at": to_ms(self._clock.now()),
            "text": part.source or part.text,
            "attachments": dump_json([file.model_dump() for file in files]),
            "media": " ".join(file.kind for file in files),
            "detail": dump_json(part.detail),
            "reply_to": reply_to if part.reply_to else "",
            "part": "" if number == "1/1" else number,
        }
        return messages.add(conn, values)

    def _listed(self, conn: Connection, message: int, now: int) -> None:
        """From here on the message stands in the transcript, the summary and the search."""
        row = one_row(conn, messages.get, message=message)
        if row["sent_at"] is not None:
            return  # it was let go before, and held back again
        place = one_row(conn, chats.get, chat=row["chat_id"])
        rowid = search.next_rowid(conn, now) if row["text"] else None
        if rowid is not None:
            search.index(conn, rowid, row["text"], row["instance_id"], row["chat_id"])
        new = {"sent_at": now, "delivery": "pending", "search_rowid": rowid}
        messages.set_values(conn, message, **new)
        self._happenings.summarize(conn, place, message, {**row, **new})
        self._event(conn, "message.queued", row)

    def release(self, conn: Connection, draft: str) -> None:
        """Let a held draft go, within the unit that approves it."""
        now = to_ms(self._clock.now())
        held = all_rows(conn, outbox.of_draft, draft=draft)
        for row in held:
            if row["state"] == "held":
                self._listed(conn, row["message_id"], now)
        outbox.release(conn, draft, now + _DAY_MS)

    def drop(self, conn: Connection, draft: str, why: str) -> None:
        """End what of a draft has not left, as not sent."""
        now = to_ms(self._clock.now())
        rows = all_rows(conn, outbox.of_draft, draft=draft)
        if not outbox.cancel_draft(conn, draft, now, "not_sent", why):
            return
        for row in rows:
            if row["state"] in ("held", "queued"):
                if row["state"] == "queued":
                    messages.set_values(conn, row["message_id"], delivery="failed")
                self._settled(conn, row, "not_sent", why)

    def claim(self, conn: Connection, row: Row, at: int) -> bool:
        """Take a row for its call; False when it is gone or its lane is busy."""
        if not outbox.claim(conn, row, at):
            return False
        data = {"attempt": row["attempts"] + 1}
        self._event(conn, "message.sending", {**row, "id": row["message_id"]}, data)
        return True

    def put_back(self, conn: Connection, row: Row, not_before: int, why: str) -> None:
        """A claimed row waits again: nothing happened, or a second call does no harm."""
        if outbox.unclaim(conn, row["id"], not_before, dump_json([f"queued: {why}"])):
            self._event(conn, "message.delayed", {**row, "id": row["message_id"]}, _why(why))

    def hold_back(self, conn: Connection, row: Row, until: int, why: str) -> None:
        """A queued row must not leave before a time (ms), and its sender is told why, once."""
        if row["not_before"] == until:
            return
        outbox.postpone(conn, row["id"], until, dump_json([why]))
        self._event(conn, "message.delayed", {**row, "id": row["message_id"]}, _why(why))

    def accept(self, conn: Connection, row: Row, sent: Sent, at: int) -> None:
        """The platform took it."""
        if not outbox.settle(conn, row["id"], "accepted", at, notes=dump_json(sent.notes)):
            return
        audit.settle(conn, row["message_id"], "accepted")
        if sent.more_ids:
            message = one_row(conn, messages.get, message=row["message_id"])
            detail = {**load_json(message["detail"], {}), "more_ids": sent.more_ids}
            messages.set_values(conn, message["id"], detail=dump_json(detail))
        self._happenings.echoes.accepted(conn, row, sent.native_id, sent.delivery)

    def settle(
        self,
        conn: Connection,
        row: Row,
        state: str,
        at: int,
        code: str,
        why: str,
        native_id: str = "",
    ) -> None:
        """End a row. With a native id a receipt of the message can still tell what became of it."""
        if not outbox.settle(conn, row["id"], state, at, code, why[:500]):
            return
        known = {"native_id": native_id} if native_id else {}
        messages.set_values(conn, row["message_id"], delivery=state, **known)
        self._settled(conn, row, state, why)
        if native_id:
            place = one_row(conn, chats.get, chat=row["chat_id"])
            self._happenings.followups.catch_up(conn, place, native_id)
        self.drop(conn, row["draft"], "An earlier part did not get through.")

    def _settled(self, conn: Connection, row: Row, state: str, why: str) -> None:
        audit.settle(conn, row["message_id"], state)
        self._event(conn, f"message.{state}", {**row, "id": row["message_id"]}, _why(why))

    def _event(
        self, conn: Connection, kind: str, row: Row, data: Mapping[str, object] | None = None
    ) -> None:
        self._events.record(
            conn,
            kind,
            instance_id=row["instance_id"],
            chat_id=row["chat_id"],
            message_id=row["id"],
            data=data,
        )

    def tell(self, draft: str) -> None:
        """Whoever waits for this draft looks again: a row of it was settled."""
        news = self._news.get(draft)
        if news is not None:
            news.event.set()
            news.event = anyio.Event()

    async def outcome(self, draft: str, wait_s: float, zone: tzinfo) -> SentMessage:
        """What became of a draft: waits until every part is settled or cannot be in the time."""
        await self.settled(draft, wait_s, or_late=True)
        rows = await self._store.rows(outbox.of_draft, draft=draft)
        worst = min(rows, key=lambda row: WORST_FIRST.index(row["state"]))
        first = await self._store.row(messages.get, message=rows[0]["message_id"])
        if first is None:
            raise NotFound("The message was removed meanwhile.")
        message = messages.message_of(first, "")
        notes = list(PartPlan.model_validate_json(rows[0]["payload"]).missed)
        notes += [note for row in rows for note in load_json(row["notes"], ())]
        if len(rows) > 1:
            notes.append(f"part 1 of {len(rows)}")
        if worst["error"]:
            notes.append(worst["error"])
        return SentMessage(
            message=message.id,
            chat=encode_id(IdKind.CHAT, worst["chat_id"]),
            outcome=_OUTCOMES[worst["state"]],
            delivery=message.delivery or "",
            sent_at=message.sent_at.astimezone(zone).isoformat(timespec="seconds")
            if message.sent_at
            else "",
            notes=tuple(notes),
        )

    async def settled(self, draft: str, wait_s: float, *, or_late: bool = False) -> None:
        """Wait until nothing of a draft is under way any more, or the time is up.

        `or_late`: also until something of it cannot be settled in the time.
        """
        ends = to_ms(self._clock.now()) + int(wait_s * 1000)
        news = self._news.setdefault(draft, _News())
        news.waiting += 1
        try:
            with anyio.move_on_after(wait_s):
                while True:
                    event = news.event
                    rows = await self._store.rows(outbox.of_draft, draft=draft)
                    is_over = all(row["state"] in _SETTLED for row in rows)
                    if is_over or (or_late and any(_waits_beyond(row, ends) for row in rows)):
                        return
                    await event.wait()
        finally:
            news.waiting -= 1
            if not news.waiting:
                self._news.pop(draft, None)


def _why(why: str) -> Mapping[str, object]:
    """Of an event's data. The words may be a platform's."""
    return {"why": why[:300]}


def _waits_beyond(row: Row, moment: int) -> bool:
    return row["state"] == "queued" and row["not_before"] > moment
