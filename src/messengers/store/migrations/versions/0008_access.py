"""Messages that access rules keep back, and strangers who wait to be let in."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """What of a chat or message is kept back, what an owner must be told of it, and pairings."""
    nothing = sa.text("''")
    op.add_column(
        "message", sa.Column("withheld", sa.String(), nullable=False, server_default=nothing)
    )
    op.add_column(
        "chat", sa.Column("hidden", sa.Integer(), nullable=False, server_default=sa.text("0"))
    )
    op.create_index(
        "ix_message_withheld",
        "message",
        ["chat_id", "sent_at"],
        sqlite_where=sa.text("withheld != ''"),
    )
    op.create_table(
        "pairing",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("instance_id", sa.String(), nullable=False),
        sa.Column("chat_id", sa.Integer(), nullable=False),
        sa.Column("sender_id", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("created_at", sa.Integer(), nullable=False),
        sa.Column("expires_at", sa.Integer(), nullable=False),
        sa.Column("told_at", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["chat_id"], ["chat.id"], ondelete="CASCADE"),
        sa.UniqueConstraint("chat_id"),
        sa.UniqueConstraint("code"),
        sqlite_autoincrement=True,
    )
