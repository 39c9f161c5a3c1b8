"""The full-text index: what its users mean, in any script, newest first.

The row id is the sending time (milliseconds << 20) with a tie, so that `ORDER BY rowid DESC` is
newest first also after history was imported. Words are matched literally; the scope terms narrow
a query to instances and a chat inside the index itself, 38 times faster than filtering after.
"""

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache

from sqlalchemy import Connection

from messengers.errors import InvalidInput
from messengers.store import passages, sqlite

__all__ = [
    "catch_up",
    "fold",
    "index",
    "index_all",
    "make",
    "match",
    "merge",
    "next_rowid",
    "next_rowids",
    "rowid_bound",
    "unindex",
]

_TIE_BITS = 20
_LAST_MS = (1 << (63 - _TIE_BITS)) - 1
"""A row id has 63 bits: times end in the year 2248, and later ones count as that."""
_MAX_QUERY_CHARS = 1_000
_MERGED_PAGES = 500
"""Of the index in one unit of work, so that others write in between."""
_MIN_PREFIX_CHARS = 2

_YO = re.compile("ё\u0308*")
_PLAIN = re.compile("[ -\\]_a-~А-яЁё]*")
"""What folding only lowers: most texts, in a tenth of the time."""
# Scripts written without spaces: each character is a word, and a query a phrase of them.
_UNSPACED = re.compile(
    "["
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Myanmar, Khmer
    "\u3005-\u3007\u3021-\u3029\u3040-\u30ff\u31f0-\u31ff"  # Kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7af"  # Hangul
    "]"
)
_TERM = re.compile(r'"([^"]*)"|(\S+)')
_ASCII_BLANKS = dict.fromkeys((*range(32), ord("^"), ord("`"), 127), " ")
"""The tokenizer takes ^ and ` for letters, as they are of the category Sk."""
_INDEX = "INSERT INTO message_search(rowid, text, scope) VALUES (?, ?, ?)"
# Both: a message edited to nothing keeps its row id but stands in the index no more.
_LAST_OF = """
SELECT value, max(
  value - 1,
  coalesce((SELECT max(search_rowid) FROM message
    WHERE search_rowid BETWEEN value AND value + ?1), -1),
  coalesce((SELECT max(rowid) FROM message_search WHERE rowid BETWEEN value AND value + ?1), -1)
) FROM json_each(?2)"""


def fold(text: str) -> str:
    """The form in which texts and queries meet.

    NFKC, case folded, ё as е, a space around each emoji and each character of a script without
    spaces; what is invisible is gone.
    """
    if _PLAIN.fullmatch(text):
        return text.lower().replace("ё", "е")
    plain = unicodedata.normalize("NFKC", text)
    plain = unicodedata.normalize("NFKC", plain.casefold())
    plain = _YO.sub("е", plain)
    if plain.isascii():
        return plain.translate(_ASCII_BLANKS)
    return plain.translate(_SHOWN)


def rowid_bound(sent_at: int) -> int:
    """The smallest row id of a time (ms)."""
    return min(max(sent_at, 0), _LAST_MS) << _TIE_BITS


def next_rowid(conn: Connection, sent_at: int) -> int:
    """A free row id for a time (ms), above those that messages of the same millisecond have."""
    return next_rowids(conn, [sent_at])[0]


def next_rowids(conn: Connection, times: Iterable[int]) -> list[int]:
    """One for each time, all different; those of one millisecond ascend."""
    lows = [rowid_bound(sent_at) for sent_at in times]
    ties = (1 << _TIE_BITS) - 1
    last = dict(sqlite.raw(conn).execute(_LAST_OF, (ties, str(lows))))  # which is JSON
    found: list[int] = []
    for low in lows:
        last[low] += 1
        found.append(last[low])
    return found


def index(conn: Connection, rowid: int, text: str, instance_id: str, chat_id: int) -> None:
    """Add a message's words and passages."""
    index_all(conn, [(rowid, text, instance_id, chat_id)])
    passages.index_all(conn, {rowid: fold(text)})


def index_all(conn: Connection, rows: Iterable[tuple[int, str, str, int]]) -> None:
    """Add the words of messages: row id, text, instance and chat of each.

    Their passages are added when somebody catches up with them.
    """
    words = [(rowid, fold(text), _scope(instance, chat)) for rowid, text, instance, chat in rows]
    sqlite.raw(conn).executemany(_INDEX, words)


def unindex(conn: Connection, rowid: int, text: str, instance_id: str, chat_id: int) -> None:
    """Remove them. `text` is what was indexed: a contentless index must be told what it held."""
    folded = fold(text)
    sqlite.raw(conn).execute(
        "INSERT INTO message_search(message_search, rowid, text, scope) VALUES ('delete', ?, ?, ?)",
        (rowid, folded, _scope(instance_id, chat_id)),
    )
    passages.unindex(conn, rowid, folded)


def make(conn: Connection) -> None:
    """The index anew, and that of passages, with nothing in them."""
    raw = sqlite.raw(conn)
    raw.execute("DROP TABLE IF EXISTS message_search")
    raw.execute(sqlite.SEARCH_DDL)
    passages.make(conn)


def merge(conn: Connection) -> bool:
    """Fold the index a little further into one, without what was removed from it; False: it is one.

    A removed word stays in the parts written before until they are merged.
    """
    raw = sqlite.raw(conn)
    before = raw.total_changes
    raw.execute(
        "INSERT INTO message_search(message_search, rank) VALUES ('merge', ?)", (-_MERGED_PAGES,)
    )
    merged = raw.total_changes - before > 1
    return passages.merge(conn) or merged


def catch_up(conn: Connection, limit: int) -> bool:
    """Add the passages of the next messages that came in numbers; whether there may be more."""
    return passages.catch_up(conn, limit, fold)


def match(query: str, instances: Collection[str] | None, chat: int | None) -> str | None:
    """The FTS5 expression of what a person typed; None when nothing can match.

    Every word must be there; "words in quotes" stand together; a word ending in * may go on.
    Nothing typed is syntax. `instances` are the ids it may find in (None: all), `chat` a key.

    Raises:
        InvalidInput: the query is too long to mean anything.
    """
    if len(query) > _MAX_QUERY_CHARS:
        raise InvalidInput(f"query is too long: at most {_MAX_QUERY_CHARS} characters.")
    found = (_term(quoted or bare, bare) for quoted, bare in _TERM.findall(query))
    terms = [term for term in found if term]
    if not terms or (instances is not None and not instances):
        return None
    scopes = [f'"c{chat}"'] if chat is not None else []
    if instances is not None:
        scopes.append("(" + " OR ".join(f'"{_instance(each)}"' for each in instances) + ")")
    text = f"{{text}} : ({' AND '.join(terms)})"
    return f"{{scope}} : ({' AND '.join(scopes)}) AND {text}" if scopes else text


class _Shown(dict[int, str]):
    """`_shown` by code point, each asked once."""

    def __missing__(self, code: int) -> str:
        self[code] = shown = _shown(chr(code))
        return shown


_SHOWN = _Shown()


def _shown(char: str) -> str:
    category = unicodedata.category(char)
    newer = "\U0001f000" <= char <= "\U0001faff"  # emoji newer than this Python, skin tones
    if category in ("So", "Co") or newer or _UNSPACED.match(char):
        return f" {char} "
    if category in ("Cc", "Cs", "Sk"):
        return " "
    # Variation selectors only choose between the text and the emoji form of what stands before.
    return "" if category == "Cf" or "\ufe00" <= char <= "\ufe0f" else char


def _term(raw: str, bare: str) -> str:
    """One phrase, quoted; '' when no word is in it."""
    words = [word for word in fold(raw).replace('"', " ").split() if any(map(_is_word, word))]
    phrase = " ".join(words)
    if not words:
        return ""
    if bare.endswith("*") and len(words[-1].rstrip("*")) >= _MIN_PREFIX_CHARS:
        return f'"{phrase}" *'
    return f'"{phrase}"'


def _is_word(char: str) -> bool:
    """The tokenizer's own categories, and the emoji that this Python does not know yet."""
    category = unicodedata.category(char)
    known = category[0] in "LN" or category in ("Co", "So", "Mn")
    return known or "\U0001f000" <= char <= "\U0001faff"


@cache
def _instance(instance_id: str) -> str:
    return "i" + re.sub("[^0-9a-z]", "", instance_id.lower())


def _scope(instance_id: str, chat_id: int) -> str:
    return f"{_instance(instance_id)} c{chat_id}"
