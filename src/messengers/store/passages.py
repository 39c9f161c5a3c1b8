"""The index of passages: in which messages a stretch of text stands, however it is set.

The search index knows words and needs them whole; what was spaced out, cut into pieces or written
with other letters has none. So this one knows stretches of letters and digits alone: eight in a row
from each of the anchors, which are letters so frequent that every longer stretch has some. Codes,
which may be shorter, stand in it by themselves. It holds checksums and no text; a hit is looked at.

To add a message takes longer than to store it. What comes in numbers is therefore added later, by
its key: at leisure, and before anything is looked for.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import cast
from zlib import crc32

from sqlalchemy import Connection, Integer, String, bindparam, column, select, text

from messengers.store import sqlite
from messengers.store.tables import MessageRow, OutboxRow, table

__all__ = [
    "GRAM",
    "MANY",
    "catch_up",
    "code_terms",
    "codes",
    "gram_terms",
    "index_all",
    "left_lately",
    "letters",
    "lookup",
    "make",
    "merge",
    "places",
    "plain",
    "standing",
    "still_held",
    "unindex",
    "words",
]

GRAM = 8
"""Characters of a stretch."""
MANY = 17
"""A stretch in so many messages is a turn of speech."""
_INDEX = "INSERT INTO passage(rowid, terms) VALUES (?, ?)"
_REMOVE = "INSERT INTO passage(passage, rowid, terms) VALUES ('delete', ?, ?)"
_MERGE = "INSERT INTO passage(passage, rank) VALUES ('merge', ?)"
_MERGED_PAGES = 500
_KNOWN = "SELECT id FROM passage_docsize WHERE id IN (SELECT value FROM json_each(?))"
_REACHED = "INSERT OR REPLACE INTO setting(name, value) VALUES ('passages', ?)"
_NEXT = """
SELECT id, search_rowid, text FROM message
WHERE id > coalesce((SELECT CAST(value AS INTEGER) FROM setting WHERE name = 'passages'), 0)
  AND search_rowid IS NOT NULL AND text <> ''
ORDER BY id LIMIT ?"""
_LOOKALIKES = str.maketrans("авекмнорстухйіјѕαεοριντυχκ", "abekmhopctyxиijsaeopivtuxk")
"""Letters of other scripts that pass for Latin ones."""
_WORD = re.compile(r"[^\W_]+")
_NOISE = re.compile(r"[\W_]+")
_ANCHORED = re.compile(r"(?=([ae0-9\u0590-\U0010ffff].{7}))")
"""A fifth of what European languages write, and of other scripts everything."""
_HINT = re.compile(r"[\d@/_-]|\w\.\w")
_ACCENTED = re.compile("[^\x00-\x7fа-яёіѕј\u4e00-\u9fff\U0001f000-\U0001ffff]")
"""Whatever may have to be taken apart; most texts hold none of it."""
_WHEN = re.compile(
    r"\b(?:\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4})\b"  # days
    r"|\b\d\d?:\d\d(?::\d\d)?\b"  # hours
    r"|(?<!\d )(?<![\d+])\d{1,3}(?:[., ]\d{3})+(?:[.,]\d\d)?(?!\d)"  # amounts
)
_DIGITS = re.compile(r"\d(?:[\s().\-/]{0,3}\d){6,}")
_TOKEN = re.compile(r"(?<!\S)(?=\S{8})\S*[\d@/_.-]\S*")
_MIN_CODE = 8
_MIN_NUMBER = 7
_MIN_JOINED = 16

_messages = table(MessageRow)
_outbox = table(OutboxRow)
lookup = text(
    "SELECT asked.value AS term, (SELECT json_group_array(rowid) FROM ("
    "SELECT rowid FROM passage WHERE passage MATCH asked.value LIMIT :many)) AS rowids "
    "FROM json_each(:terms) AS asked"
).columns(column("term", String), column("rowids", String))
"""The messages of each term, by their row ids: at most `many`. `terms` is a JSON list."""
standing = select(
    _messages.c.id,
    _messages.c.instance_id,
    _messages.c.chat_id,
    _messages.c.origin,
    _messages.c.text,
    _messages.c.search_rowid,
).where(_messages.c.search_rowid.in_(bindparam("rowids", expanding=True)))
left_lately = (
    select(_messages.c.text)
    .where(
        _messages.c.chat_id == bindparam("chat", type_=Integer),
        _messages.c.sent_at >= bindparam("since", type_=Integer),
        _messages.c.origin == "api",
        _messages.c.text != "",
    )
    .order_by(_messages.c.sent_at.desc(), _messages.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
"""What agents sent to a chat, the latest first."""
still_held = (
    select(_messages.c.text)
    .join(_outbox, _outbox.c.message_id == _messages.c.id)
    .where(
        _outbox.c.chat_id == bindparam("chat", type_=Integer),
        _outbox.c.state == "held",
        _messages.c.text != "",
    )
    .order_by(_messages.c.id.desc())
    .limit(bindparam("limit", type_=Integer))
)
"""What waits for its time or for the owner in a chat, the latest first."""


def plain(folded: str) -> str:
    """A folded text (see `search.fold`) without accents, look-alikes as Latin letters."""
    if folded.isascii():
        return folded
    if _ACCENTED.search(folded):
        folded = unicodedata.normalize("NFD", folded)
    return folded.translate(_LOOKALIKES)


def letters(plained: str) -> str:
    """Its letters and digits: what `words` joined give."""
    return _NOISE.sub("", plained)


def words(plained: str) -> Iterator[re.Match[str]]:
    """Its words; joined they are what is compared."""
    return _WORD.finditer(plained)


def places(plained: str) -> Iterator[tuple[int, int]]:
    """Where days, hours and amounts stand in it: digits that are nobody's secret."""
    return (found.span() for found in _WHEN.finditer(plained))


def codes(plained: str) -> set[str]:
    """What is somebody's by itself, in letters and digits alone.

    Numbers of seven digits and more, tokens of eight characters and more with digits in them,
    addresses of mail and pages, and what is joined from three words.
    """
    if not _HINT.search(plained):
        return set()
    kept = _WHEN.sub(" ", plained)
    numbers = (_NOISE.sub("", found) for found in cast("list[str]", _DIGITS.findall(kept)))
    return {
        *(number for number in numbers if len(number) >= _MIN_NUMBER),
        *filter(None, map(_code, cast("list[str]", _TOKEN.findall(kept)))),
    }


def _code(token: str) -> str:
    inner = token.strip(".,;:!?()[]{}<>\"'`*_-/")
    bare = _NOISE.sub("", inner)
    digits = sum(map(str.isdigit, bare))
    if len(bare) < _MIN_CODE:
        return ""
    path = inner.partition("://")[2].partition("/")[2]
    joints = sum(map(inner.count, "-_."))
    named = ("@" in inner and "." in inner) or bool(path)
    mixed = digits >= 3 and (digits < len(bare) or digits >= _MIN_CODE)
    joined = joints >= 2 and len(bare) >= _MIN_JOINED and "://" not in inner
    return bare if named or mixed or joined else ""


def gram_terms(stretch: str) -> set[str]:
    """The terms of what `words` joined give."""
    grams = set(cast("list[str]", _ANCHORED.findall(stretch)))
    return {f"{crc32(gram.encode()):x}" for gram in grams}


def code_terms(found: Iterable[str]) -> set[str]:
    """The terms of codes."""
    return {f"c{crc32(code.encode()):x}" for code in found}


def index_all(conn: Connection, texts: Mapping[int, str]) -> None:
    """Add messages, by their row ids: folded texts."""
    rows = [(rowid, _terms(folded)) for rowid, folded in texts.items()]
    sqlite.raw(conn).executemany(_INDEX, [row for row in rows if row[1]])


def unindex(conn: Connection, rowid: int, folded: str) -> None:
    """Remove one, if it is there. `folded` is what was indexed."""
    raw = sqlite.raw(conn)
    if raw.execute(_KNOWN, (f"[{rowid}]",)).fetchone():
        raw.execute(_REMOVE, (rowid, _terms(folded)))


def make(conn: Connection) -> None:
    """The index anew, with nothing in it."""
    raw = sqlite.raw(conn)
    raw.execute("DROP TABLE IF EXISTS passage")
    raw.execute(sqlite.PASSAGE_DDL)
    raw.execute(_REACHED, (0,))


def catch_up(conn: Connection, limit: int, fold: Callable[[str], str]) -> bool:
    """As `search.catch_up`."""
    raw = sqlite.raw(conn)
    rows = raw.execute(_NEXT, (limit,)).fetchall()
    if not rows:
        return False
    known = {rowid for (rowid,) in raw.execute(_KNOWN, (f"{[row[1] for row in rows]}",))}
    new = {rowid: fold(said) for _, rowid, said in rows if rowid not in known}
    index_all(conn, new)
    raw.execute(_REACHED, (rows[-1][0],))
    return len(rows) == limit


def merge(conn: Connection) -> bool:
    """As `search.merge`."""
    raw = sqlite.raw(conn)
    before = raw.total_changes
    raw.execute(_MERGE, (-_MERGED_PAGES,))
    return raw.total_changes - before > 1


def _terms(folded: str) -> str:
    plained = plain(folded)
    # Sorted: what is removed has to read as what was added.
    found = gram_terms(letters(plained)) | code_terms(codes(plained))
    return " ".join(sorted(found))
