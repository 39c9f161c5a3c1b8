"""How often a key may call."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """One more column; keys of before have no rate of their own."""
    op.add_column("api_key", sa.Column("rate_per_min", sa.Integer(), nullable=True))
