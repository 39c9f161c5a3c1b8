"""Cursors: what comes back is what was given, for one question only."""

import hypothesis
import hypothesis.strategies as st
import pytest

from messengers.errors import InvalidInput
from messengers.store.cursors import Cursors

CURSORS = Cursors(b"k" * 32)
_WELL_FORMED = st.characters(exclude_categories=("Cs",))


@hypothesis.given(
    scope=st.text(),
    position=st.lists(st.integers(-(2**63), 2**63 - 1) | st.text(_WELL_FORMED, max_size=50)),
)
def test_a_cursor_carries_its_position(scope: str, position: list[int | str]) -> None:
    text = CURSORS.encode(scope, position[:5])

    assert CURSORS.decode(scope, text) == position[:5]


def test_a_cursor_of_another_question_is_refused() -> None:
    text = CURSORS.encode("chats", [1, 2])

    with pytest.raises(InvalidInput, match="cursor"):
        CURSORS.decode("chats unread", text)


def test_a_cursor_of_another_store_is_refused() -> None:
    text = Cursors(b"x" * 32).encode("chats", [1, 2])

    with pytest.raises(InvalidInput):
        CURSORS.decode("chats", text)


@pytest.mark.parametrize("text", ["", "a", "====", "é", "🔥", "\ud800", "\0", "A" * 5_000, "../x"])
def test_garbage_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        CURSORS.decode("chats", text)


@hypothesis.given(text=st.text())
def test_whatever_is_sent_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidInput):
        CURSORS.decode("chats", text)


def test_one_changed_character_is_noticed() -> None:
    text = CURSORS.encode("chats", [1_700_000_000_000, 42])
    changed = [
        text[:at] + ("B" if char == "A" else "A") + text[at + 1 :] for at, char in enumerate(text)
    ]

    # The last character may carry bits that mean nothing.
    for forged in changed[:-1]:
        with pytest.raises(InvalidInput):
            CURSORS.decode("chats", forged)
