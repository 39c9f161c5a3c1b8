"""The tables of what arrives: before it is understood, and before the message that it is about."""

from sqlalchemy import Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

__all__ = ["EarlyRow", "InboundRow"]

_NEW = text("state = 'new'")
_DEAD = text("state = 'dead'")


class InboundRow(SQLModel, table=True):
    """What arrived, before it is understood. The unique key is the dedupe."""

    model_config = {"defer_build": True}
    __tablename__ = "inbound"  # pyright: ignore[reportAssignmentType] - SQLModel types it as a function
    __table_args__ = (
        UniqueConstraint("instance_id", "event_key"),
        # What is next, in all and in a lane, without a look at all that was done before.
        Index("ix_inbound_todo", "id", sqlite_where=_NEW),
        Index("ix_inbound_lane", "instance_id", "chat_key", "id", sqlite_where=_NEW),
        Index("ix_inbound_dead", "id", sqlite_where=_DEAD),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    event_key: str
    chat_key: str
    kind: str
    payload: bytes = Field(sa_type=LargeBinary)
    """Emptied once done; kept for what could not be understood."""
    state: str = "new"
    """new | claimed | done | dead"""
    attempts: int = 0
    lease_until: int | None = None
    next_at: int = 0
    error: str = ""
    received_at: int


class EarlyRow(SQLModel, table=True):
    """What became of a message that is not stored yet: it waits for it, the newest of its kind."""

    model_config = {"defer_build": True}
    __tablename__ = "early"  # pyright: ignore[reportAssignmentType] - SQLModel types it as a function
    __table_args__ = (
        UniqueConstraint("instance_id", "native_id", "chat_native_id", "kind", "whose"),
        Index("ix_early_age", "received_at"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    chat_native_id: str
    native_id: str
    kind: str
    whose: str = ""
    """Whose reaction or vote, which delivery: of each its own newest."""
    at: int
    payload: str
    """JSON of the happening."""
    received_at: int
