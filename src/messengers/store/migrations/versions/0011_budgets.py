"""What a caller and an instance sent lately, however long the outbox is."""

from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Two indexes over the outbox."""
    op.create_index("ix_outbox_by", "outbox", ["requested_by", "created_at"])
    op.create_index("ix_outbox_of", "outbox", ["instance_id", "created_at"])
