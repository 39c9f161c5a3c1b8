"""A batch as it stands, read from its rows."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

from messengers.core.acts import BatchAnswer
from messengers.core.drafts import WORST_FIRST
from messengers.models import IdKind, Model
from messengers.store.rows import Row, id_of

__all__ = ["OVER", "UNDER_WAY", "Batch", "Recipient", "answer_of", "recipient_of"]

UNDER_WAY = ("held", "queued", "claimed")
"""States of outbox rows that are not settled."""
OVER = ("done", "cancelled", "aborted")
"""States of batches of which nothing can leave any more."""


class Recipient(Model):
    """One of a batch, and what became of his message."""

    position: int
    chat: str
    outcome: str
    """waiting | accepted | failed | not_sent | unknown | skipped | removed: its message was"""
    message: str = ""
    delivery: str = ""
    why: str = ""


class Batch(Model):
    """A batch as it stands."""

    id: str
    kind: Literal["bulk", "message"]
    instance: str
    state: str
    """held | scheduled | running | paused | done | cancelled | aborted"""
    reason: str = ""
    send_at: datetime | None = None
    created_at: datetime
    requested_by: str
    recipients: tuple[Recipient, ...] = ()

    @property
    def counts(self) -> Mapping[str, int]:
        """How many came to which outcome."""
        return Counter(each.outcome for each in self.recipients)

    @property
    def settled(self) -> int:
        """How many need nothing more."""
        return sum(each.outcome != "waiting" for each in self.recipients)

    @property
    def is_over(self) -> bool:
        """Whether nothing of it can leave any more."""
        return self.state in OVER


def answer_of(batch: Batch) -> BatchAnswer:
    """What who asked for it is told."""
    return BatchAnswer(
        batch=batch.id,
        instance=batch.instance,
        outcome="needs_approval" if batch.state == "held" else batch.state,
        total=len(batch.recipients),
        counts=batch.counts,
        notes=(batch.reason,) if batch.reason else (),
    )


def recipient_of(parts: Sequence[Row]) -> Recipient:
    """One recipient from the rows of his parts."""
    first = parts[0]
    states = [part["state"] for part in parts if part["state"]]
    worst = min(parts, key=lambda part: WORST_FIRST.index(part["state"] or "accepted"))
    outcome = worst["state"] if states else "removed"
    if outcome in UNDER_WAY:
        outcome = "waiting"
    return Recipient(
        position=first["position"],
        chat=id_of(IdKind.CHAT, first["chat_id"]),
        outcome="skipped" if first["skipped"] else outcome,
        message=id_of(IdKind.MESSAGE, first["message_id"]),
        delivery=first["delivery"] or "",
        why=first["skipped"] or worst["error"] or "",
    )
