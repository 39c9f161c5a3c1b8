"""Form tokens: one filled form each, for a quarter of an hour, and never in memory themselves."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from messengers.core.address import Address
from messengers.core.forms import Form, Forms
from messengers.settings import Settings


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at_s = 1_000.0

    def now(self) -> datetime:
        return datetime(2026, 11, 20, tzinfo=UTC)

    def monotonic_s(self) -> float:
        return self.at_s


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def forms(clock: HandClock, tmp_path: Path) -> Forms:
    return Forms(clock, Address(Settings(home=tmp_path)))


def test_a_token_opens_its_form_once(forms: Forms) -> None:
    token = forms.open(Form("webchat", "shop"))

    seen, taken = forms.look(token), forms.take(token)

    assert seen == taken != None  # noqa: E711 - one comparison of three
    assert forms.take(token) is None
    assert forms.look(token) is None


def test_tokens_are_long_and_each_its_own(forms: Forms) -> None:
    tokens = {forms.open(Form("webchat", "shop")) for _ in range(20)}

    assert len(tokens) == 20
    assert all(len(token) >= 43 for token in tokens)
    assert not any(token in repr(vars(forms)) for token in tokens)


def test_a_quarter_of_an_hour_ends_it(forms: Forms, clock: HandClock) -> None:
    token = forms.open(Form("webchat", "shop"))

    clock.at_s += 15 * 60 - 1
    assert forms.look(token) is not None
    clock.at_s += 2
    assert forms.look(token) is None
    assert forms.take(token) is None


@pytest.mark.parametrize("token", ["", "x", "\ud800", "a" * 10_000])
def test_what_is_no_token_opens_nothing(forms: Forms, token: str) -> None:
    assert forms.look(token) is None
    assert forms.take(token) is None


def test_many_links_never_hold_much(forms: Forms) -> None:
    first = forms.open(Form("webchat", "first"))
    tokens = [forms.open(Form("webchat", f"n{n}")) for n in range(100)]

    assert forms.look(first) is None
    assert all(forms.look(token) for token in tokens)


@pytest.mark.parametrize(
    ("host", "base"),
    [
        ("127.0.0.1", "http://127.0.0.1:3000"),
        ("::1", "http://[::1]:3000"),
        ("localhost", "http://localhost:3000"),
        ("127.1.2.3", "http://127.1.2.3:3000"),
        ("0.0.0.0", "http://127.0.0.1:3000"),
        ("::", "http://127.0.0.1:3000"),
    ],
)
def test_a_form_is_always_on_this_machine(tmp_path: Path, host: str, base: str) -> None:
    settings = Settings(home=tmp_path, host=host, public_url="https://chat.example.com/")
    address = Address(settings)

    assert address.form("t") == f"{base}/forms/t"
    assert address.chat_page("shop") == "https://chat.example.com/chat/shop"
    address.listens(4711)
    assert address.local.endswith(":4711")
