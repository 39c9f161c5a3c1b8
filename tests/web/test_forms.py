"""The credential form: once, from this machine, by our own page, and telling nobody anything."""

import html
import re
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import httpx2
import pytest
from starlette.applications import Starlette

from messengers.core.acts import InstanceAnswer
from messengers.core.callers import OWNER, Caller
from messengers.core.core import Core, open_core
from messengers.core.forms import Form
from messengers.errors import BadCredentials, NotFound
from messengers.models import Lifecycle
from messengers.settings import Settings
from messengers.web.forms import routes
from tests.fakes.scripted import platform

SITE = Path(__file__).parents[1] / "fakes" / "site"
BASE = "http://127.0.0.1:3000"
CANARY = "canary-7f3a9c-secret"
AGENT = Caller("stdio", preset="setup", local=True)
OWN = {"origin": BASE, "sec-fetch-site": "same-origin"}


@dataclass
class Desk:
    """A core, and browsers in front of its form pages."""

    core: Core
    stack: AsyncExitStack
    _browsers: dict[str, httpx2.AsyncClient] = field(default_factory=dict[str, httpx2.AsyncClient])

    async def browser(self, address: str = "127.0.0.1") -> httpx2.AsyncClient:
        if address not in self._browsers:
            app = Starlette(routes=routes(self.core))
            transport = httpx2.ASGITransport(app=app, client=(address, 50_000))
            client = httpx2.AsyncClient(transport=transport, base_url=BASE)
            self._browsers[address] = await self.stack.enter_async_context(client)
        return self._browsers[address]

    async def link(self, name: str = "shop") -> str:
        """The path an agent's call without secrets answers with."""
        act = await self.core.instances.prepare_create(AGENT, "scripted_bot", name)
        answer = await self.core.approvals.perform(act)
        assert isinstance(answer, InstanceAnswer)
        return answer.link.removeprefix(BASE)

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        return await (await self.browser()).get(path, headers=headers)

    async def fill(
        self, path: str, values: Mapping[str, str], headers: Mapping[str, str] = OWN
    ) -> httpx2.Response:
        return await (await self.browser()).post(path, data=dict(values), headers=dict(headers))


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(sys, "path", [str(SITE), *sys.path])
    async with open_core(Settings(home=tmp_path / "home")) as core, AsyncExitStack() as stack:
        yield Desk(core, stack)


def _words(page: httpx2.Response) -> str:
    return html.unescape(re.sub(r"\s+", " ", page.text))


async def test_the_form_shows_every_field_with_its_help(desk: Desk) -> None:
    page = await desk.get(await desk.link())

    assert page.status_code == 200
    words = _words(page)
    assert "Connect Scripted bot as “shop”" in words
    assert "Names the account." in words
    assert re.search(r'name="token" type="password" value=""[^>]*required', words)
    assert re.search(r'name="greeting" type="text" value="hello"', words)


async def test_a_filled_form_sets_the_instance_up_and_shows_the_next_step(desk: Desk) -> None:
    path = await desk.link()

    token = CANARY + uuid4().hex
    page = await desk.fill(path, {"token": token, "greeting": "moin"})

    assert page.status_code == 200
    assert "“shop” is connected" in _words(page)
    assert CANARY not in page.text
    view = await desk.core.instances.get(OWNER, "shop")
    assert view.health.lifecycle is Lifecycle.CONNECTED
    assert platform(token).runs == 1


@pytest.mark.case("S72")
async def test_every_answer_forbids_scripts_frames_caches_and_strangers(desk: Desk) -> None:
    path = await desk.link()
    pages = [
        await desk.get(path),
        await desk.get("/forms/x"),
        await desk.fill(path, {"token": "t9"}),
    ]

    for page in pages:
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; img-src 'self'; ")
        assert "frame-ancestors 'none'" in policy
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "same-origin"
        assert "<script" not in page.text
        assert not re.search(r"(?:src|href)=\"(?!/)", page.text)


async def test_used_wrong_and_never_made_links_look_the_same(desk: Desk) -> None:
    used = await desk.link()
    await desk.fill(used, {"token": "t1"})
    other = await desk.browser("192.168.1.7")

    pages = [
        await desk.get(used),
        await desk.fill(used, {"token": "t1"}),
        await desk.get("/forms/" + "x" * 43),
        await desk.get("/forms/%00"),
        await desk.fill("/forms/x", {}, {}),
        await other.get(await desk.link("second")),
        await desk.get(await desk.link("third"), **{"x-forwarded-for": "203.0.113.5"}),
    ]

    assert {page.status_code for page in pages} == {401}
    assert len({page.text for page in pages}) == 1


async def test_another_machine_cannot_fill_it_and_does_not_use_it_up(desk: Desk) -> None:
    path = await desk.link()
    other = await desk.browser("10.0.0.3")

    refused = await other.post(path, data={"token": "t2"}, headers=OWN)

    assert refused.status_code == 401
    assert (await desk.get(path)).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "null"},
        {"origin": "https://evil.example"},
        {"origin": "http://127.0.0.1:3001"},
        {"origin": BASE, "sec-fetch-site": "cross-site"},
    ],
)
async def test_another_site_cannot_fill_it(desk: Desk, headers: dict[str, str]) -> None:
    path = await desk.link()

    page = await desk.fill(path, {"token": "t3"}, headers)

    assert page.status_code == 403
    with pytest.raises(NotFound):
        desk.core.instances.by_name("shop")
    assert (await desk.get(path)).status_code == 200


async def test_what_does_not_fit_is_corrected_under_a_new_token(desk: Desk) -> None:
    path = await desk.link()

    page = await desk.fill(path, {"token": CANARY, "greeting": "x" * 51})

    assert page.status_code == 422
    assert "greeting" in _words(page)
    assert CANARY not in page.text
    assert "x" * 51 in page.text
    again = re.search(r'action="(/forms/[^"]+)"', page.text)
    assert again is not None
    assert again[1] != path
    assert (await desk.get(path)).status_code == 401
    assert (await desk.fill(again[1], {"token": "t4"})).status_code == 200


async def test_a_name_taken_meanwhile_is_said(desk: Desk) -> None:
    path = await desk.link()
    await desk.core.instances.create(OWNER, "webchat", "shop")

    page = await desk.fill(path, {"token": "t5"})

    assert page.status_code == 409
    assert "An instance of this name exists." in _words(page)


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b'{"token":"t6"}', "application/json"),
        (b"token=t6", "text/plain"),
        (b"token=%ff", "application/x-www-form-urlencoded"),
        (b"token=\xff", "application/x-www-form-urlencoded"),
        (b"a=1&" * 101, "application/x-www-form-urlencoded"),
        (b"token=" + b"x" * 300_000, "application/x-www-form-urlencoded"),
    ],
)
async def test_what_is_no_form_is_refused_and_leaves_the_link_open(
    desk: Desk, body: bytes, content_type: str
) -> None:
    path = await desk.link()
    browser = await desk.browser()

    page = await browser.post(path, content=body, headers={**OWN, "content-type": content_type})

    assert page.status_code == 400
    assert (await desk.get(path)).status_code == 200


async def test_what_a_help_says_to_type_is_set_as_code(desk: Desk) -> None:
    page = await desk.get(f"/forms/{desk.core.forms.open(Form('telegram', 'shop'))}")

    assert "(<code>/newbot</code>, or <code>/mybots</code>" in page.text
    assert "`" not in page.text


async def test_names_and_settings_cannot_become_markup(desk: Desk) -> None:
    evil = '"><script>alert(1)</script>'
    token = desk.core.forms.open(Form("scripted_bot", evil, given={"greeting": evil}))

    page = await desk.get(f"/forms/{token}")

    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


async def test_refused_credentials_lead_to_the_next_attempt(desk: Desk) -> None:
    account = platform("tok-77aa-w")
    account.start = lambda: BadCredentials("The token is refused.")
    page = await desk.fill(await desk.link(), {"token": "tok-77aa-w", "greeting": "moin"})
    assert "“shop” could not log in" in _words(page)
    assert "The token is refused." in _words(page)
    retry = re.search(rf'href="{BASE}(/forms/[^"]+)"', page.text)
    assert retry is not None

    form = await desk.get(retry[1])
    done = await desk.fill(retry[1], {"token": "tok-77aa-r", "greeting": "moin"})

    assert "New credentials for “shop”" in _words(form)
    assert 'value="moin"' in form.text
    assert "tok-77aa-w" not in form.text
    assert not re.search(r'name="token"[^>]* required', form.text)
    assert "“shop” is connected" in _words(done)
    assert platform("tok-77aa-r").runs == 1


async def test_a_chat_page_s_form_leads_to_the_page(desk: Desk) -> None:
    token = desk.core.forms.open(Form("webchat", "shop"))

    page = await desk.fill(f"/forms/{token}", {"title": "Our shop"})

    assert f'href="{BASE}/chat/shop"' in page.text
