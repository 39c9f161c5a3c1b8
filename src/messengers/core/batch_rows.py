"""A batch as its rows tell it."""

from collections.abc import Sequence

from messengers.core.acts import BatchAnswer
from messengers.core.batch_views import Batch, Recipient
from messengers.core.drafts import WORST_FIRST
from messengers.models import IdKind
from messengers.store.rows import Row, id_of

__all__ = ["UNDER_WAY", "answer_of", "recipient_of"]

UNDER_WAY = ("held", "queued", "claimed")
"""States of outbox rows that are not settled."""


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
