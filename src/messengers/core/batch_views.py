"""Batches as their owner sees them, and whom none reaches."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from messengers.models import Model

__all__ = ["OVER", "Action", "Batch", "OptOut", "Recipient"]

Action = Literal["pause", "resume", "cancel"]
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


class OptOut(Model):
    """One entry of the list."""

    subject: str
    """An E.164 number, `@handle`, or a messenger's own id."""
    instance: str = ""
    """Empty: whatever the instance."""
    since: datetime
