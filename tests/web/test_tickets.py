"""Tickets: how a browser opens `/events`, which it cannot send a key to."""

from collections.abc import AsyncIterator
from pathlib import Path

import anyio
import httpx2
import pytest
from playwright.async_api import Browser
from playwright.async_api import Error as PlaywrightError

from messengers.core.callers import OWNER
from messengers.redaction import MASK, redact
from tests.web.browsers import browser
from tests.web.conftest import Site
from tests.web.streams import Office, frames, served

__all__ = ["browser"]


@pytest.fixture
async def office(home: Path) -> AsyncIterator[Office]:
    async with served(home) as opened:
        yield opened


async def ticket(office: Office, key: dict[str, str]) -> str:
    answer = await office.client.post("/tickets", json={"path": "/events"}, headers=key)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    return answer.json()["ticket"]


async def test_a_ticket_opens_one_stream_with_what_its_key_sees(office: Office) -> None:
    mine, other = await office.instance("mine"), await office.instance("other")
    shown = await ticket(office, await office.key("page", mine))
    query = {"ticket": shown, "types": "message.received"}
    async with office.client.stream("GET", "/events", params=query) as answer:
        stream = frames(answer)
        assert (await anext(stream)).type == "stream.open"
        await office.say(other, "not for you")
        await office.say(mine, "for you")
        with anyio.fail_after(5):
            while (told := await anext(stream)).type != "message.received":
                pass
    again = await office.client.get("/events", params=query)

    assert told.data["data"]["message"]["text"] == "for you"
    assert again.status_code == 401


OPEN = """path => new Promise((opened, failed) => {
    window.told = [];
    window.source = new EventSource(path);
    source.addEventListener("stream.open", opened);
    source.addEventListener("message.received", event => told.push(JSON.parse(event.data).data));
    source.onerror = () => failed(new Error("closed " + source.readyState));
})"""


@pytest.mark.timeout(90)
async def test_a_real_browsers_event_source_opens_with_a_ticket_and_not_twice(
    office: Office, browser: Browser
) -> None:
    mine = await office.instance("mine")
    path = f"/events?types=message.received&ticket={await ticket(office, await office.key('page'))}"
    page = await browser.new_page()
    try:
        await page.goto(str(office.client.base_url.join("/chat/mine")))
        await page.evaluate(OPEN, path)
        await office.say(mine, "for you")
        await page.wait_for_function("told.length === 1")
        told = await page.evaluate("told[0].message.text")
        with pytest.raises(PlaywrightError, match="closed 2"):  # for good: it was refused
            await page.evaluate(OPEN, path)
    finally:
        await page.close()

    assert told == "for you"


@pytest.mark.case("S61")
async def test_a_stream_that_a_ticket_opened_ends_with_the_key(office: Office) -> None:
    shown = await ticket(office, await office.key("page"))
    async with office.client.stream("GET", "/events", params={"ticket": shown}) as answer:
        chunks = answer.aiter_bytes()
        await anext(chunks)
        await office.app.core.keys.regenerate(OWNER, "page")
        async for _ in chunks:
            pass

    assert len(office.app.core.feed) == 0


@pytest.mark.case("S05", "S73")
async def test_a_key_in_the_query_is_no_ticket_and_a_ticket_is_no_key(office: Office) -> None:
    key = await office.key("page")
    secret = key["Authorization"].removeprefix("Bearer ")
    two = f"ticket={await ticket(office, key)}&ticket={await ticket(office, key)}"
    tried = (
        f"/events?ticket={secret}",
        f"/events?key={secret}",
        f"/events?access_token={secret}",
        f"/mcp?ticket={await ticket(office, key)}",
        f"/tickets?ticket={await ticket(office, key)}",
        f"/events?{two}",
        "/events?ticket=",
    )
    answers = [await office.client.get(path) for path in tried]
    header = {"Authorization": f"Bearer {await ticket(office, key)}"}
    answers.append(await office.client.get("/events", headers=header))

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1


async def test_a_ticket_is_for_a_known_path_and_nothing_else_is_said(office: Office) -> None:
    key = await office.key("page")
    for body in ({"path": "/mcp"}, {"path": "/"}, {}, {"path": "/events", "id": 1}, {"path": 1}):
        answer = await office.client.post("/tickets", json=body, headers=key)

        assert answer.status_code == 422, body


async def test_a_ticket_of_the_local_key_opens_from_this_machine_only(site: Site) -> None:
    local = (site.app.core.store.home / "local.key").read_bytes().decode().strip()
    headers = {"Authorization": f"Bearer {local}"}
    made = await site.client.post("/tickets", json={"path": "/events"}, headers=headers)
    far = httpx2.ASGITransport(app=site.app.web, client=("192.0.2.7", 4711))
    async with httpx2.AsyncClient(transport=far, base_url="http://127.0.0.1:3000") as client:
        answer = await client.get("/events", params={"ticket": made.json()["ticket"]})

    assert made.status_code == 201
    assert answer.status_code == 401


def test_a_ticket_is_taken_out_of_logs() -> None:
    assert redact("GET /events?x=mst_abcDEF-_123") == f"GET /events?x={MASK}"
