"""The tables of who may write to us and be written to."""

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from messengers.store.tables import Record

__all__ = ["AccessRuleRow", "PairingRow"]


class AccessRuleRow(Record, table=True):
    """What the owner decided for somebody, or for many at once."""

    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = ""
    """Empty: whatever the instance."""
    direction: str
    """in | out | both"""
    subject_kind: str
    subject: str
    effect: str
    """allow | deny | silent | read_only"""
    priority: int = 0
    note: str = ""
    created_at: int
    expires_at: int | None = None


class PairingRow(Record, table=True):
    """A stranger's chat that waits for the owner to let it in."""

    __table_args__ = (
        UniqueConstraint("chat_id"),
        UniqueConstraint("code"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    chat_id: int = Field(foreign_key="chat.id", ondelete="CASCADE")
    sender_id: str
    code: str
    created_at: int
    expires_at: int
    told_at: int | None = None
    """When the stranger was last told his code."""
