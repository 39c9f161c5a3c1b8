"""The audit by time, and its lines whose messages are still under way."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Two indexes."""
    op.create_index("ix_audit_at", "audit", ["at"])
    queued = sa.text("outcome = 'queued'")
    op.create_index("ix_audit_queued", "audit", ["message_id"], sqlite_where=queued)
