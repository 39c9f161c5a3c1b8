"""The Events API: what Slack signed is taken, through the whole web application."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import anyio
import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from messengers.app import App, open_app
from messengers.core.callers import OWNER
from messengers.core.registry import Entry
from messengers.core.views import Examined
from messengers.models import Lifecycle
from messengers.providers.slack import watch
from messengers.settings import Settings
from tests.fakes.loopback import listening
from tests.fakes.slack import Bot, Channel, FakeSlack, User, Workspace
from tests.providers.slack.conftest import Connected, add, becomes


@dataclass
class Hook:
    """The address of an instance, and the app whose Slack knows it."""

    app: App
    client: httpx2.AsyncClient
    slack: FakeSlack
    bot: Bot
    entry: Entry
    work: Connected

    @property
    def path(self) -> str:
        return f"/webhooks/{self.entry.instance.id}"

    async def deliver(
        self, body: bytes, headers: Mapping[str, str] | None = None, path: str = ""
    ) -> int:
        signed = self.slack.sign(self.bot.app, body) if headers is None else headers
        answer = await self.client.post(
            path or self.path, content=body, headers={"Content-Type": "application/json", **signed}
        )
        return answer.status_code


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[tuple[App, httpx2.AsyncClient]]:
    settings = Settings.load(home=tmp_path / "home", port=3000, public_url="https://bot.example")
    async with open_app(settings) as app:
        transport = httpx2.ASGITransport(app=app.web, raise_app_exceptions=False)
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://127.0.0.1:3000"
        ) as client:
            yield app, client


@pytest.fixture
async def hook(
    site: tuple[App, httpx2.AsyncClient],
    slack: FakeSlack,
    acme: Workspace,
    bot: Bot,
    grace: User,
    team: Channel,
) -> Hook:
    app, client = site
    entry = await add(slack, app.core, bot.token, "work", signing_secret=bot.app.signing_secret)
    await becomes(lambda: entry.health.lifecycle is Lifecycle.DEGRADED)
    work = Connected(slack, app.core, acme, grace, bot, team)
    return Hook(app, client, slack, bot, entry, work)


def event(hook: Hook, text: str = "hello", event_id: str = "Ev1") -> bytes:
    """As Slack posts a message in the channel."""
    message = {
        "type": "message",
        "channel": hook.work.team.id,
        "channel_type": "channel",
        "user": hook.work.grace.id,
        "text": text,
        "ts": f"1700000000.{len(text):06}",
    }
    body = {
        "type": "event_callback",
        "team_id": hook.work.acme.id,
        "event_id": event_id,
        "event": message,
        "authorizations": [{"team_id": hook.work.acme.id, "user_id": hook.bot.user.id}],
    }
    return json.dumps(body).encode()


def behind_a_proxy(web: ASGIApp) -> Starlette:
    """As the internet reaches it: by the name of public_url."""

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        kept = [pair for pair in scope["headers"] if pair[0] != b"host"]
        await web({**scope, "headers": [*kept, (b"host", b"bot.example")]}, receive, send)

    return Starlette(routes=[Mount("/", app=proxy)])


async def events_finding(hook: Hook) -> Examined:
    """What doctor is told of how events come."""
    found = await hook.app.core.instances.examine(OWNER)
    return next(each for each in found if each.what == "events")


async def test_slack_proves_the_address_and_delivers_there(hook: Hook) -> None:
    before, unheard = hook.entry.health, await events_finding(hook)
    async with listening(behind_a_proxy(hook.app.web)) as served:
        known = await hook.slack.set_request_url(hook.bot.app, f"{served.url}{hook.path}")
        hook.slack.write(hook.work.grace, hook.work.team, "by request")
        await hook.work.heard(hook.work.team.id, "by request")
        pressed = hook.slack.command(hook.work.grace, hook.bot, hook.work.team, "/deploy", "now")
        await hook.work.heard(hook.work.team.id, "/deploy now")
        await hook.slack.until(lambda: pressed.acked)

    heard = await events_finding(hook)

    assert known
    assert (unheard.state, hook.path in unheard.remedy) == ("warn", True)
    assert (heard.state, heard.found) == (
        "ok",
        f"Slack delivers to https://bot.example{hook.path}.",
    )
    assert f"https://bot.example/webhooks/{hook.entry.instance.id}" in before.reason
    assert hook.entry.health.lifecycle is Lifecycle.CONNECTED


async def test_a_pressed_button_comes_by_request(hook: Hook) -> None:
    payload = {
        "type": "block_actions",
        "team": {"id": hook.work.acme.id},
        "user": {"id": hook.work.grace.id},
        "channel": {"id": hook.work.team.id},
        "container": {"message_ts": "1700000000.000100"},
        "actions": [{"action_ts": "1700000000.000200", "text": {"text": "Yes"}}],
    }
    body = urlencode({"payload": json.dumps(payload)}).encode()
    headers = {
        **hook.slack.sign(hook.bot.app, body),
        "Content-Type": "application/x-www-form-urlencoded",
    }

    assert await hook.deliver(body, headers) == 200
    await hook.work.heard(hook.work.team.id, "(pressed: Yes)")


@pytest.mark.case("S47")
async def test_only_what_slack_signed_is_taken(hook: Hook) -> None:
    body = event(hook)
    good = hook.slack.sign(hook.bot.app, body)
    name = "X-Slack-Signature"
    digest = good[name].removeprefix("v0=")
    bad: list[tuple[bytes, Mapping[str, str]]] = [
        (body.replace(b"hello", b"hullo"), good),
        (json.dumps(json.loads(body), separators=(",", ":")).encode(), good),
        (body, {}),
        (body, {**good, name: f"v1={digest}"}),
        (body, {**good, name: digest}),
        (body, {**good, name: f"v0={digest[:40]}"}),
        (body, {**good, name: f"v0={digest.upper()}"}),
        (body, {key: value for key, value in good.items() if key == name}),
    ]

    refused = [await hook.deliver(*each) for each in bad]
    taken = await hook.deliver(body, good)

    assert refused == [401] * len(bad)
    assert taken == 200
    await hook.work.heard(hook.work.team.id, "hello")


@pytest.mark.case("S48")
@pytest.mark.parametrize(("age_s", "status"), [(299, 200), (-299, 200), (301, 401), (-301, 401)])
async def test_a_signature_holds_for_five_minutes(hook: Hook, age_s: int, status: int) -> None:
    body = event(hook)
    now = int(hook.app.core.clock.now().timestamp())

    told = await hook.deliver(body, hook.slack.sign(hook.bot.app, body, now - age_s))

    assert told == status


@pytest.mark.case("S49")
async def test_an_event_that_is_posted_many_times_is_one_message(hook: Hook) -> None:
    statuses: list[int] = []

    async def deliver() -> None:
        statuses.append(await hook.deliver(event(hook)))

    async with anyio.create_task_group() as tasks:
        for _ in range(20):
            tasks.start_soon(deliver)
    await hook.deliver(event(hook, "the last one", "Ev2"))

    await hook.work.heard(hook.work.team.id, "the last one")
    assert statuses == [200] * 20
    assert len(await hook.work.messages(hook.work.team.id)) == 2


@pytest.mark.case("S51")
async def test_an_instance_without_a_signing_secret_takes_nothing(
    hook: Hook, acme: Workspace
) -> None:
    other = hook.slack.add_bot(acme, "Other")
    entry = await add(hook.slack, hook.app.core, other.token, "socket")
    await becomes(lambda: entry.health.lifecycle is Lifecycle.CONNECTED)
    body, path = event(hook), f"/webhooks/{entry.instance.id}"

    own = await hook.deliver(body, hook.slack.sign(other.app, body), path)
    unsigned = await hook.deliver(body, {}, path)

    assert (own, unsigned) == (401, 401)


@pytest.mark.case("S52")
async def test_the_signature_of_one_app_opens_no_other(hook: Hook, acme: Workspace) -> None:
    other = hook.slack.add_bot(acme, "Other")
    secret = other.app.signing_secret
    entry = await add(hook.slack, hook.app.core, other.token, "other", signing_secret=secret)
    await becomes(lambda: entry.health.lifecycle is Lifecycle.DEGRADED)
    body = event(hook)

    stolen = await hook.deliver(body, path=f"/webhooks/{entry.instance.id}")

    assert stolen == 401
    assert entry.health.lifecycle is Lifecycle.DEGRADED


@pytest.mark.case("S53")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("X-Slack-Signature", "v1"),
        ("X-Slack-Signature", "v1,\u00e9"),
        ("X-Slack-Signature", "v0=" + "\u00e9" * 64),
        ("X-Slack-Signature", ",".join(["v0=" + "0" * 64] * 100)),
        ("X-Slack-Request-Timestamp", "soon"),
        ("X-Slack-Request-Timestamp", "1e9"),
        ("X-Slack-Request-Timestamp", "9" * 400),
        ("X-Slack-Request-Timestamp", "-1"),
    ],
    ids=lambda value: str(value)[:24].encode("ascii", "replace").decode(),
)
async def test_malformed_headers_are_refused(hook: Hook, name: str, value: str) -> None:
    body = event(hook)
    signed = {**hook.slack.sign(hook.bot.app, body), name: value}
    answer = await hook.client.post(
        hook.path,
        content=body,
        headers=[(key.encode(), each.encode("latin-1")) for key, each in signed.items()],
    )

    assert answer.status_code == 401


@pytest.mark.case("S53")
@pytest.mark.parametrize("body", [b"\xff\xfe{", b"", b"[]", b"no json", b'"text"'])
async def test_a_body_that_is_none_of_slack_s_is_no_fault_of_ours(hook: Hook, body: bytes) -> None:
    unsigned = await hook.deliver(body, {})
    signed = await hook.deliver(body)

    assert unsigned == 401
    assert signed in (200, 401)


async def test_a_token_that_ends_is_noticed_without_a_request(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_LOOK_S", 0.02)
    await hook.app.core.instances.disconnect(OWNER, "work")
    await hook.app.core.instances.connect(OWNER, "work")
    hook.slack.revoke(hook.bot, "token_revoked")

    await becomes(lambda: hook.entry.health.lifecycle is Lifecycle.BAD_CREDENTIALS)


async def test_an_instance_that_nobody_can_reach_says_so(
    slack: FakeSlack, bot: Bot, tmp_path: Path
) -> None:
    async with open_app(Settings.load(home=tmp_path / "home", port=3000)) as app:
        entry = await add(slack, app.core, bot.token, signing_secret=bot.app.signing_secret)
        await becomes(lambda: entry.health.lifecycle is Lifecycle.BACKOFF)

        assert "public_url" in entry.health.reason
