"""Deliveries of messengers: what is proven is taken, and what is stored is acknowledged."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from uuid import uuid4

import anyio
import httpx2
import orjson
import pytest
from sqlalchemy import Connection

from messengers.core.address import Address
from messengers.core.callers import OWNER
from messengers.core.inbox import Inbox
from messengers.settings import Settings
from messengers.store import inbound, sqlite
from tests.cli.conftest import SITE
from tests.fakes.scripted import platform, signed
from tests.programs import ROOT
from tests.web.conftest import Site

HELLO = orjson.dumps({"id": "e1", "chat": "ann", "text": "hello", "name": "Ann"})


@dataclass
class Hook:
    """The address of an instance, and what its messenger knows."""

    site: Site
    secret: str
    instance: str
    url: str

    async def deliver(self, body: bytes = HELLO, signature: str | None = None) -> httpx2.Response:
        proof = signed(self.secret.encode(), body).hex() if signature is None else signature
        return await self.site.client.post(self.url, content=body, headers={"x-signature": proof})

    async def texts(self) -> Sequence[str]:
        """What arrived, in the chat with Ann."""
        core = self.site.app.core
        chat = await core.chats.get_by_native(self.instance, "ann")
        return (
            [] if chat is None else [m.text for m in (await core.history.read(OWNER, chat)).items]
        )

    async def has(self, *texts: str) -> None:
        async def there() -> bool | None:
            return list(await self.texts()) == list(texts) or None

        assert await self.site.app.core.events.wait(there, 5), await self.texts()


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fakes, before the application looks which providers there are."""
    monkeypatch.syspath_prepend(str(SITE))  # pyright: ignore[reportUnknownMemberType] - untyped there


@pytest.fixture
async def hook(site: Site) -> Hook:
    return await hook_of(site, "me")


async def hook_of(site: Site, name: str) -> Hook:
    token = uuid4().hex
    new = await site.app.core.instances.create(OWNER, "scripted_personal", name, {"token": token})
    with anyio.fail_after(5):
        await platform(token).connected.wait()
    return Hook(site, token, new.id, f"/webhooks/{new.id}")


async def test_a_delivery_is_a_message(hook: Hook) -> None:
    answer = await hook.deliver()

    assert (answer.status_code, answer.text) == (200, "")
    await hook.has("hello")


async def test_a_delivery_is_durable_before_it_is_acknowledged(hook: Hook) -> None:
    def limit(conn: Connection, most: int) -> None:
        sqlite.raw(conn).execute(f"PRAGMA max_page_count={most}")

    write = hook.site.app.core.store.write
    await write(partial(limit, most=1))
    large = orjson.dumps({**orjson.loads(HELLO), "text": "x" * 200_000})
    refused = await hook.deliver(large)
    await write(partial(limit, most=1_000_000))
    again = await hook.deliver(large)

    assert (refused.status_code, refused.headers["retry-after"]) == (503, "30")
    assert again.status_code == 200
    await hook.has("x" * 200_000)


@pytest.mark.case("S49")
async def test_an_event_delivered_many_times_is_one_message(hook: Hook) -> None:
    statuses: list[int] = []

    async def deliver() -> None:
        statuses.append((await hook.deliver()).status_code)

    async with anyio.create_task_group() as tasks:
        for _ in range(100):
            tasks.start_soon(deliver)
    last = orjson.dumps({"id": "e2", "chat": "ann", "text": "last"})
    await hook.deliver(last)

    assert statuses == [200] * 100
    await hook.has("hello", "last")


@pytest.mark.case("S53")
@pytest.mark.parametrize(
    "signature", ["", "00", "v1", "zz" * 32, "ab" * 10_000, "00" * 32], ids=lambda s: str(len(s))
)
async def test_what_is_not_proven_is_refused_alike(hook: Hook, signature: str) -> None:
    answer = await hook.deliver(signature=signature)

    assert answer.status_code == 401
    assert answer.json()["error"]["cause"] == "Nothing is taken here."
    assert await hook.texts() == []


async def test_a_changed_byte_is_not_proven(hook: Hook) -> None:
    proof = signed(hook.secret.encode(), HELLO).hex()

    assert (await hook.deliver(HELLO.replace(b"hello", b"hullo"), proof)).status_code == 401
    assert (await hook.deliver(HELLO + b" ", proof)).status_code == 401
    assert (await hook.deliver(b"", proof)).status_code == 401
    assert (await hook.deliver(b"\xff\xfe{")).status_code == 401


@pytest.mark.case("S52")
async def test_the_signature_of_one_instance_opens_no_other(hook: Hook) -> None:
    other = await hook_of(hook.site, "other")

    stolen = await other.deliver(signature=signed(hook.secret.encode(), HELLO).hex())

    assert stolen.status_code == 401
    assert await other.texts() == []


async def test_a_challenge_is_answered_as_plain_text(hook: Hook) -> None:
    answer = await hook.site.client.get(hook.url, params={"challenge": "<script>1</script>"})

    assert answer.text == "<script>1</script>"
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_an_instance_that_does_not_run_is_delivered_to_later(hook: Hook) -> None:
    await hook.site.app.core.instances.disconnect(OWNER, "me")

    answer = await hook.deliver()

    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")


async def test_where_nothing_is_delivered_nothing_is_told(hook: Hook) -> None:
    page = await hook.site.app.core.instances.create(OWNER, "webchat", "page")
    client = hook.site.client

    for name in (page.id, str(uuid4())):
        answer = await client.post(f"/webhooks/{name}", content=HELLO)
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")
    for path in ("/webhooks/me", "/webhooks/", "/webhooks/%00"):
        assert (await client.post(path, content=HELLO)).status_code in (401, 404, 405)


async def test_a_delivery_beyond_the_limit_is_refused_before_it_is_read(hook: Hook) -> None:
    answer = await hook.deliver(bytes(4 * 1024 * 1024 + 1))

    assert answer.status_code == 413


async def test_a_provider_knows_its_address_where_the_internet_reaches_the_daemon(
    hook: Hook, tmp_path: Path
) -> None:
    public = Address(Settings(home=tmp_path, public_url="https://me.example/"))

    assert public.webhook("i") == "https://me.example/webhooks/i"
    assert platform(hook.secret).webhook_url == ""


@pytest.mark.case("S54")
async def test_the_acknowledgement_waits_for_no_work_on_what_was_stored(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def stuck(*_: object) -> None:
        await anyio.sleep_forever()

    monkeypatch.setattr(Inbox, "_understand", stuck)
    with anyio.fail_after(5):
        answer = await hook.deliver()

    assert answer.status_code == 200
    assert len(await hook.site.app.core.store.rows(inbound.todo, after=0, limit=10)) == 1


@pytest.mark.case("S54")
def test_between_commit_and_acknowledgement_nothing_is_awaited() -> None:
    web, core = ROOT / "src/messengers/web/webhooks.py", ROOT / "src/messengers/core"

    assert awaited(web, "take") == ["body_of", "self._deliveries.take"]
    taken = ["self._verified", "self._supervisor.arrived"]
    assert awaited(core / "deliveries.py", "take") == taken
    assert awaited(core / "supervisor.py", "arrived") == ["self._ingest"]
    assert awaited(core / "inbox.py", "ingest") == ["self._store.write"]


def awaited(file: Path, function: str) -> list[str]:
    """What a function awaits, in the order it stands there."""
    found = next(
        node
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.AsyncFunctionDef) and node.name == function
    )
    calls = [node.value for node in ast.walk(found) if isinstance(node, ast.Await)]
    return [ast.unparse(call.func) for call in calls if isinstance(call, ast.Call)]
