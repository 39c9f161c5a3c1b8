"""The chat page and what it loads, over HTTP."""

import re

import pytest

from tests.web.chat.conftest import Site

COOKIE = re.compile(
    r"visitor=[A-Za-z0-9_-]{43}; HttpOnly; Max-Age=31536000; Path=/chat/shop; SameSite=lax"
)


@pytest.mark.case("S72")
async def test_the_page_carries_the_security_headers(site: Site) -> None:
    async with site.client() as client:
        page = await client.get("/chat/shop")

    policy = page.headers["content-security-policy"]
    assert page.status_code == 200
    assert policy == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert "camera=()" in page.headers["permissions-policy"]
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.case("S72")
async def test_the_page_has_nothing_inline_and_nothing_from_elsewhere(site: Site) -> None:
    async with site.client() as client:
        html = (await client.get("/chat/shop")).text
        sources = re.findall(r'(?:src|href)="([^"]+)"', html)
        loaded = [await client.get(source) for source in sources]

    assert not re.search(r"<style|\son\w+=|\sstyle=|<script(?![^>]* src=)", html)
    assert sources
    assert all(source.startswith("/static/") for source in sources)
    assert {answer.status_code for answer in loaded} == {200}


async def test_what_the_owner_configured_is_shown_as_text(site: Site) -> None:
    async with site.client() as client:
        html = (await client.get("/chat/shop")).text

    assert "<title>Anna&#39;s Bakery</title>" in html
    assert "Hi! Ask us &lt;anything&gt;." in html


async def test_a_new_browser_gets_a_cookie_that_scripts_and_other_pages_do_not(
    site: Site,
) -> None:
    async with site.client() as client:
        first = await client.get("/chat/shop")
        again = await client.get("/chat/shop")
    async with site.client("forged") as client:
        replaced = await client.get("/chat/shop")

    assert COOKIE.fullmatch(first.headers["set-cookie"])
    assert again.headers["set-cookie"] == first.headers["set-cookie"]
    assert COOKIE.fullmatch(replaced.headers["set-cookie"])
    assert replaced.headers["set-cookie"] != first.headers["set-cookie"]


async def test_nothing_an_agent_sees_leads_to_the_cookie(site: Site) -> None:
    cookie = await site.cookie()
    async with site.guest(cookie) as guest:
        await guest.say("Hi")
        message = await site.told("Hi")
        chat = await site.chat()

    assert re.fullmatch(r"v[0-9a-f]{24}", chat.native_id)
    assert cookie not in chat.model_dump_json() + message.model_dump_json()
    assert chat.native_id == site.core.visitors.identify(cookie)


@pytest.mark.parametrize(
    "name", ["nowhere", "SHOP", "sh%20op", "..%2Fshop", "%00", "x" * 300, "a%0d%0aSet-Cookie:x"]
)
@pytest.mark.case("S40")
async def test_a_name_without_a_page_is_a_page_that_says_so(site: Site, name: str) -> None:
    async with site.client() as client:
        answer = await client.get(f"/chat/{name}")

    assert answer.status_code == 404
    assert "set-cookie" not in answer.headers


async def test_an_instances_uuid_is_not_a_pages_name(site: Site) -> None:
    async with site.client() as client:
        answer = await client.get(f"/chat/{site.core.instances.by_name('shop').id}")

    assert answer.status_code == 404
    assert "There is no chat here" in answer.text


@pytest.mark.case("S72")
async def test_static_files_are_typed_checked_anew_and_nothing_else_is_served(site: Site) -> None:
    async with site.client() as client:
        script = await client.get("/static/chat.js")
        known = await client.get(
            "/static/chat.js", headers={"If-None-Match": script.headers["etag"]}
        )
        missing = [
            (await client.get(f"/static/{name}")).status_code
            for name in ("chat.html", "..%2Fchat.py", "%2e%2e/chat.py", "", "__init__.py")
        ]

    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["x-content-type-options"] == "nosniff"
    assert script.headers["cache-control"] == "no-cache"
    assert (known.status_code, known.content) == (304, b"")
    assert set(missing) == {404}


@pytest.mark.case("S01")
@pytest.mark.parametrize("path", ["/chat/shop", "/chat/shop/media/f1", "/static/chat.js"])
async def test_a_foreign_host_gets_no_page(site: Site, path: str) -> None:
    async with site.client() as client:
        answer = await client.get(path, headers={"Host": "evil.example"})

    assert answer.status_code == 421
