"""Folding: what people write in different ways compares equal, and nothing breaks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.core.names import escape_like, fold_handle, fold_name, fold_phone


@pytest.mark.parametrize(
    "written",
    ["+371 2000-0001", "+37120000001", "+３７１ ２０００ ０００１", "+37120000001@s.whatsapp.net"],
)
def test_one_number_in_many_spellings(written: str) -> None:
    assert fold_phone(written) == "+37120000001"


@pytest.mark.parametrize("text", ["", "Anna", "12", "c1f", "+", "+999999999999999999"])
def test_what_is_no_number_gives_nothing(text: str) -> None:
    assert fold_phone(text) == ""


def test_a_local_number_needs_its_region() -> None:
    assert fold_phone("8 900 123-45-67", "RU") == "+79001234567"
    assert fold_phone("8 900 123-45-67") == ""


def test_names_meet_without_case_yo_emoji_and_spaces() -> None:
    assert fold_name("Алёна  🌸 Петрова") == fold_name("алена петрова") == "аленапетрова"
    assert fold_handle(" @Anna_P ") == "anna_p"


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold_name(fold_name(text)) == fold_name(text)
    assert "%" not in escape_like(text).replace("\\%", "")
