"""The login page over HTTP: for one browser of this machine, one account, and kept nowhere."""

import logging
import re
from base64 import b64decode
from typing import Any

import httpx2
import pytest

from messengers.core.callers import OWNER
from messengers.models import Lifecycle
from tests.web.login.conftest import FIRST, Desk, add_phone

UNKNOWN = "/login/" + "x" * 43


async def opened(desk: Desk, client: httpx2.AsyncClient) -> str:
    """The address of the page, once this browser has opened it."""
    link = await desk.link()
    assert (await client.get(link)).status_code == 200
    return link


async def ask(
    desk: Desk, client: httpx2.AsyncClient, link: str, **question: object
) -> dict[str, Any]:
    """What the page is told."""
    answer = await client.post(f"{link}/step", json=question, headers=desk.own)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    told: dict[str, Any] = answer.json()
    return told


async def test_connecting_leads_to_the_code_on_this_machine_or_in_a_terminal(desk: Desk) -> None:
    answer = await desk.core.instances.connect(OWNER, "phone")

    assert answer.user_action == "scan_qr"
    assert answer.link.startswith(f"{desk.base}/login/")
    assert answer.link in answer.next_step
    assert "get_qr" in answer.next_step
    assert "`messengers instances qr phone`" in answer.next_step


async def test_an_account_that_is_logged_in_gets_no_link(desk: Desk) -> None:
    desk.phone.scan()
    entry = desk.core.instances.registry.by_name("phone")
    await desk.core.supervisor.until(
        entry, lambda health: health.lifecycle is Lifecycle.CONNECTED, 5
    )

    assert await desk.link() == ""


@pytest.mark.case("S79")
async def test_the_first_browser_takes_the_link_and_every_other_finds_nothing(desk: Desk) -> None:
    link = await desk.link()
    async with desk.browser() as first, desk.browser() as second:
        page = await first.get(link)
        again = await first.get(link)
        others = [
            await second.get(link),
            await second.get(UNKNOWN),
            await second.get("/login/%00"),
            await second.get(link, headers={"Cookie": "login=guessed"}),
        ]
        stolen = await second.post(f"{link}/step", json={}, headers=desk.own)

    assert (page.status_code, again.status_code) == (200, 200)
    cookie = page.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert f"Path={link.removeprefix(desk.base)}" in cookie
    assert "set-cookie" not in again.headers
    assert {other.status_code for other in others} == {401}
    assert len({other.text for other in others}) == 1
    assert stolen.status_code == 401


async def test_looking_ahead_and_other_machines_do_not_use_the_link_up(desk: Desk) -> None:
    link = await desk.link()
    async with desk.browser() as client:
        ahead = [
            await client.head(link),
            await client.get(link, headers={"Sec-Purpose": "prefetch"}),
            await client.get(link, headers={"X-Forwarded-For": "203.0.113.5"}),
        ]
        page = await client.get(link)

    assert {answer.status_code for answer in ahead} == {401}
    assert page.status_code == 200


@pytest.mark.case("S72")
async def test_the_page_runs_nothing_inline_and_is_kept_and_framed_nowhere(desk: Desk) -> None:
    async with desk.browser() as client:
        page = await client.get(await desk.link())

    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["referrer-policy"] == "same-origin"
    assert not re.search(r"<script(?! type=\"module\" src=)|\son\w+=|\sstyle=", page.text)
    assert FIRST not in page.text


async def test_the_code_follows_the_messenger_until_the_account_is_connected(desk: Desk) -> None:
    async with desk.browser() as client:
        link = await opened(desk, client)
        first = await ask(desk, client, link)
        desk.phone.text = "another"
        second = await ask(desk, client, link)
        desk.phone.scan()
        entry = desk.core.instances.registry.by_name("phone")
        await desk.core.supervisor.until(
            entry, lambda health: health.lifecycle is Lifecycle.CONNECTED, 5
        )
        through = await ask(desk, client, link)
        after = await client.get(link)

    kind, _, drawing = first["picture"].partition(",")
    assert kind == "data:image/svg+xml;base64"
    assert b64decode(drawing).startswith(b"<svg ")
    assert first["picture"] != second["picture"]
    assert first["caption"] == "Scan it under Linked devices."
    assert 19 <= first["left_s"] <= 20
    assert through == {"state": "done"}
    assert after.status_code == 401


async def test_a_number_gets_a_code_to_type(desk: Desk) -> None:
    async with desk.browser() as client:
        told = await ask(desk, client, await opened(desk, client), phone="+371 20 000 000")

    assert (told["state"], told["code"]) == ("code", "ABCD-1234")
    assert desk.phone.phones == ["+37120000000"]


@pytest.mark.parametrize("number", ["20000000", "+1", "call me", "+371 2000 0000; rm"])
async def test_what_is_no_number_is_told_with_its_remedy(desk: Desk, number: str) -> None:
    async with desk.browser() as client:
        link = await opened(desk, client)
        refused = await client.post(f"{link}/step", json={"phone": number}, headers=desk.own)

    assert refused.status_code == 422
    assert "country code" in refused.json()["error"]["remedy"]
    assert desk.phone.phones == []


async def test_a_login_that_ends_says_why_and_begins_again(desk: Desk) -> None:
    async with desk.browser() as client:
        link = await opened(desk, client)
        desk.phone.end("Nobody scanned the code in time.")
        entry = desk.core.instances.registry.by_name("phone")
        await desk.core.supervisor.until(
            entry, lambda health: health.lifecycle is Lifecycle.LOGGED_OUT, 5
        )
        ended = await ask(desk, client, link)
        begun = await ask(desk, client, link, again=True)

    assert ended["state"] == "failed"
    assert ended["reason"].startswith("Nobody scanned the code in time.")
    assert begun["state"] == "qr"


async def test_while_there_is_no_code_the_messenger_says_why(desk: Desk) -> None:
    desk.phone.text = ""
    async with desk.browser() as client:
        told = await ask(desk, client, await opened(desk, client))

    assert told == {"state": "wait", "reason": "The messenger makes a code."}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_another_site_cannot_ask(desk: Desk, headers: dict[str, str]) -> None:
    async with desk.browser() as client:
        link = await opened(desk, client)
        sent = {**headers, "Origin": headers.get("Origin", desk.base)} if headers else {}
        answer = await client.post(f"{link}/step", json={}, headers=sent)

    assert answer.status_code == 403


@pytest.mark.parametrize("body", [{"phone": 7}, {"phone": "x" * 41}, {"fone": ""}, []])
async def test_a_question_that_does_not_fit_is_refused(desk: Desk, body: object) -> None:
    async with desk.browser() as client:
        link = await opened(desk, client)
        answer = await client.post(f"{link}/step", json=body, headers=desk.own)

    assert answer.status_code == 422


@pytest.mark.case("S79", "S68")
async def test_a_link_opens_its_own_account_only(desk: Desk) -> None:
    other = await add_phone(desk.core, "other")
    other.text = "the other's code"
    async with desk.browser() as mine:
        link = await opened(desk, mine)
        theirs = await desk.link("other")
        cookie = mine.cookies["login"]
        crossed = await mine.post(
            f"{theirs}/step", json={}, headers={**desk.own, "Cookie": f"login={cookie}"}
        )
        own = await ask(desk, mine, link)

    assert crossed.status_code == 401
    assert own["state"] == "qr"


@pytest.mark.case("S79")
async def test_neither_code_nor_link_is_kept_or_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with desk.browser() as client:
        link = await opened(desk, client)
        await ask(desk, client, link)
        await ask(desk, client, link, phone="+37120000000")
        await client.get(f"{link}x")
    await desk.core.store.backup(desk.core.store.home / "copy.db")
    secrets = [FIRST, "first-code-4kQ9", "ABCD1234", "ABCD-1234", link.rpartition("/")[2]]
    kept = b"".join(path.read_bytes() for path in desk.core.store.home.rglob("*") if path.is_file())

    assert "/login/{token}" in caplog.text
    assert [each for each in secrets if each in caplog.text] == []
    assert [each for each in secrets if each.encode() in kept] == []


async def test_a_key_with_set_up_opens_the_page_and_any_other_does_not(desk: Desk) -> None:
    await add_phone(desk.core, "other")
    address = "/instances/phone/login"
    key, bound = await desk.key(), await desk.key("setup", "other")
    async with desk.browser() as client:
        page = await client.get(address, headers=key)
        step = await client.post(f"{address}/step", json={}, headers=key)
        weak = await client.get(address, headers=await desk.key("messenger"))
        weak_step = await client.post(
            f"{address}/step", json={}, headers=await desk.key("messenger")
        )
        foreign = await client.get(address, headers=bound)
        missing = await client.get("/instances/nobody/login", headers=bound)

    assert page.status_code == 200
    assert page.headers["cache-control"] == step.headers["cache-control"] == "no-store"
    assert step.json()["state"] == "qr"
    assert (weak.status_code, weak_step.status_code) == (403, 403)
    assert foreign.status_code == missing.status_code == 404
    assert foreign.text == missing.text
