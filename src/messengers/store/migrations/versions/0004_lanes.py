"""What is next in a lane, and whether the same was asked for before, however long the outbox is."""

from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Two indexes over the outbox."""
    op.create_index("ix_outbox_lane", "outbox", ["chat_id", "state", "id"])
    op.create_index("ix_outbox_same", "outbox", ["draft_hash", "created_at"])
