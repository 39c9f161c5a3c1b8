"""Login links: one browser each, for a quarter of an hour, and never in memory themselves."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from messengers.core.address import Address
from messengers.core.login_links import LoginLinks
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
def links(clock: HandClock, tmp_path: Path) -> LoginLinks:
    return LoginLinks(clock, Address(Settings(home=tmp_path)))


def opened(links: LoginLinks, instance: str = "i1") -> str:
    """The token of a new link."""
    return links.open(instance).rpartition("/")[2]


@pytest.mark.case("S79")
def test_only_the_first_browser_gets_a_cookie_and_only_that_opens_it(links: LoginLinks) -> None:
    token = opened(links)

    assert links.look(token, "") == ""
    cookie = links.take(token)

    assert len(token) >= 43
    assert len(cookie) >= 43
    assert links.take(token) == ""
    assert links.look(token, cookie) == "i1"
    assert links.look(token, cookie + "x") == ""
    assert links.look(opened(links), cookie) == ""


@pytest.mark.case("S79")
def test_it_expires_opened_or_not(links: LoginLinks, clock: HandClock) -> None:
    unopened, token = opened(links), opened(links)
    cookie = links.take(token)

    clock.at_s += links.lifetime_s - 1
    assert links.look(token, cookie) == "i1"
    clock.at_s += 1

    assert links.look(token, cookie) == ""
    assert links.take(unopened) == ""


def test_what_has_ended_opens_nothing(links: LoginLinks) -> None:
    token = opened(links)
    cookie = links.take(token)

    links.end(token)

    assert links.look(token, cookie) == ""
    assert links.take(token) == ""
    assert links.take("\ud800 never made") == ""


def test_of_too_many_the_oldest_ends(links: LoginLinks) -> None:
    tokens = [opened(links) for _ in range(101)]

    assert links.take(tokens[0]) == ""
    assert links.take(tokens[1]) != ""


@pytest.mark.case("S79")
def test_memory_holds_neither_tokens_nor_cookies(links: LoginLinks) -> None:
    token = opened(links)
    cookie = links.take(token)

    held = repr(vars(links))

    assert "i1" in held
    assert token not in held
    assert cookie not in held
