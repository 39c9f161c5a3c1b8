"""Too much is answered with 429 and with when to come back: by key, and by address before that."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import httpx2
import pytest
from mcp import Client

from messengers.app import App, open_app
from messengers.core.callers import OWNER
from messengers.errors import InvalidInput
from messengers.settings import Settings
from messengers.web.rates import peer_of
from tests.mcp_server.conftest import text_of
from tests.mcp_server.ways import WAYS

pytestmark = pytest.mark.case("S70")
WRONG = {"Authorization": "Bearer msk_wrong"}
From = Callable[..., httpx2.AsyncClient]
Open = Callable[..., AbstractAsyncContextManager[tuple[App, From]]]


@pytest.fixture
def opened(home: Path) -> Open:
    """The application with settings, and clients at any address."""

    @asynccontextmanager
    async def served(**settings: object) -> AsyncGenerator[tuple[App, From]]:
        async with open_app(Settings.load(home=home, port=3000, **settings)) as app:

            def at(address: str) -> httpx2.AsyncClient:
                way = httpx2.ASGITransport(app=app.web, client=(address, 1))
                return httpx2.AsyncClient(transport=way, base_url="http://127.0.0.1:3000")

            yield app, at

    return served


async def test_a_key_that_asks_too_often_is_told_when_to_come_back(opened: Open) -> None:
    async with opened(requests_per_minute=3) as (app, at), at("127.0.0.1") as client:
        _, secret = await app.core.keys.create(OWNER, "busy", "setup")
        _, other = await app.core.keys.create(OWNER, "other", "setup")
        mine = {"Authorization": f"Bearer {secret}"}

        answers = [await client.get("/instances/x/login", headers=mine) for _ in range(4)]
        others = await client.get(
            "/instances/x/login", headers={"Authorization": f"Bearer {other}"}
        )

    assert [answer.headers["x-ratelimit-remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["x-ratelimit-limit"] for answer in answers} == {"3"}
    assert answers[3].status_code == 429
    assert 0 < int(answers[3].headers["retry-after"]) <= 20
    assert 40 < int(answers[3].headers["x-ratelimit-reset"]) <= 60
    assert answers[3].json()["error"]["code"] == "rate_limited"
    assert others.status_code != 429


@pytest.mark.parametrize("path", ["/mcp", "/sse", "/events", "/messages/", "/webhooks/x", "/none"])
async def test_guessing_is_slow_on_every_route_and_keys_that_hold_are_heard(
    opened: Open, path: str
) -> None:
    async with opened(failures_per_minute=3) as (app, at):
        _, secret = await app.core.keys.create(OWNER, "good", "setup")
        async with at("203.0.113.5") as guesser, at("203.0.113.6") as neighbour:
            tried = [(await guesser.post(path, headers=WRONG)).status_code for _ in range(5)]
            beside = (await neighbour.post(path, headers=WRONG)).status_code
            held = await guesser.get(
                "/instances/x/login", headers={"Authorization": f"Bearer {secret}"}
            )

    assert tried[3:] == [429, 429]
    assert 429 not in (*tried[:3], beside)
    assert held.status_code == 404


async def test_who_guessed_too_often_opens_no_links_or_pages(opened: Open) -> None:
    async with opened(failures_per_minute=2) as (app, at), at("203.0.113.5") as guesser:
        await app.core.instances.create(OWNER, "webchat", "page", {})
        assert (await guesser.get("/chat/page")).status_code == 200
        await guesser.get("/forms/wrong")
        await guesser.get("/login/wrong")

        answers = [await guesser.get(path) for path in ("/forms/x", "/chat/page", "/health")]

    assert [answer.status_code for answer in answers] == [429] * 3
    assert all("retry-after" in answer.headers for answer in answers)


async def test_a_page_in_the_owners_browser_cannot_lock_him_out_of_his_approvals(
    opened: Open,
) -> None:
    async with opened(failures_per_minute=2) as (app, at), at("127.0.0.1") as browser:
        app.core.address.listens(3000)
        await browser.get(await app.core.owner_sessions.link())
        async with at("127.0.0.1") as page:
            asked = [(await page.get("/approvals")).status_code for _ in range(4)]

        shown = await browser.get("/approvals")

    assert asked == [401, 401, 429, 429]
    assert shown.status_code == 200


async def test_visitors_of_one_address_are_many_and_not_endless(opened: Open) -> None:
    async with opened() as (app, at), at("203.0.113.5") as visitor:
        assert (await visitor.get("/health")).status_code == 200
        while not app.core.limits.visit("203.0.113.5").wait_s:
            pass
        assert (await visitor.get("/health")).status_code == 429


async def test_a_forwarded_address_counts_behind_a_trusted_proxy_only(opened: Open) -> None:
    def forged(number: int) -> dict[str, str]:
        return {**WRONG, "X-Forwarded-For": f"198.51.100.{number}"}

    async def tried(**settings: object) -> list[int]:
        async with opened(failures_per_minute=2, **settings) as (_, at), at("10.0.0.5") as proxy:
            return [
                (await proxy.post("/mcp", headers=forged(number))).status_code
                for number in range(4)
            ]

    assert await tried() == [401, 401, 429, 429]
    assert await tried(trusted_proxies=["10.0.0.0/8"]) == [401] * 4


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("10.0.0.5", "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        ("10.0.0.5", "1.1.1.1, 10.0.0.9", "1.1.1.1"),
        ("10.0.0.5", "", "10.0.0.5"),
        ("10.0.0.5", "nonsense", "nowhere"),
        ("9.9.9.9", "1.1.1.1", "9.9.9.9"),
        ("2001:db8:1:2:3::4", "", "2001:db8:1:2::"),
        ("::ffff:1.2.3.4", "", "1.2.3.4"),
    ],
)
def test_an_address_is_that_of_the_last_hop_nobody_vouches_for(
    peer: str, forwarded: str, found: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    scope: dict[str, object] = {"type": "http", "client": (peer, 1), "headers": headers}

    assert peer_of(scope, [ip_network("10.0.0.0/8")]) == found


def test_a_proxy_is_an_address_or_a_network(home: Path) -> None:
    with pytest.raises(InvalidInput, match="trusted_proxies"):
        Settings.load(home=home, trusted_proxies=["proxy.example"])


@pytest.mark.parametrize("way", ["unix", "http"])
async def test_a_tool_says_it_in_words(opened: Open, way: str, tmp_path: Path) -> None:
    async with (
        opened() as (app, _),
        WAYS[way](app.core, "setup", (), tmp_path) as transport,
        Client(transport) as client,
    ):
        arguments = {"instance": "x"}
        found = [await client.call_tool("connect_instance", arguments) for _ in range(32)]

    assert found[-1].is_error
    assert "connect_instance is called too often." in text_of(found[-1])
    assert "Retry in " in text_of(found[-1])
    assert "Nothing was changed." in text_of(found[-1])
    assert "too often" not in text_of(found[0])
