"""Times as people write them, in the owner's zone."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.errors import InvalidInput
from messengers.mcp_server.times import Asked, Span, Zone

NOW = datetime(2026, 11, 20, 14, 5, 30, tzinfo=UTC)
RIGA = Zone(ZoneInfo("Europe/Riga"), NOW)


def utc(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", utc(2026, 11, 20, 12, 35, 30)),
        ("2h", utc(2026, 11, 20, 12, 5, 30)),
        ("3d", utc(2026, 11, 17, 14, 5, 30)),
        ("1W", utc(2026, 11, 13, 14, 5, 30)),
        ("now", NOW),
        ("today", utc(2026, 11, 19, 22)),
        (" Yesterday ", utc(2026, 11, 18, 22)),
        ("2026-11-20", utc(2026, 11, 19, 22)),
        ("2026-11-20T14:00", utc(2026, 11, 20, 12)),
        ("2026-11-20T14:00Z", utc(2026, 11, 20, 14)),
        ("2026-11-20 14:00:00+05:00", utc(2026, 11, 20, 9)),
        ("2026-07-01", utc(2026, 6, 30, 21)),
    ],
)
def test_a_time_means_a_moment_in_the_owners_zone(text: str, moment: datetime) -> None:
    assert RIGA.moment(text, "since") == moment


@pytest.mark.parametrize(
    "text",
    ["tomorrow", "2x", "-2h", "999999999w", "2026-13-01", "0001-01-01", "9999-12-31T23:59-23:00",
     "٣d", "1.5h", "hh", "\0"],
)  # fmt: skip
def test_what_is_no_time_is_refused_without_repeating_it(text: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        RIGA.moment(text, "since")

    assert text not in caught.value.cause


def test_days_follow_the_clock_change() -> None:
    zone = Zone(ZoneInfo("Europe/Riga"), utc(2026, 10, 25, 12))

    assert zone.moment("today", "since") == utc(2026, 10, 24, 21)
    assert zone.moment("2026-10-26", "since") == utc(2026, 10, 25, 22)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(InvalidInput):
        RIGA.span("1h", "2h")


def test_open_ends_stay_open() -> None:
    assert RIGA.span("", " ") == Span(None, None)


@pytest.mark.parametrize(
    ("first", "last", "shown"),
    [
        (utc(2026, 11, 20, 12), utc(2026, 11, 20, 13), "2026-11-20 14:00–15:00 Europe/Riga"),
        (utc(2026, 11, 19, 12), utc(2026, 11, 20, 13),
         "2026-11-19 14:00 – 2026-11-20 15:00 Europe/Riga"),
        (utc(2026, 11, 20, 12), utc(2026, 11, 20, 12), "2026-11-20 14:00 Europe/Riga"),
        (utc(2026, 11, 20, 12), None, "since 2026-11-20 14:00 Europe/Riga"),
        (None, utc(2026, 11, 20, 12), "until 2026-11-20 14:00 Europe/Riga"),
        (None, None, "Europe/Riga"),
    ],
)  # fmt: skip
def test_a_range_is_told_with_its_zone(
    first: datetime | None, last: datetime | None, shown: str
) -> None:
    assert RIGA.range(first, last) == shown


def test_the_first_pages_range_travels_with_the_cursor() -> None:
    first = Asked.read(RIGA, "2h", "", "")
    later = Zone(RIGA.zone, utc(2026, 11, 20, 18))

    again = Asked.read(later, "2h", "", first.carry("abc.def"))

    assert again.span == first.span
    assert again.cursor == "abc.def"


def test_no_cursor_is_carried_at_the_end() -> None:
    assert Asked.read(RIGA, "2h", "", "").carry("") == ""


@pytest.mark.parametrize("cursor", ["abc", "x.1.2.core", "..."])
def test_a_strange_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(InvalidInput):
        Asked.read(RIGA, "2h", "", cursor)


def test_a_cursor_of_another_range_is_refused() -> None:
    cursor = Asked.read(RIGA, "2h", "", "").carry("core")

    with pytest.raises(InvalidInput):
        Asked.read(RIGA, "3h", "", cursor)


@pytest.mark.parametrize("digits", ["zz", "f" * 40])
def test_a_damaged_range_in_a_cursor_is_refused(digits: str) -> None:
    check = Asked.read(RIGA, "2h", "", "").check

    with pytest.raises(InvalidInput):
        Asked.read(RIGA, "2h", "", f"{check}.{digits}..core")


@given(st.text())
def test_any_text_is_a_moment_or_refused(text: str) -> None:
    try:
        moment = RIGA.moment(text, "since")
    except InvalidInput:
        return
    assert moment.tzinfo is UTC
    assert RIGA.day(moment)
