"""The tables of what leaves as one: bulk sends and what waits for its time, and who opted out."""

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field

from messengers.store.tables import Record

__all__ = ["BatchRecipientRow", "BatchRow", "OptOutRow"]


class BatchRow(Record, table=True):
    """Its messages are outbox rows that are held until it is their turn."""

    __table_args__ = (
        Index("ix_batch_state", "state", "id"),
        Index("ix_batch_ref", "requested_by", "client_ref"),
        Index("ix_batch_same", "draft_hash", "created_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    """bulk | message: one that waits for its time"""
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    state: str
    """held | running | paused | done | cancelled | aborted"""
    reason: str = ""
    on_failure: str = "continue"
    """continue | abort"""
    delay_ms: int = 0
    send_at: int = 0
    """Not before; 0: at once."""
    requested_by: str = ""
    client_ref: str = ""
    draft_hash: str = ""
    created_at: int
    ended_at: int | None = None


class BatchRecipientRow(Record, table=True):
    """Who gets something, in which order; `draft` names the outbox rows."""

    __table_args__ = (
        UniqueConstraint("batch_id", "position"),
        Index("ix_batch_recipient_chat", "chat_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    batch_id: int = Field(foreign_key="batch.id", ondelete="CASCADE")
    position: int
    chat_id: int = Field(foreign_key="chat.id", ondelete="CASCADE")
    draft: str = ""
    skipped: str = ""
    """Why nothing leaves for it; empty otherwise."""


class OptOutRow(Record, table=True):
    """Somebody whom no bulk send reaches."""

    __table_args__ = (UniqueConstraint("subject", "instance_id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = ""
    """Empty: whatever the instance."""
    subject: str
    """An E.164 number, `@handle`, or a native id."""
    created_at: int
