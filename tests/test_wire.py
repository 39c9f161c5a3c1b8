"""JSON as it may come in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messengers.errors import InvalidInput
from messengers.wire import INVALID_REQUEST, fault, parse, request_fault

SOUND = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.floats(-1e15, 1e15)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet="abc"), inner),
)


@given(SOUND)
def test_sound_json_is_what_it_says(value: object) -> None:
    assert parse(json.dumps(value).encode()) == json.loads(json.dumps(value))


@pytest.mark.case("S12")
@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"{bad",
        b"[1,]",
        b"NaN",
        b"[Infinity]",
        b"-Infinity",
        b"1e999",
        b"9" * 5_000,
        b"9223372036854775808",
        b"-9223372036854775809",
        b'{"deep": [{"n": 18446744073709551616}]}',
        b"1e30",
        b'"\\ud800"',
        b'"\\udc00\\ud800"',
        b'"\xff"',
        b"[" * 200_000 + b"]" * 200_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b"\x00",
    ],
)
def test_what_breaks_later_is_refused_at_once(text: bytes) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse(text)

    assert len(str(caught.value)) < 120


def test_long_digits_in_a_text_are_no_number() -> None:
    assert parse(b'{"id": "12345678901234567890123", "n": 1.5e3}') == {
        "id": "12345678901234567890123",
        "n": 1500.0,
    }


@pytest.mark.parametrize(
    "message",
    [
        {"jsonrpc": "2.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": "a", "method": "ping", "params": {}},
        {"jsonrpc": "2.0", "method": "notifications/initialized"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        {"jsonrpc": "2.0", "id": None, "error": {"code": 1, "message": ""}},
    ],
)
def test_one_json_rpc_message_passes(message: object) -> None:
    assert request_fault(message) == ""


@pytest.mark.case("S10")
@pytest.mark.parametrize(
    "message",
    [
        [],
        [{"jsonrpc": "2.0", "id": 1, "method": "ping"}],
        "ping",
        7,
        None,
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1.5, "method": "ping"},
        {"jsonrpc": "2.0", "id": True, "method": "ping"},
        {"jsonrpc": "2.0", "id": {}, "method": "ping"},
        {"jsonrpc": "2.0", "id": 1},
        {"jsonrpc": "2.0", "id": 1, "method": 7},
        {"jsonrpc": "2.0", "id": 1, "method": "ping", "params": []},
    ],
)
def test_anything_else_is_told_what_it_lacks(message: object) -> None:
    assert request_fault(message)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"id": 7}, 7),
        ({"id": "x"}, "x"),
        ({"id": True}, None),
        ({}, None),
        ([], None),
        (None, None),
    ],
)
def test_a_fault_answers_to_the_request_it_is_about(request_: object, expected: object) -> None:
    answer = json.loads(fault(INVALID_REQUEST, "No.", request_))

    assert answer == {
        "jsonrpc": "2.0",
        "id": expected,
        "error": {"code": -32600, "message": "No."},
    }
