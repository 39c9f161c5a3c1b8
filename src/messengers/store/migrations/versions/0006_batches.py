"""Bulk sends, what waits for its time, and who opted out."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Three tables, and the way from a batch to its outbox rows."""
    op.create_table(
        "batch",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("instance_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("on_failure", sa.String(), nullable=False),
        sa.Column("delay_ms", sa.Integer(), nullable=False),
        sa.Column("send_at", sa.Integer(), nullable=False),
        sa.Column("requested_by", sa.String(), nullable=False),
        sa.Column("client_ref", sa.String(), nullable=False),
        sa.Column("draft_hash", sa.String(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("ended_at", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], ondelete="CASCADE"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_batch_state", "batch", ["state", "id"])
    op.create_index("ix_batch_ref", "batch", ["requested_by", "client_ref"])
    op.create_index("ix_batch_same", "batch", ["draft_hash", "created_at"])
    op.create_table(
        "batch_recipient",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("chat_id", sa.Integer(), nullable=False),
        sa.Column("draft", sa.String(), nullable=False),
        sa.Column("skipped", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("batch_id", "position"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_batch_recipient_chat", "batch_recipient", ["chat_id"])
    op.create_table(
        "opt_out",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("instance_id", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.UniqueConstraint("subject", "instance_id"),
        sqlite_autoincrement=True,
    )
    batched = sa.text("batch_id IS NOT NULL")
    op.create_index("ix_outbox_batch", "outbox", ["batch_id", "id"], sqlite_where=batched)
