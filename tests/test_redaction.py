"""Secrets taken out of text, wherever they stand."""

import base64
import json
import time
from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr

from messengers.redaction import (
    MASK,
    escape,
    is_secret_name,
    redact,
    redact_answer,
    redact_value,
    register_secret,
)

TELEGRAM = "7012345678:AAF" + "xK9-_q" * 8
TOKENS = {
    "telegram": TELEGRAM,
    "slack bot": "xoxb-" + "123456789012-abcDEF" * 2,
    "slack app": "xapp-1-" + "A0123-456-deadbeef" * 3,
    "slack refresh": "xoxe.xoxp-1-" + "Mi0yLTU5Nzc" * 6,
    "ours": "msk_" + "aB3-_" * 9,
    "meta": "EAA" + "GmZb0" * 30,
    "openai": "sk-proj-" + "aB3_" * 12,
    "discord": "MTA3NTI0NjI4MjM2Mjg3MTgyOA.GabCdE." + "aB3-_xYz" * 5,
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0." + "SflKxwRJSM" * 4,
    "whatsapp qr": "2@" + "aB3+/x" * 10 + "," + "Zz9=" * 11 + ",q1w2",
}
PLACES = (
    "{}",
    "GET https://api.example/{}/getMe",
    "https://files.example/file/{}/photos/1.jpg failed",
    "(b'authorization', b'Bearer {}')",
    "Authorization: Bearer {}",
    '{{"nested": "{}"}}',
    "url='https://x.example/?t={}&u=1'",
    "line one\n{}\nline three",
)


@pytest.mark.case("S65")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("name", TOKENS)
def test_a_token_leaves_nothing_of_itself_in_any_place(name: str, place: str) -> None:
    token = TOKENS[name]

    shown = redact(place.format(token))

    pieces = [token[at : at + 5] for at in range(4, len(token) - 5)]
    assert MASK in shown
    assert [piece for piece in pieces if piece in shown] == []


@pytest.mark.case("S65")
@pytest.mark.parametrize("place", ["/bot{}/getMe", "/file/bot{}/a.jpg", "bot%3A {}"])
def test_a_telegram_token_goes_from_the_urls_that_carry_it(place: str) -> None:
    assert "xK9" not in redact(place.format(TELEGRAM))
    assert "xK9" not in redact(place.format(quote(TELEGRAM)))


@pytest.mark.case("S65")
@given(st.integers(0, 200), st.sampled_from(sorted(TOKENS)))
def test_a_longer_token_of_the_same_kind_goes_as_a_whole(more: int, name: str) -> None:
    shown = redact(f"before {TOKENS[name]}{'Q7' * more} after")

    assert shown == f"before {MASK} after"


@pytest.mark.case("S65")
@pytest.mark.parametrize(
    "text",
    [
        "?access_token=hunter2&x=1",
        "password: hunter2",
        '{"app_secret": "hunter2", "a": 1}',
        "{'client_secret': 'hunter2'}",
        "api-key=hunter2",
        r"body: {\"token\": \"hunter2\"}",
        "Cookie: visitor=hunter2; other=hunter2",
        "(b'cookie', b'visitor=hunter2')",
        "pairing_code=hunter2",
        "qr='hunter2'",
        "postgres://anna:hunter2@db.example/x",
        "X-Telegram-Bot-Api-Secret-Token: hunter2",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\nhunter2",
    ],
)
def test_what_stands_under_a_secrets_name_goes(text: str) -> None:
    assert "hunter2" not in redact(text)
    assert redact(redact(text)) == redact(text)


@given(st.text())
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T14:05:00.123456+00:00 chat c1f message m3k9",
        "messengers.mcp_server.transports.Transports failed after 12 attempts",
        "79001234567@s.whatsapp.net and 1700000000.123456 and 127.0.0.1:3000",
        "2b6f1a52-3c44-4f0e-9a53-5a0f9d0f5a11 is connected",
        "See https://example.com/a/b?page=2#top",
        "The token is missing. Keys are made with `messengers keys create`.",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


def test_a_message_that_speaks_of_a_password_stays_in_an_answer() -> None:
    assert redact_answer("the wifi password: hunter2") == "the wifi password: hunter2"
    assert TELEGRAM not in redact_answer(f"token: {TELEGRAM}")


@pytest.mark.case("S65")
def test_a_registered_value_goes_in_every_spelling() -> None:
    secret = 'kürbis/"Suppe"\n& mehr'
    register_secret(secret)
    register_secret(secret)

    spellings = (secret, quote(secret), quote(secret, safe=""), repr(secret)[1:-1])
    in_json = (json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1])

    assert {redact(f"<{spelling}>") for spelling in (*spellings, *in_json)} == {f"<{MASK}>"}


def test_of_two_registered_values_the_longer_goes_whole() -> None:
    register_secret("short-one-7")
    register_secret("short-one-7-and-longer")

    assert redact("short-one-7-and-longer") == MASK


def test_a_value_too_short_to_be_told_from_words_is_not_registered() -> None:
    register_secret("the")

    assert redact("the cat") == "the cat"


@pytest.mark.parametrize("length", [20, 2_000])
@pytest.mark.parametrize("at", [24_980, 24_995, 20_000, 19_990])
@pytest.mark.case("S65")
def test_a_very_long_text_is_cut_and_no_secret_is_cut_open(at: int, length: int) -> None:
    secret = "no-shape-" + "cQ4zW8" * length
    register_secret(secret)

    shown = redact_value("x" * at + secret + TELEGRAM * 1_000)

    assert isinstance(shown, str)
    assert "cQ4" not in shown
    assert TELEGRAM[:14] not in shown
    assert 19_000 < len(shown) < 20_200
    assert shown.endswith(f"… ({at + len(secret) + len(TELEGRAM) * 1_000:,} characters)")


@pytest.mark.parametrize("name", ["token", "bot_token", "App-Secret", "api_key", "qr", "qr_text"])
def test_names_of_secrets_are_known(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["tokens_used", "name", "key", "chat", "signature_count", "query"])
def test_other_names_are_not(name: str) -> None:
    assert not is_secret_name(name)


class Config(BaseModel):
    """A provider's configuration as somebody might log it."""

    token: SecretStr = SecretStr("hunter2-secret")
    plain: str = "shown"


@pytest.mark.case("S65")
def test_structures_are_redacted_to_the_last_leaf() -> None:
    value = {
        "token": {"deep": "hunter2"},
        "list": ["msk_abcdefgh", ("xoxb-1234-5678",), {"password": 5}],
        "model": Config(),
        "number": 7,
        "nothing": None,
        "fault": ValueError("api_key=hunter2"),
    }

    shown = redact_value(value)

    assert shown == {
        "token": MASK,
        "list": [MASK, [MASK], {"password": MASK}],
        "model": "token=[redacted]'**********') plain='shown'",
        "number": 7,
        "nothing": None,
        "fault": f"ValueError('api_key={MASK}')",
    }
    json.dumps(shown)


@pytest.mark.case("S65")
@given(st.text(alphabet=st.characters(categories=["Cc", "Zl", "Zp", "Ll"])))
def test_escaped_text_is_one_line_without_control_characters(text: str) -> None:
    shown = escape(text)

    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1


def test_escapes_are_the_ones_json_knows() -> None:
    text = "a\r\n\t\x1b[31m\x9b\u202e\u2028b"

    assert json.loads(f'"{escape(text)}"') == text


def test_base64_of_a_picture_is_not_taken_for_a_token() -> None:
    data = base64.b64encode(bytes(range(256))).decode()

    assert redact(f"data:image/png;base64,{data}") == f"data:image/png;base64,{data}"


HOSTILE: dict[str, Callable[[int], str]] = {
    "dashes before three parts": lambda n: "A1-" * n + ".aaaaa.b",
    "words before a token": lambda n: "a-" * n + ".GabCdE." + "x" * 25,
    "tokens in a row": lambda n: "A1bbbbbbbbbbbbbbbbb.ccccc." * n + "z" * 25,
    "digits": lambda n: "1" * n + ":" + "a" * 16,
    "keys that never end": lambda n: "-----BEGIN PRIVATE KEY-----" * n,
    "beginnings of keys": lambda n: "-----BEGIN " * n + "PRIVATE KEY-----",
    "addresses without an end": lambda n: "://a:" * n,
    "blanks": lambda n: "bearer" + " " * n + "token" + " " * n + "=x",
    "backslashes": lambda n: ("token" + "\\" * 30) * n,
    "names": lambda n: "token-" * n + "=x",
    "quotes": lambda n: "'token': '" * n,
    "headers": lambda n: "cookie=[redacted" * n,
}
"""Texts that a pattern may look at again from each of their characters."""


def cpu_s(text: str) -> float:
    """What redacting takes of the processor, at best: other processes do not count."""

    def once() -> float:
        begun = time.process_time()
        redact(text)
        return time.process_time() - begun

    return min(once() for _ in range(3))


@pytest.mark.case("S65")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_text_four_times_as_long_takes_about_four_times_as_long(name: str) -> None:
    make = HOSTILE[name]

    short, long = (cpu_s(make(size)) for size in (4_000, 16_000))

    # A quadratic pattern takes sixteen times as long. What takes next to nothing is not compared.
    assert long < 9 * max(short, 0.002)
