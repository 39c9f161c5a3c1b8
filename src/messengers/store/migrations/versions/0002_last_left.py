"""Finding what an instance sent last, to pace what follows."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """One index over the rows that have left."""
    op.create_index("ix_outbox_left", "outbox", ["instance_id", "claimed_at"])
