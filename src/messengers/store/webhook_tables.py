"""The tables of what is delivered to others: where to, and what became of each delivery."""

from sqlalchemy import Index, LargeBinary, text
from sqlmodel import Field, SQLModel

__all__ = ["WebhookDeliveryRow", "WebhookEndpointRow"]

_QUEUED = text("state = 'queued'")


class WebhookEndpointRow(SQLModel, table=True):
    """An address of somebody else's, with its place in the event log."""

    model_config = {"defer_build": True}
    __tablename__ = "webhook_endpoint"  # pyright: ignore[reportAssignmentType] - SQLModel types it as a function
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(unique=True)
    instance_id: str = ""
    """Empty: all."""
    url: bytes = Field(sa_type=LargeBinary)
    """Sealed: people put secrets into addresses."""
    origin: str
    """What of it may be shown anywhere."""
    secret: bytes = Field(sa_type=LargeBinary)
    old_secret: bytes = Field(default=b"", sa_type=LargeBinary)
    old_until: int = 0
    """Until then both secrets sign."""
    filters: str = ""
    """JSON: types, chats, numbers."""
    state: str = "enabled"
    """enabled | disabled"""
    why: str = ""
    position: int
    """The seq up to which deliveries were made of the log."""
    ok_at: int = 0
    created_at: int


class WebhookDeliveryRow(SQLModel, table=True):
    """One event for one endpoint. Those of a chat leave in the order of their ids."""

    model_config = {"defer_build": True}
    __tablename__ = "webhook_delivery"  # pyright: ignore[reportAssignmentType] - SQLModel types it as a function
    __table_args__ = (
        Index("ix_delivery_todo", "endpoint_id", "chat_id", "id", sqlite_where=_QUEUED),
        Index("ix_delivery_log", "endpoint_id", "id"),
        Index("ix_delivery_settled", "settled_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    endpoint_id: int = Field(foreign_key="webhook_endpoint.id", ondelete="CASCADE")
    event_seq: int
    kind: str
    chat_id: int = 0
    """The lane; 0 is that of what concerns no chat."""
    state: str = "queued"
    """queued | delivered | failed"""
    attempts: int = 0
    next_at: int = 0
    status_code: int | None = None
    error: str = ""
    created_at: int
    settled_at: int | None = None
