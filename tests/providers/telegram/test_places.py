"""Native ids of chats and messages, and recipients as people write them."""

import pytest

from messengers.errors import InvalidInput, PlatformRefused
from messengers.providers.telegram.places import (
    Place,
    message_native,
    message_number,
    parse_target,
)

SUPERGROUP = -1_002_000_000_001


@pytest.mark.parametrize(
    ("native", "place"),
    [
        ("5000000001", Place(5_000_000_001)),
        ("-4001", Place(-4_001)),
        (f"{SUPERGROUP}:7", Place(SUPERGROUP, topic=7)),
        (f"{SUPERGROUP}:d77", Place(SUPERGROUP, direct=77)),
        ("business:Ab-c_1:50001", Place(50_001, business="Ab-c_1")),
    ],
)
def test_a_place_is_read_as_it_is_written(native: str, place: Place) -> None:
    assert Place.read(native) == place
    assert place.native_id == native


@pytest.mark.parametrize("text", ["", "x", "1:", "1:x", "business:1", "1/2", "1;2"])
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        Place.read(text)


def test_messages_of_a_group_stay_apart_from_those_of_the_supergroup_it_becomes() -> None:
    assert message_native(-4_001, 12) == "g12"
    assert message_native(SUPERGROUP, 12) == message_native(5_000_000_001, 12) == "12"
    assert message_number(Place(-4_001), "g12") == message_number(Place(SUPERGROUP), "12") == 12
    with pytest.raises(PlatformRefused):
        message_number(Place(SUPERGROUP), "g12")


@pytest.mark.parametrize("native", ["pressed:1", "member:1:2:joined", ""])
def test_what_is_no_message_of_telegrams_cannot_be_answered(native: str) -> None:
    with pytest.raises(PlatformRefused):
        message_number(Place(5), native)


@pytest.mark.parametrize(
    ("text", "native"),
    [
        (" 5000000001 ", "5000000001"),
        ("-1002000000001:7", "-1002000000001:7"),
        ("@BreadNews", "@breadnews"),
        ("t.me/BreadNews", "@breadnews"),
        ("https://t.me/breadnews/", "@breadnews"),
        ("business:Ab1:50001", "business:Ab1:50001"),
        ("Ada", None),
        ("c1f", None),
        ("1234", None),
        ("https://example.org/x", None),
    ],
)
def test_a_written_recipient_is_understood_strictly(text: str, native: str | None) -> None:
    assert parse_target(text) == native


@pytest.mark.parametrize(
    "text", ["+371 2000-0001", "123@s.whatsapp.net", "slack:C1", "v0123456789abcdef01234567"]
)
def test_other_messengers_ids_and_phone_numbers_are_refused_with_a_hint(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_target(text)

    assert caught.value.remedy
