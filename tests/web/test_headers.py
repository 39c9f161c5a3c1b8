"""The headers of every kind of answer, by OWASP's list of secure headers."""

from pathlib import Path

import httpx2
import pytest

from messengers.app import open_app
from messengers.settings import Settings
from tests.web.conftest import Site, StartDaemon
from tests.web.test_doors import WEBSOCKET

PAGES = (
    "/chat/nobody", "/forms/nobody", "/login/nobody", "/approvals", "/approvals/open/nobody",
)  # fmt: skip
ANSWERS = ("/health", "/mcp", "/nothing", "/events", "/instances/x/login", "/chat/x/media/f1")


@pytest.mark.case("S72")
@pytest.mark.parametrize("path", PAGES)
async def test_a_page_loads_nothing_from_elsewhere_and_is_framed_and_kept_nowhere(
    site: Site, path: str
) -> None:
    headers = (await site.client.get(path)).headers

    assert headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "base-uri 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cross-origin-embedder-policy"] == "require-corp"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "geolocation=()" in headers["permissions-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] in {"no-referrer", "same-origin"}
    assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.case("S72")
@pytest.mark.parametrize("path", ANSWERS)
@pytest.mark.parametrize("has_key", [True, False])
async def test_an_answer_for_programs_is_nothing_in_a_browser(
    site: Site, path: str, has_key: bool
) -> None:
    key = await site.authorized() if has_key else {}
    async with site.client.stream("GET", path, headers={**key, "Origin": "http://x"}) as answer:
        headers = answer.headers

    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-permitted-cross-domain-policies"] == "none"
    assert "no-store" in headers["cache-control"]
    assert not {"server", "x-powered-by", "access-control-allow-origin"} & set(headers)


@pytest.mark.case("S72")
async def test_what_pages_load_is_checked_each_time_and_is_no_page_itself(site: Site) -> None:
    headers = (await site.client.get("/static/approvals.js")).headers

    assert headers["cache-control"] == "no-cache"
    assert headers["x-content-type-options"] == "nosniff"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


@pytest.mark.case("S72", "S73")
async def test_a_refused_handshake_has_them_too(start_daemon: StartDaemon) -> None:
    async with start_daemon() as daemon, httpx2.AsyncClient() as client:
        answer = await client.get(f"{daemon.url}/chat/nobody/ws", headers=WEBSOCKET)

    assert answer.status_code == 403
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.case("S72")
@pytest.mark.parametrize(
    ("host", "expected"),
    [("chat.example", "max-age=31536000"), ("127.0.0.1:3000", None)],
)
async def test_who_came_by_https_is_told_to_stay_there(
    home: Path, host: str, expected: str | None
) -> None:
    settings = Settings.load(home=home, port=3000, public_url="https://chat.example")
    async with open_app(settings) as app:
        transport = httpx2.ASGITransport(app=app.web)
        async with httpx2.AsyncClient(transport=transport, base_url="http://x") as client:
            answers = [
                await client.get(path, headers={"host": host}) for path in ("/health", "/chat/x")
            ]

    assert [each.headers.get("strict-transport-security") for each in answers] == [expected] * 2
