"""One person in every spelling has one key, and two people never share one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.core.identities import handle_key, id_key, keys_of, phone_key
from messengers.core.subjects import Subject, read_subject
from messengers.errors import InvalidInput

KEY = "+79001234567"
SPELLINGS = (
    "+79001234567",
    "+7 900 123-45-67",
    "+7 (900) 123 45 67",
    "79001234567@s.whatsapp.net",
    "79001234567:12@s.whatsapp.net",
    "79001234567.0:12@s.whatsapp.net",
    "79001234567@c.us",
    "79001234567@hosted",
    "+７９００１２３４５６７",
    "+٧٩٠٠١٢٣٤٥٦٧",
    "٧٩٠٠١٢٣٤٥٦٧@s.whatsapp.net",
    " 79001234567:3@S.WhatsApp.Net ",
)


@pytest.mark.case("S29")
@pytest.mark.parametrize("written", SPELLINGS)
def test_one_number_in_every_spelling_is_one_key(written: str) -> None:
    assert read_subject(written) == Subject("phone", KEY)


@pytest.mark.case("S29")
@pytest.mark.parametrize("written", ["89001234567", "8 (900) 123-45-67", "900 123 45 67"])
def test_a_number_of_a_known_country_is_that_key(written: str) -> None:
    assert read_subject(written, "ru").text == KEY


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("123@lid", "123@s.whatsapp.net"),
        ("79001234567@lid", KEY),
        ("120363@g.us", "120363@s.whatsapp.net"),
        ("@79001234567", KEY),
        ("79001234567", KEY),
        ("ann", "Ann"),
    ],
)
def test_what_only_looks_alike_is_somebody_else(one: str, other: str) -> None:
    assert keys_of((one,)).isdisjoint(keys_of((other,)))


def test_a_hidden_id_has_no_device_either() -> None:
    assert id_key("123:7@lid") == id_key("123@hosted.lid") == "123@lid"


@pytest.mark.parametrize("written", ["@Anna_P", "@anna_p", " @ANNA_P ", "@ａnna_p"])
def test_a_username_has_one_key(written: str) -> None:
    assert read_subject(written) == Subject("username", "@anna_p")


@pytest.mark.parametrize(
    ("written", "subject"),
    [
        ("any", Subject("any", "")),
        ("+7 900*", Subject("phone_prefix", "+7900")),
        ("Spam*", Subject("glob", "spam*")),
        ("@*_bot", Subject("glob", "@*_bot")),
        ("U0AB12", Subject("native_id", "U0AB12", needs_instance=True)),
        ("55123", Subject("native_id", "55123", needs_instance=True)),
        ("123:4@lid", Subject("native_id", "123@lid")),
    ],
)
def test_what_is_meant_is_known_by_its_form(written: str, subject: Subject) -> None:
    assert read_subject(written) == subject


@pytest.mark.parametrize(
    "written",
    ["", "  ", "*", "@*", "x" * 201, "8 (900) 123-45-67", "role:admin", "+7 900", "a\0b*"],
)
def test_what_says_nobody_is_refused(written: str) -> None:
    with pytest.raises(InvalidInput):
        read_subject(written)


DIGITS = "0123456789٠١٢٣٤٥٦٧٨٩०१२३४५६७८९０１２３４５６７８９"
NUMBERS = st.integers(9_000_000_000, 9_999_999_999).map(lambda number: f"7{number}")


def mixed(number: str, choices: list[int]) -> str:
    """The number with each digit of one of four scripts."""
    return "".join(DIGITS[int(d) + 10 * c] for d, c in zip(number, choices, strict=True))


@pytest.mark.case("S29")
@given(NUMBERS, st.lists(st.integers(0, 3), min_size=11, max_size=11), st.integers(0, 99))
def test_digits_of_any_script_and_any_device_change_nothing(
    number: str, scripts: list[int], device: int
) -> None:
    written = mixed(number, scripts)
    key = phone_key(f"+{number}")
    assert key
    assert phone_key(f"+{written}") == key
    assert id_key(f"{written}:{device}@s.whatsapp.net") == key


@given(st.text(max_size=60))
def test_a_key_of_a_key_is_itself(text: str) -> None:
    assert id_key(id_key(text)) == id_key(text)
    assert handle_key(handle_key(text)) == handle_key(text)


@given(st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused(text: str) -> None:
    try:
        subject = read_subject(text, "RU")
    except InvalidInput:
        return
    assert subject.kind == "any" or subject.text
