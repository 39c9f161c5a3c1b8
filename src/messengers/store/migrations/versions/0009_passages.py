"""Where stretches of text stand. What is stored already is added at leisure."""

from alembic import op

from messengers.store import passages

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """The index, with nothing in it."""
    passages.make(op.get_bind())
