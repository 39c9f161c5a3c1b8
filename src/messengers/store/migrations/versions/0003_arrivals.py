"""What came before its message waits for it, and what was not understood is found."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """A table, an index over the dead letters, and the time of a message's last edit."""
    op.create_table(
        "early",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column(
            "instance_id",
            sa.String(),
            sa.ForeignKey("instance.id", ondelete="CASCADE"),
            nullable=False,
        ),
        sa.Column("chat_native_id", sa.String(), nullable=False),
        sa.Column("native_id", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("whose", sa.String(), nullable=False),
        sa.Column("at", sa.Integer(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("received_at", sa.Integer(), nullable=False),
        sa.UniqueConstraint("instance_id", "native_id", "chat_native_id", "kind", "whose"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_early_age", "early", ["received_at"])
    op.create_index("ix_inbound_dead", "inbound", ["id"], sqlite_where=sa.text("state = 'dead'"))
    op.add_column("message", sa.Column("edited_at", sa.Integer(), nullable=True))
