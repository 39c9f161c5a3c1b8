"""Names with stars: what they fit, and that no text makes them slow."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.core.globs import check_glob, fits
from messengers.errors import InvalidInput


@pytest.mark.parametrize(
    ("glob", "text", "does"),
    [
        ("spam*", "SpamKing", True),
        ("spam*", "xspam", False),
        ("*bot", "@a_bot", True),
        ("a*b*c", "aXbYc", True),
        ("a*b*c", "acb", False),
        ("a*a", "a", False),
        ("ab*ba", "aba", False),
        ("*ß", "STRASSE SS", True),
        ("exact", "EXACT", True),
        ("exact", "exactly", False),
    ],
)
def test_a_star_is_any_run_of_characters(glob: str, text: str, *, does: bool) -> None:
    assert fits(check_glob(glob), text) is does


@given(st.text("ab*", min_size=1, max_size=8), st.text("ab", max_size=12))
def test_it_fits_exactly_what_the_same_expression_fits(glob: str, text: str) -> None:
    same = "".join(".*" if char == "*" else re.escape(char) for char in glob)
    assert fits(glob, text) == bool(re.fullmatch(same, text, re.DOTALL))


@pytest.mark.case("S77")
@pytest.mark.parametrize("pattern", ["(a+)+$", "^a", "[ab]*", "a{9}*", "x|y", r"\d*"])
def test_a_regular_expression_is_refused(pattern: str) -> None:
    with pytest.raises(InvalidInput, match="Regular expressions"):
        check_glob(pattern)


@pytest.mark.case("S77")
@pytest.mark.parametrize("text", ["a" * 50_000, "a" * 49_999 + "!", "ab" * 25_000])
@pytest.mark.parametrize("glob", ["*a*a*a*a*a*a*a*b", "a*ab*aab*ba*z", "*aaaaaaaaab*aaaaaaaaac*"])
def test_no_text_stalls_a_glob(glob: str, text: str) -> None:
    kept = check_glob(glob)
    best = min(_seconds(kept, text) for _ in range(3))
    assert best < 0.05


def _seconds(glob: str, text: str) -> float:
    begun = time.perf_counter()
    fits(glob, text)
    return time.perf_counter() - begun
