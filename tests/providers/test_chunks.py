"""Cutting Markdown into parts that fit."""

import re
import unicodedata
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.providers.chunks import measured, split


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


words = st.lists(
    st.sampled_from(
        ["word", "слово", "你好", "👩‍👩‍👧‍👦", "🇱🇻🇱🇻🇱🇻", "é", "👍🏽", "\n", "\n\n", " ", "- item\n"]
    )
    | st.text(max_size=12),
    max_size=80,
).map(" ".join)


@pytest.mark.parametrize("length", [len, utf16])
@given(text=words, limit=st.integers(40, 200))
def test_every_part_fits_and_nothing_but_blanks_is_lost(
    length: Callable[[str], int], text: str, limit: int
) -> None:
    text = text.replace("`", "").replace("~", "")
    parts = split(text, limit, length)

    assert all(0 < length(part) <= limit for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


@given(
    st.lists(
        st.sampled_from(["👩‍👩‍👧‍👦", "🇱🇻", "e\u0301", "👍🏽", "각", "ab"]), min_size=10, max_size=60
    ),
    st.integers(30, 60),
)
def test_no_part_begins_in_the_middle_of_a_character(pieces: list[str], limit: int) -> None:
    parts = split("".join(pieces), limit)

    for part in parts:
        assert not unicodedata.category(part[0]).startswith("M")
        assert part[0] not in "\u200d\U0001f3fd"
        assert not part.endswith("\u200d")
        assert len(re.findall("[\U0001f1e6-\U0001f1ff]", part)) % 2 == 0


@given(st.integers(1, 60), st.sampled_from(["```", "~~~", "````"]), st.integers(60, 120))
def test_a_fence_that_is_cut_is_closed_and_opened_again(lines: int, mark: str, limit: int) -> None:
    code = "\n".join(f"line {number}" for number in range(lines))
    parts = split(f"before\n\n{mark}python\n{code}\n{mark}\n\nafter", limit)

    for part in parts:
        assert len(part) <= limit
        assert len(re.findall(f"^{mark}", part, re.MULTILINE)) % 2 == 0
    kept = [line for part in parts for line in part.splitlines() if line.startswith("line ")]
    assert kept == code.splitlines()


@pytest.mark.parametrize(
    ("text", "limit", "parts"),
    [
        ("", 10, []),
        (" \n ", 10, []),
        ("short", 10, ["short"]),
        ("one two three", 8, ["one two", "three"]),
        ("aaaa bbbb\ncccc dddd", 12, ["aaaa bbbb", "cccc dddd"]),
        ("aaaa\n\nbbbb\ncccc", 12, ["aaaa", "bbbb\ncccc"]),
        ("x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
        ("x" * 9 + "\r\n" + "y" * 5, 10, ["x" * 9, "y" * 5]),
        ("```" + "x" * 30, 20, ["```" + "x" * 17, "x" * 13]),
        ("e" + "\u0301" * 200, 100, ["e" + "\u0301" * 99, "\u0301" * 100, "\u0301"]),
    ],
)
def test_it_cuts_at_the_nicest_place(text: str, limit: int, parts: list[str]) -> None:
    assert split(text, limit) == parts


def test_a_fence_near_the_end_moves_to_the_next_part_whole() -> None:
    text = "word " * 10 + "\n\n```\nshort code\n```"

    assert split(text, 60)[1] == "```\nshort code\n```"


def test_a_text_is_as_long_as_its_platform_counts() -> None:
    text = "a\u0301👍ё"

    assert measured(text, "chars") == 4
    assert measured(text, "utf16") == 5
    assert measured(text, "utf8") == 9
