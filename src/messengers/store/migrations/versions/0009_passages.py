"""Where stretches of text stand, for all messages that there are."""

from alembic import op
from sqlalchemy import text

from messengers.store import passages
from messengers.store.search import fold

revision = "0009"
down_revision = "0006"
_PAGE = 1_000
_WORDED = text(
    "SELECT search_rowid, text FROM message WHERE search_rowid > :after AND text <> '' "
    "ORDER BY search_rowid LIMIT :limit"
)


def upgrade() -> None:
    """The index, filled: a minute for a million messages."""
    conn = op.get_bind()
    passages.make(conn)
    after = -1
    while found := conn.execute(_WORDED, {"after": after, "limit": _PAGE}).all():
        passages.index_all(conn, {rowid: fold(said) for rowid, said in found})
        after = found[-1][0]
