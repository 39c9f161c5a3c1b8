"""Coming and going: whose tokens they are, who else receives, and how connections end."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import anyio
import pytest

from messengers.clock import SystemClock
from messengers.core.callers import OWNER
from messengers.core.credentials import read
from messengers.core.health import faults_in
from messengers.errors import (
    BadCredentials,
    MessengersError,
    NotConnected,
    PlatformRefused,
    RateLimited,
    StorageUnavailable,
    Unreachable,
)
from messengers.models import Health, Lifecycle
from messengers.providers.base import ProviderContext
from messengers.providers.slack import stream, watch
from messengers.providers.slack.config import SlackConfig
from messengers.providers.slack.provider import SlackProvider
from tests.fakes.slack import Bot, Channel, FakeSlack, User, Workspace
from tests.providers.slack.conftest import Connected, OpenCore, add, becomes


@dataclass
class Shelf:
    """A sink that keeps what arrives, and fails when it is told to."""

    events: dict[str, bytes] = field(default_factory=dict[str, bytes])
    states: list[Health] = field(default_factory=list[Health])
    broken: bool = False

    async def ingest(self, event_key: str, chat_key: str, kind: str, payload: bytes) -> bool:
        await anyio.lowlevel.checkpoint()
        if self.broken:
            raise StorageUnavailable("The disk is full.")
        new = event_key not in self.events
        self.events[event_key] = payload
        return new

    def signal(self, chat_key: str, kind: str, data: str) -> None: ...

    def report(self, health: Health) -> None:
        self.states.append(health)

    @property
    def state(self) -> Lifecycle | None:
        return self.states[-1].lifecycle if self.states else None

    async def has(self, text: str) -> None:
        await becomes(lambda: any(text.encode() in payload for payload in self.events.values()))


def provider_of(slack: FakeSlack, directory: Path, **config: str) -> SlackProvider:
    return SlackProvider(
        ProviderContext(
            instance_id=str(uuid4()),
            instance_name="work",
            config=read(SlackConfig, config),
            endpoints={"api": slack.base_url},
            directory=directory,
            clock=SystemClock(),
        )
    )


def tokens(bot: Bot) -> dict[str, str]:
    return {"token": bot.token.value, "app_token": bot.app.token.value}


@asynccontextmanager
async def running(provider: SlackProvider) -> AsyncGenerator[Shelf]:
    shelf = Shelf()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(provider.run, shelf)
        await becomes(lambda: shelf.state)
        yield shelf
        tasks.cancel_scope.cancel()


async def ended(
    provider: SlackProvider, shelf: Shelf | None = None, act: Callable[[], object] = bool
) -> MessengersError:
    """Run until it ends by itself, after something is done to the connected one; what ended it."""
    shelf = shelf or Shelf()

    async def run() -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(provider.run, shelf)
            await becomes(lambda: shelf.state is Lifecycle.CONNECTED)
            act()

    try:
        with anyio.fail_after(10):
            await run()
    except Exception as exc:  # noqa: BLE001 - whatever it raises is looked at
        (fault,) = faults_in(exc)
        assert isinstance(fault, MessengersError)
        return fault
    raise AssertionError("it ended without a word")


@pytest.fixture
def provider(slack: FakeSlack, bot: Bot, tmp_path: Path) -> SlackProvider:
    return provider_of(slack, tmp_path, **tokens(bot))


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorter pauses and deadlines."""
    monkeypatch.setattr(stream, "_CONFLICT_PAUSES_S", (0.02,))
    monkeypatch.setattr(stream, "_FAREWELL_S", 0.2)


async def test_health_says_who_it_is_and_which_scopes_it_lacks(
    slack: FakeSlack, bot: Bot, provider: SlackProvider
) -> None:
    async with running(provider) as shelf:
        whole = shelf.states[-1]
    bot.token.scopes -= {"files:write", "im:write"}
    async with running(provider) as shelf:
        less = shelf.states[-1]

    assert whole.lifecycle is Lifecycle.CONNECTED
    assert whole.reason.startswith("As @helper in Acme.")
    assert "lacks" not in whole.reason
    assert less.reason.endswith("Scopes it lacks: files:write, im:write.")


async def test_doctor_is_told_whose_it_is_what_it_lacks_and_whether_events_come(
    slack: FakeSlack, bot: Bot, provider: SlackProvider
) -> None:
    whole = await provider.examine()
    bot.token.scopes -= {"files:write"}
    slack.revoke(bot.app.token, "token_revoked")
    less = await provider.examine()
    opened = len(slack.line(bot).connections)

    assert [(each.what, each.state) for each in whole] == [
        ("account", "ok"),
        ("scopes", "ok"),
        ("events", "ok"),
    ]
    assert whole[0].found == "@helper in Acme, a bot."
    assert (less[1].state, less[1].found) == ("warn", "Lacking: files:write.")
    assert (less[2].state, "app-level token" in less[2].found) == ("fail", True)
    assert opened == 0


@pytest.mark.usefixtures("quick")
async def test_a_token_that_ends_without_a_word_is_noticed_on_a_socket(
    slack: FakeSlack, bot: Bot, provider: SlackProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch, "_LOOK_S", 0.02)

    def end() -> None:
        slack.fail_next("auth.test", "internal_error")
        slack.revoke(bot, "token_revoked")

    fault = await ended(provider, act=end)

    assert isinstance(fault, BadCredentials)


async def test_a_proxy_of_the_environment_gets_nothing(
    slack: FakeSlack,
    bot: Bot,
    grace: User,
    team: Channel,
    provider: SlackProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async with running(provider) as shelf:
        slack.write(grace, team, "straight")
        await shelf.has("straight")


async def test_a_second_instance_of_an_app_says_that_events_would_be_split(
    slack: FakeSlack, work: Connected, tmp_path: Path
) -> None:
    entry = await add(slack, work.core, work.bot.token, "second")

    await becomes(lambda: entry.health.lifecycle is Lifecycle.CONFLICT)
    await becomes(lambda: len(slack.line(work.bot).connections) == 1)
    work.slack.write(work.grace, work.team, "for the first one")

    await work.heard(work.team.id, "for the first one")
    assert "share the events out" in entry.health.reason


@pytest.mark.usefixtures("quick")
async def test_a_conflict_ends_when_the_other_one_goes(
    slack: FakeSlack, bot: Bot, provider: SlackProvider, tmp_path: Path
) -> None:
    shelf = Shelf()
    async with anyio.create_task_group() as tasks:
        async with running(provider_of(slack, tmp_path / "other", **tokens(bot))):
            tasks.start_soon(provider.run, shelf)
            await becomes(lambda: shelf.state is Lifecycle.CONFLICT)
        await becomes(lambda: shelf.state is Lifecycle.CONNECTED)
        tasks.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("invalid_auth", "Slack does not accept this token."),
        ("account_inactive", "Slack does not accept this token."),
        ("token_revoked", "Slack does not accept this token."),
    ],
)
async def test_a_token_that_holds_no_more_ends_it(
    slack: FakeSlack, provider: SlackProvider, error: str, said: str
) -> None:
    slack.fail_next("auth.test", error)

    fault = await ended(provider)

    assert isinstance(fault, BadCredentials)
    assert fault.cause == said


@pytest.mark.parametrize("error", ["invalid_auth", "missing_scope", "not_allowed_token_type"])
async def test_an_app_token_that_opens_nothing_is_told_apart(
    slack: FakeSlack, provider: SlackProvider, error: str
) -> None:
    slack.fail_next("apps.connections.open", error)

    fault = await ended(provider)

    assert isinstance(fault, BadCredentials)
    assert fault.cause == "Slack does not accept the app-level token."


async def test_two_tokens_of_different_apps_are_refused(
    slack: FakeSlack, acme: Workspace, bot: Bot, tmp_path: Path
) -> None:
    other = slack.add_bot(acme, "Other")

    fault = await ended(
        provider_of(slack, tmp_path, token=bot.token.value, app_token=other.app.token.value)
    )

    assert isinstance(fault, BadCredentials)
    assert "different apps" in fault.cause


async def test_a_token_of_another_account_is_not_taken_for_the_same(
    slack: FakeSlack, acme: Workspace, provider: SlackProvider, tmp_path: Path
) -> None:
    await provider.probe()

    fault = await ended(provider_of(slack, tmp_path, **tokens(slack.add_bot(acme, "Other"))))

    assert isinstance(fault, BadCredentials)
    assert "another account's" in fault.cause


@pytest.mark.parametrize("reason", ["warning", "refresh_requested"])
@pytest.mark.usefixtures("quick")
async def test_a_connection_is_followed_by_the_next_before_it_ends(
    slack: FakeSlack, bot: Bot, grace: User, team: Channel, provider: SlackProvider, reason: str
) -> None:
    async with running(provider) as shelf:
        (old,) = slack.line(bot).connections
        slack.disconnect(bot.app, reason)
        await slack.until(lambda: any(each is not old for each in slack.line(bot).connections))
        slack.write(grace, team, "still there")
        await shelf.has("still there")

    assert {state.lifecycle for state in shelf.states} == {Lifecycle.CONNECTED}


async def test_a_connection_that_ends_at_once_is_a_fault(
    slack: FakeSlack, bot: Bot, provider: SlackProvider
) -> None:
    fault = await ended(provider, act=lambda: slack.drop_sockets(bot.app))

    assert isinstance(fault, Unreachable)


@pytest.mark.usefixtures("quick")
async def test_a_connection_that_breaks_later_is_opened_again(
    slack: FakeSlack,
    bot: Bot,
    grace: User,
    team: Channel,
    provider: SlackProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "_SHORT_S", 0.0)
    async with running(provider) as shelf:
        slack.drop_sockets(bot.app)
        slack.write(grace, team, "while nobody listened")
        await shelf.has("while nobody listened")

    assert len(slack.asked("apps.connections.open")) == 2


async def test_socket_mode_that_was_switched_off_is_said(
    slack: FakeSlack, bot: Bot, provider: SlackProvider
) -> None:
    fault = await ended(provider, act=lambda: slack.disconnect(bot.app, "link_disabled"))

    assert isinstance(fault, PlatformRefused)
    assert "Socket Mode was switched off" in fault.cause


async def test_when_slack_was_down_for_a_while_it_goes_on_by_itself(
    slack: FakeSlack, work: Connected
) -> None:
    slack.write(work.grace, work.team, "are you there?")
    await work.heard(work.team.id, "are you there?")
    for method in ("apps.connections.open", "auth.test"):
        slack.break_down(method, 503, times=None)
    slack.drop_sockets(work.bot.app)
    await work.reaches(Lifecycle.BACKOFF)
    with pytest.raises(NotConnected, match="tries again by itself"):
        await work.send(work.team, "hello?")
    slack.heal()
    await work.reaches(Lifecycle.CONNECTED)
    await work.send(work.team, "back again")
    slack.write(work.grace, work.team, "so are we")
    await work.heard(work.team.id, "so are we")

    assert [each.text for each in work.bot.sent()] == ["back again"]


async def test_what_could_not_be_stored_is_not_acknowledged(
    slack: FakeSlack, bot: Bot, grace: User, team: Channel, provider: SlackProvider
) -> None:
    fault = await ended(provider, Shelf(broken=True), lambda: slack.write(grace, team, "keep me"))
    before = [each.acked for each in slack.line(bot).deliveries]
    async with running(provider) as shelf:
        await shelf.has("keep me")
        await slack.until(lambda: all(each.acked for each in slack.line(bot).deliveries))

    assert isinstance(fault, StorageUnavailable)
    assert not any(before)


async def test_events_of_another_workspace_stay_there(slack: FakeSlack, work: Connected) -> None:
    other = slack.add_workspace("Other", "other")
    there = slack.install(work.bot.app, other)
    eve = slack.add_user(other, "eve")

    slack.write(eve, there, "not for you")
    work.slack.write(work.grace, work.team, "for you")

    heard = await work.heard(work.team.id, "for you")
    found = await work.core.events.since(OWNER, 0, kind="message.received")
    assert [event.message for _, event in found] == [heard.id]


async def test_a_word_that_no_socket_says_harms_nothing(
    slack: FakeSlack, bot: Bot, grace: User, team: Channel, provider: SlackProvider
) -> None:
    async with running(provider) as shelf:
        for frame in ("no json", "[]", '"text"', '{"type": 7}'):
            slack.send_raw(bot.app, frame)
        slack.write(grace, team, "after it")
        await shelf.has("after it")


async def test_slack_says_later_and_that_is_when_it_is_tried(
    slack: FakeSlack, provider: SlackProvider
) -> None:
    slack.flood(120, method="auth.test")

    fault = await ended(provider)

    assert isinstance(fault, RateLimited)
    assert fault.retry_after_s == 120


async def test_no_answer_is_no_refusal(slack: FakeSlack, provider: SlackProvider) -> None:
    slack.break_down("auth.test", 503)
    page = await ended(provider)
    slack.cut("auth.test")
    cut = await ended(provider)

    assert type(page) is type(cut) is Unreachable


async def test_a_restart_begins_where_the_last_one_ended(
    slack: FakeSlack, reopen: OpenCore, bot: Bot, grace: User, team: Channel, acme: Workspace
) -> None:
    async with reopen() as core:
        await add(slack, core, bot.token)
        first = Connected(slack, core, acme, grace, bot, team)
        await first.reaches(Lifecycle.CONNECTED)
    slack.write(grace, team, "while it was down")
    async with reopen() as core:
        again = Connected(slack, core, acme, grace, bot, team)
        await again.heard(team.id, "while it was down")
