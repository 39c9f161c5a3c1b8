"""Search: it finds what people mean, in any script, and nothing typed is syntax."""

from collections.abc import Callable
from uuid import uuid4

import hypothesis
import hypothesis.strategies as st
import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from messengers.errors import InvalidInput
from messengers.store import search, sqlite
from messengers.store.tables import metadata
from tests.store.conftest import INSTANCE, add_chat, add_message

OTHER = str(uuid4())
Find = Callable[[str, str], bool]


@pytest.fixture(scope="module")
def engine() -> sa.Engine:
    made = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with made.begin() as conn:
        metadata.create_all(conn)
        conn.exec_driver_sql(sqlite.SEARCH_DDL)
        conn.exec_driver_sql(sqlite.PASSAGE_DDL)
    return made


def found(
    conn: Connection, query: str, instances: list[str] | None = None, chat: int | None = None
) -> list[int]:
    """Row ids, newest first; nothing when no word is left."""
    expression = search.match(query, instances, chat)
    if expression is None:
        return []
    sql = "SELECT rowid FROM message_search WHERE message_search MATCH ? ORDER BY rowid DESC"
    return [rowid for (rowid,) in conn.exec_driver_sql(sql, (expression,))]


@pytest.fixture
def finds(engine: sa.Engine) -> Find:
    """Whether a query finds a text that stands in the index alone."""

    def ask(text: str, query: str) -> bool:
        return _finds(engine, text, query)

    return ask


def _finds(engine: sa.Engine, text: str, query: str) -> bool:
    with engine.connect() as conn, conn.begin() as transaction:
        search.index(conn, 1, text, INSTANCE, 1)
        hit = found(conn, query) == [1]
        transaction.rollback()
    return hit


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Новогодняя ёлка", "елка"),
        ("елка", "ЁЛКА"),
        ("е\u0308лка", "ёлка"),
        ("你好世界", "你好"),
        ("你好世界", "好世"),
        ("東京タワーで会う", "タワー"),
        ("안녕하세요", "안녕"),
        ("สวัสดีครับ", "ครับ"),
        ("🔥🔥", "🔥"),
        ("so hot🔥!", "🔥"),
        ("👍🏽", "👍"),
        ("love ❤\ufe0f", "❤"),
        ("new 🫨 face", "🫨"),
        ("Crème Brûlée", "creme brulee"),
        ("ＡＢＣ", "abc"),
        ("STRASSE", "straße"),
        ("se\u00adcret", "secret"),
        ("a\u202eb", "ab"),
        ("see `code` here", "code"),
        ("dir/file_name.txt", "file_name"),
        ("call +49 170 1234567", "1234567"),
        ("Abendessen", "abend*"),
        ("das Abendessen heute", '"das abendessen"'),
        ("हिन्दी में", "हिन्दी"),
        ("שלום עולם", "שלום"),
    ],
)
def test_it_finds_what_was_meant(finds: Find, text: str, query: str) -> None:
    assert finds(text, query)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Abendessen", "abend"),
        ("世界你好", "好世"),
        ("Abendessen", "a*"),
        ("heute das Abendessen", '"abendessen das"'),
        ("hello world", "hello moon"),
        ("i6ba7b8109dad11d180b400c04fd430c8", "c1"),
    ],
)
def test_it_finds_no_more_than_that(finds: Find, text: str, query: str) -> None:
    assert not finds(text, query)


@pytest.mark.case("S69")
@pytest.mark.parametrize(
    "query",
    ['"x', "x AND", "NEAR(x", "x:", "-x", "(x)", "x*", "x\0", "  x ", "^x", "{x", "+x", "x''"],
)
def test_what_is_syntax_elsewhere_is_a_word_here(finds: Find, query: str) -> None:
    text = "near x and"

    assert finds(text, query)
    assert not finds("something else", query)


@pytest.mark.case("S69")
@pytest.mark.parametrize(
    "query", ["", " ", "()", "*", '"', '""', "\0", "...", "\ud800", "`^`", "\ufe0f"]
)
def test_what_holds_no_word_is_no_query(query: str) -> None:
    assert search.match(query, None, None) is None


@pytest.mark.case("S69")
@pytest.mark.parametrize(
    "query",
    [f"scope : c{2}", 'text" OR scope : "c2', "{scope} : c2", "x) OR (c2", "c2", "i" + "0" * 32],
)
def test_no_query_reaches_beyond_its_scope(engine: sa.Engine, query: str) -> None:
    with engine.connect() as conn:
        search.index(conn, 1, "hello x", INSTANCE, 1)
        search.index(conn, 2, "hello x", OTHER, 2)

        assert 2 not in found(conn, query, [INSTANCE], 1)
        conn.rollback()


@pytest.mark.case("S69")
def test_an_endless_query_is_refused() -> None:
    with pytest.raises(InvalidInput):
        search.match("x " * 501, None, None)


@pytest.mark.case("S69")
@hypothesis.given(query=st.text(), text=st.text())
def test_any_text_can_be_indexed_searched_and_taken_out(
    engine: sa.Engine, query: str, text: str
) -> None:
    with engine.connect() as conn, conn.begin() as transaction:
        search.index(conn, 5, text, INSTANCE, 1)
        assert found(conn, query, [INSTANCE], 1) in ([], [5])
        search.unindex(conn, 5, text, INSTANCE, 1)
        assert found(conn, text[:300]) == []
        check = "INSERT INTO message_search(message_search) VALUES ('integrity-check')"
        conn.exec_driver_sql(check)
        transaction.rollback()


_LETTERS = st.characters(categories=("Ll", "Lu", "Nd"), max_codepoint=0x04FF)


@hypothesis.given(words=st.lists(st.text(_LETTERS, min_size=1, max_size=8), min_size=1, max_size=8))
def test_every_word_of_a_text_finds_it(engine: sa.Engine, words: list[str]) -> None:
    text = ", ".join(words)

    assert all(_finds(engine, text, query) for query in words)


@hypothesis.given(text=st.text())
def test_folding_leaves_one_form(text: str) -> None:
    folded = search.fold(text)

    folded.encode()
    assert not any(char in folded for char in ("ё", "\0", "\u200d", "\ufe0f"))
    assert search.fold(text.upper().casefold()) == search.fold(text.upper())


@hypothesis.given(text=st.text(st.characters(max_codepoint=0x0460)))
def test_plain_texts_fold_as_all_others(text: str) -> None:
    """A sign at the end takes them the long way."""
    assert search.fold(f"{text} 🔥") == f"{search.fold(text)}  🔥 "


def test_the_scope_narrows_to_instances_and_a_chat(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        search.index(conn, 1, "hello", INSTANCE, 1)
        search.index(conn, 2, "hello", OTHER, 2)
        search.index(conn, 3, "hello", INSTANCE, 3)

        assert found(conn, "hello") == [3, 2, 1]
        assert found(conn, "hello", [INSTANCE]) == [3, 1]
        assert found(conn, "hello", [INSTANCE, OTHER]) == [3, 2, 1]
        assert found(conn, "hello", [OTHER], 1) == []
        assert found(conn, "hello", None, 3) == [3]
        assert found(conn, "hello", []) == []
        assert found(conn, "hello", [str(uuid4()) for _ in range(2_000)] + [OTHER]) == [2]
        conn.rollback()


def test_row_ids_are_the_time_and_then_the_order(engine: sa.Engine) -> None:
    with engine.connect() as conn:
        chat = add_chat(conn)
        first = search.next_rowid(conn, 1_000)
        search.index(conn, first, "one", INSTANCE, chat)
        second = search.next_rowid(conn, 1_000)
        add_message(conn, chat, "", 1_000, second)  # edited to nothing: in the index no more
        third = search.next_rowid(conn, 1_000)
        later = search.next_rowid(conn, 1_001)
        conn.rollback()

    assert [first, second, third] == [(1_000 << 20) + tie for tie in range(3)]
    assert later == search.rowid_bound(1_001) > third


@pytest.mark.parametrize("sent_at", [-1, 0, 2**62])
def test_absurd_times_have_row_ids_all_the_same(engine: sa.Engine, sent_at: int) -> None:
    with engine.connect() as conn:
        rowid = search.next_rowid(conn, sent_at)
        search.index(conn, rowid, "hello", INSTANCE, 1)

        assert found(conn, "hello") == [rowid]
        conn.rollback()
