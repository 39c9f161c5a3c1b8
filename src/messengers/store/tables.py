"""The tables, private to the store.

Times are integer milliseconds UTC, ids of rows integers that are never reused, flags 0 or 1, small
structures JSON text ('' when empty), so that a row needs no conversion on its way out.
"""

import re

from sqlalchemy import CheckConstraint, Index, LargeBinary, Table, UniqueConstraint, text
from sqlalchemy.orm import declared_attr
from sqlmodel import Field, SQLModel

from messengers.store.arrivals import EarlyRow, InboundRow
from messengers.store.webhook_tables import WebhookDeliveryRow, WebhookEndpointRow

__all__ = [
    "EarlyRow",
    "InboundRow",
    "Record",
    "WebhookDeliveryRow",
    "WebhookEndpointRow",
    "metadata",
    "table",
]

metadata = SQLModel.metadata


def _name(model_name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", model_name.removesuffix("Row")).lower()


def table(model: type[SQLModel]) -> Table:
    """The Core table behind a model: statements are built on it."""
    return metadata.tables[_name(model.__name__)]


class Record(SQLModel):
    """Names each table after its model. Rows are never made of it, so it is not built for that."""

    model_config = {"defer_build": True}

    @declared_attr.directive
    def __tablename__(cls) -> str:  # pyright: ignore[reportIncompatibleVariableOverride] - SQLModel types it as any of three kinds
        return _name(cls.__name__)


class InstanceRow(Record, table=True):
    id: str = Field(primary_key=True)
    name: str = Field(unique=True)
    provider: str
    kind: str
    wanted: str
    confirm: str = "unknown_chats"
    read_only: int = 0
    endpoints: str = ""
    policies: str = ""
    created_at: int
    deleted_at: int | None = None


class CredentialRow(Record, table=True):
    """One encrypted field of an instance's config."""

    instance_id: str = Field(primary_key=True, foreign_key="instance.id", ondelete="CASCADE")
    field: str = Field(primary_key=True)
    ciphertext: bytes = Field(sa_type=LargeBinary)


class ChatRow(Record, table=True):
    """A chat and its summary, kept in the transaction of the message that changes it."""

    __table_args__ = (
        UniqueConstraint("instance_id", "native_id"),
        Index("ix_chat_recent", "last_at", "id"),
        Index("ix_chat_instance_recent", "instance_id", "last_at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    native_id: str
    kind: str
    name: str = ""
    name_source: str = "stranger"
    name_folded: str = Field(default="", index=True)
    alias: str = ""
    alias_folded: str = Field(default="", index=True)
    phone: str = Field(default="", index=True)
    username: str = Field(default="", index=True)
    parent_id: int | None = Field(default=None, foreign_key="chat.id", ondelete="SET NULL")
    unread: int = 0
    read_marker: int = 0
    """Key of the newest message that was read."""
    last_id: int = 0
    last_at: int = 0
    last_text: str = ""
    last_sender: str = ""
    last_direction: str = ""
    waiting: int = 0
    owner_wrote_at: int | None = None
    peer_wrote_at: int | None = None
    decision: str = ""
    decided_at: int | None = None
    archived: int = 0
    muted: int = 0
    created_at: int
    hidden: int = Field(default=0, sa_column_kwargs={"server_default": text("0")})
    """Only the owner sees it: an access rule keeps out whoever writes there."""


class ContactRow(Record, table=True):
    __table_args__ = (
        UniqueConstraint("instance_id", "native_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    native_id: str
    display_name: str = ""
    name_source: str = "stranger"
    name_folded: str = Field(default="", index=True)
    username: str = Field(default="", index=True)
    phone: str = Field(default="", index=True)
    alt_ids: str = ""
    is_bot: int = 0
    person_id: int | None = Field(default=None, foreign_key="person.id", ondelete="SET NULL")
    seen_at: int


class PersonRow(Record, table=True):
    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    display_name: str = ""
    created_at: int


class MessageRow(Record, table=True):
    """`sent_at` is null while a draft is held or was refused: such rows are never listed."""

    __table_args__ = (
        Index(
            "ux_message_native",
            "instance_id",
            "chat_id",
            "native_id",
            unique=True,
            sqlite_where=text("native_id IS NOT NULL"),
        ),
        Index("ix_message_chat_time", "chat_id", "sent_at", "id"),
        Index("ix_message_time", "sent_at", "id"),
        Index("ix_message_withheld", "chat_id", "sent_at", sqlite_where=text("withheld != ''")),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    chat_id: int = Field(foreign_key="chat.id", ondelete="CASCADE")
    native_id: str | None = None
    direction: str
    origin: str
    sender_id: str
    sender_name: str = ""
    is_me: int = 0
    is_bot: int = 0
    sent_at: int | None = None
    received_at: int
    text: str = ""
    attachments: str = ""
    media: str = ""
    """Kinds of the attachments, space separated, for filters."""
    reply_to: str = ""
    thread: str = ""
    album: str = ""
    part: str = ""
    mentions_me: int = 0
    reactions: str = ""
    detail: str = ""
    """JSON of what few have: username, phone, alt_ids, location, contact, poll, buttons."""
    status: str = "active"
    delivery: str = ""
    search_rowid: int | None = Field(default=None, unique=True)
    edited_at: int | None = None
    """The platform's time of the text that stands here now."""
    withheld: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Why agents are not shown it, as in `deny r3` or `silent r4`; empty: they are."""


class EventRow(Record, table=True):
    """The one ordered log; `seq` is the cursor of every stream."""

    __table_args__ = {"sqlite_autoincrement": True}

    seq: int | None = Field(default=None, primary_key=True)
    at: int
    kind: str
    instance_id: str = ""
    chat_id: int | None = None
    message_id: int | None = Field(default=None, index=True)
    data: str = ""


class OutboxRow(Record, table=True):
    """One platform call. The lane is the chat: its rows leave in the order of their ids."""

    __table_args__ = (
        CheckConstraint(
            "state IN ('held','queued','claimed','accepted','failed','not_sent','unknown')",
            name="state",
        ),
        Index("ix_outbox_todo", "state", "not_before", "id"),
        Index("ix_outbox_draft", "draft"),
        Index("ix_outbox_message", "message_id"),
        Index("ix_outbox_ref", "requested_by", "client_ref"),
        Index("ix_outbox_same", "draft_hash", "created_at"),
        Index("ix_outbox_lane", "chat_id", "state", "id"),
        Index("ix_outbox_left", "instance_id", "claimed_at"),
        Index("ix_outbox_by", "requested_by", "created_at"),
        Index("ix_outbox_of", "instance_id", "created_at"),
        Index("ix_outbox_batch", "batch_id", "id", sqlite_where=text("batch_id IS NOT NULL")),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    draft: str
    """Groups the parts of one draft."""
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    chat_id: int = Field(foreign_key="chat.id", ondelete="CASCADE")
    message_id: int = Field(foreign_key="message.id", ondelete="CASCADE")
    part: int = 1
    parts: int = 1
    payload: str
    """JSON of the part: text in the dialect, media id, quoted native id, silent."""
    key: str = Field(unique=True)
    """Given to the provider; the same for every attempt."""
    client_ref: str = ""
    draft_hash: str = ""
    batch_id: int | None = None
    state: str = "queued"
    attempts: int = 0
    lease_until: int | None = None
    not_before: int = 0
    expires_at: int | None = None
    requested_by: str = ""
    error_code: str = ""
    error: str = ""
    notes: str = ""
    created_at: int
    claimed_at: int | None = None
    settled_at: int | None = None


class MediaRow(Record, table=True):
    """One attachment's bytes; the file is named by its hash."""

    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    instance_id: str = Field(foreign_key="instance.id", ondelete="CASCADE")
    chat_id: int | None = Field(default=None, foreign_key="chat.id", ondelete="CASCADE")
    sha256: str = Field(index=True)
    kind: str
    mime: str
    name: str = ""
    size_bytes: int
    width: int | None = None
    height: int | None = None
    created_at: int


class ApprovalRow(Record, table=True):
    """Something that waits for the owner, bound to the hash of what and where; decided once."""

    __table_args__ = (
        Index("ix_approval_state", "state", "expires_at"),
        Index("ix_approval_hash", "requested_by", "hash"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    action: str
    """send | edit | delete | react | forward | create_instance | …"""
    instance_id: str = ""
    chat_id: int | None = None
    payload: bytes = Field(sa_type=LargeBinary)
    """Sealed JSON that the action needs to run."""
    draft: str = ""
    """The held draft, for sends."""
    message_id: int | None = None
    """Its first message."""
    shown: str
    """JSON of what the owner must see: recipient, full text, attachments, why."""
    hash: str
    state: str = "waiting"
    """waiting | approved | rejected | expired"""
    requested_by: str = ""
    created_at: int
    expires_at: int
    decided_at: int | None = None
    decided_by: str = ""
    decision: str = ""
    """once | always | never"""
    outcome: str = ""
    """JSON of the action's answer."""


class ApiKeyRow(Record, table=True):
    """A key by its prefix and keyed hash; the key itself is shown once and stored nowhere."""

    __table_args__ = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    name: str
    prefix: str
    digest: str = Field(unique=True)
    preset: str
    scopes: str = ""
    """Empty: those of the preset."""
    instances: str = ""
    toolsets: str = ""
    created_at: int
    expires_at: int | None = None
    revoked_at: int | None = None
    last_used_at: int | None = None
    use_count: int = 0
    rate_per_min: int | None = None


class SettingRow(Record, table=True):
    name: str = Field(primary_key=True)
    value: str


class AuditRow(Record, table=True):
    """Who did what, where, with which outcome; of texts only their hash."""

    __table_args__ = (
        Index("ix_audit_at", "at"),
        Index("ix_audit_queued", "message_id", sqlite_where=text("outcome = 'queued'")),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True)
    at: int
    actor: str
    client: str = ""
    action: str
    instance_id: str = ""
    chat_id: int | None = None
    message_id: int | None = None
    outcome: str = ""
    text_hash: str = ""
    detail: str = ""
