"""Keeping instances running: whatever a provider raises, it comes back and nothing else notices."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

import anyio
import anyio.lowlevel
import pytest
from anyio.abc import TaskGroup

from messengers.clock import SystemClock
from messengers.core.address import Address
from messengers.core.callers import OWNER
from messengers.core.events import Events
from messengers.core.health import Pace, line_of, reason_of, wanted_pause_s
from messengers.core.registry import Entry, Registry
from messengers.core.roster import Roster
from messengers.core.supervisor import Supervisor
from messengers.errors import BadCredentials, PlatformRefused, RateLimited, Unreachable
from messengers.guarded import Guard
from messengers.models import Health, Lifecycle, UserAction
from messengers.providers.base import Provider, ProviderContext, ProviderInfo, Sink
from messengers.providers.capabilities import Capabilities
from messengers.providers.catalog import Catalog
from messengers.settings import Settings
from messengers.store import Store
from tests.fakes.scripted import ScriptedConfig, ScriptedProvider, platform

QUICK = Pace(first_s=0.002, cap_s=0.01, healthy_s=60.0, stop_s=0.2)


@dataclass
class Script:
    """What each run of the fuzzed provider does, in turn; afterwards it behaves."""

    faults: list[BaseException] = field(default_factory=list[BaseException])
    report: Health | None = None
    nested: bool = False
    """Raise in a task of its own making."""
    stubborn: anyio.Event | None = None
    """Set: it does not end before this, whoever cancels it."""
    cancels_itself: bool = False
    last_words: BaseException | None = None
    """What it raises where it is cancelled."""
    returns: int = 0
    """How many runs simply end."""
    runs: int = 0


SCRIPTS: dict[str, Script] = {}


class FuzzedProvider(ScriptedProvider):
    """Raises what its script says."""

    def __init__(self, context: ProviderContext) -> None:
        super().__init__(context)
        assert isinstance(context.config, ScriptedConfig)
        self._script = SCRIPTS[context.config.token.get_secret_value()]

    async def run(self, sink: Sink) -> None:
        script = self._script
        script.runs += 1
        if script.report is not None:
            sink.report(script.report)
        if script.faults:
            await self._fail(script.faults.pop(0))
        if script.returns:
            script.returns -= 1
            return
        if script.cancels_itself:
            script.cancels_itself = False
            task = asyncio.current_task()
            assert task is not None
            task.cancel()
            await anyio.lowlevel.checkpoint()
        try:
            await super().run(sink)
        finally:
            if script.last_words is not None:
                raise script.last_words
            if script.stubborn is not None:
                with anyio.CancelScope(shield=True):
                    await script.stubborn.wait()

    async def _fail(self, fault: BaseException) -> None:
        async def fail() -> None:
            raise fault

        if self._script.nested:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(fail)
        await fail()


INFO = ProviderInfo(
    name="fuzzed",
    title="Fuzzed",
    kind="bot",
    class_path="tests.core.test_supervisor:FuzzedProvider",
    config=ScriptedConfig,
    summary="Fails as told.",
    setup="Nothing.",
    capabilities=Capabilities(max_text=200),
)


class OneClass(Catalog):
    """Knows the fuzzed provider only; it stands in this file, which is no importable module."""

    def find(self, name: str) -> ProviderInfo:
        assert name == INFO.name
        return INFO

    def provider_class(self, info: ProviderInfo) -> type[Provider]:
        assert info is INFO
        return FuzzedProvider


@dataclass
class Stand:
    """A supervisor on a real store, with quick pauses."""

    store: Store
    registry: Registry
    events: Events
    supervisor: Supervisor
    roster: Roster
    woken: list[str] = field(default_factory=list[str])

    async def add(self, script: Script, name: str = "shop", *, connect: bool = True) -> Entry:
        token = uuid4().hex
        SCRIPTS[token] = script
        return await self.roster.add(
            OWNER,
            INFO,
            name,
            ScriptedConfig.model_validate({"token": token}),
            endpoints={},
            confirm="unknown_chats",
            connect=connect,
        )

    async def reaches(self, entry: Entry, *states: Lifecycle) -> Health:
        health = await self.supervisor.until(entry, lambda h: h.lifecycle in states, 10)
        assert health.lifecycle in states
        return health

    async def recorded(self, entry: Entry, last: str) -> list[str]:
        """The lifecycles in the event log, once the last of them is there."""

        async def ready() -> list[str] | None:
            found = await self.events.since(OWNER, 0, instance_id=entry.instance.id)
            told = [str(e.data["lifecycle"]) for _, e in found if e.kind == "instance.health"]
            return told if told and told[-1] == last else None

        told = await self.events.wait(ready, 5)
        assert told is not None
        return told


@asynccontextmanager
async def open_stand(home: Path, pace: Pace = QUICK) -> AsyncGenerator[Stand]:
    clock = SystemClock()
    store = await Store.open(home, clock)
    try:
        registry = Registry(store, OneClass(), clock, Address(Settings(home=home)), Guard())
        events = Events(store, clock, registry.name_of)
        supervisor = Supervisor(registry, events, clock, pace)
        roster = Roster(store, clock, events, registry, supervisor)
        stand = Stand(store, registry, events, supervisor, roster)
        async with anyio.create_task_group() as tasks:
            await _start(stand, tasks)
            yield stand
            tasks.cancel_scope.cancel()
    finally:
        await store.aclose()


async def _start(stand: Stand, tasks: TaskGroup) -> None:
    async def ingest(*_: object) -> bool:
        await anyio.lowlevel.checkpoint()
        return True

    await stand.registry.load()
    stand.supervisor.attach(ingest, stand.woken.append)
    await stand.supervisor.start(tasks)


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[Stand]:
    async with open_stand(tmp_path / "home") as opened:
        yield opened


def _sink_of(entry: Entry) -> Sink:
    assert isinstance(entry.config, ScriptedConfig)
    return platform(entry.config.token.get_secret_value()).sinks[-1]


class _Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


FAULTS: list[BaseException] = [
    ValueError("token=canary-7f3a9c"),
    KeyboardInterrupt(),
    SystemExit(3),
    GeneratorExit(),
    asyncio.CancelledError("not ours"),
    StopAsyncIteration(),
    RecursionError("deep"),
    MemoryError(),
    BaseException("bare"),
    _Unspeakable(),
    TimeoutError(),
    Unreachable("No route."),
    PlatformRefused("The messenger says no."),
    ExceptionGroup("several", [ValueError("one"), ExceptionGroup("more", [OSError(5, "two")])]),
    BaseExceptionGroup("worse", [KeyboardInterrupt(), ValueError("three")]),
]


@pytest.mark.case("F27")
@pytest.mark.parametrize("nested", [False, True], ids=["itself", "in a task of its own"])
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: type(fault).__name__)
async def test_whatever_a_provider_raises_it_is_restarted_and_others_go_on(
    stand: Stand, fault: BaseException, nested: bool
) -> None:
    process_ending = isinstance(fault, KeyboardInterrupt | SystemExit)
    other = await stand.add(Script(), "other")
    script = Script([fault, fault], nested=nested and not process_ending)

    entry = await stand.add(script)

    await stand.reaches(entry, Lifecycle.CONNECTED)
    assert script.runs == 3
    assert other.health.lifecycle is Lifecycle.CONNECTED
    assert len(entry.problems) == 2
    assert "canary-7f3a9c" not in " ".join(entry.problems)
    assert await stand.recorded(entry, "connected") == ["starting", "backoff", "connected"]


@pytest.mark.case("F27")
async def test_a_provider_that_cancels_its_own_task_is_restarted(stand: Stand) -> None:
    script = Script(cancels_itself=True)

    entry = await stand.add(script)

    await stand.reaches(entry, Lifecycle.CONNECTED)
    assert script.runs == 2
    assert entry.problems[0].endswith("CancelledError: ")


async def test_a_provider_that_returns_is_restarted(stand: Stand) -> None:
    script = Script(returns=1)

    entry = await stand.add(script)

    await stand.reaches(entry, Lifecycle.CONNECTED)
    assert script.runs == 2
    assert list(entry.problems) == []


@pytest.mark.parametrize(
    "fault",
    [BadCredentials("The token is refused."), ExceptionGroup("g", [BadCredentials("No.")])],
    ids=["plain", "in a group"],
)
async def test_bad_credentials_end_it_until_the_owner_acts(stand: Stand, fault: Exception) -> None:
    script = Script([fault])
    entry = await stand.add(script)

    health = await stand.reaches(entry, Lifecycle.BAD_CREDENTIALS)
    assert health.user_action is UserAction.FIX_CREDENTIALS
    assert script.runs == 1
    assert not entry.running

    stand.supervisor.connect(entry)
    await stand.reaches(entry, Lifecycle.CONNECTED)
    assert script.runs == 2


@pytest.mark.parametrize("state", [Lifecycle.LOGGED_OUT, Lifecycle.BANNED])
async def test_a_state_that_only_the_owner_ends_is_not_reconnected(
    stand: Stand, state: Lifecycle
) -> None:
    script = Script([OSError("gone")], report=Health(lifecycle=state))

    entry = await stand.add(script)

    await stand.reaches(entry, state)
    await stand.supervisor.disconnect(entry)
    assert script.runs == 1


async def test_connecting_again_replaces_a_run_that_is_over_but_has_not_ended(
    stand: Stand,
) -> None:
    script = Script()
    entry = await stand.add(script)
    await stand.reaches(entry, Lifecycle.CONNECTED)
    _sink_of(entry).report(Health(lifecycle=Lifecycle.LOGGED_OUT))

    stand.supervisor.connect(entry)

    await stand.reaches(entry, Lifecycle.CONNECTED)
    assert script.runs == 2


async def test_connecting_again_ends_the_pause(tmp_path: Path) -> None:
    patient = Pace(first_s=3_600, cap_s=3_600)
    async with open_stand(tmp_path / "home", patient) as stand:
        entry = await stand.add(Script([OSError("down")]))
        health = await stand.reaches(entry, Lifecycle.BACKOFF)
        assert health.retry_at is not None
        assert health.reason == "The provider failed: OSError."

        stand.supervisor.connect(entry)

        await stand.reaches(entry, Lifecycle.CONNECTED)
        assert entry.health.retry_at is None


async def test_connecting_what_runs_starts_no_second_one(stand: Stand) -> None:
    script = Script()
    entry = await stand.add(script)
    await stand.reaches(entry, Lifecycle.CONNECTED)

    stand.supervisor.connect(entry)
    stand.supervisor.connect(entry)

    await stand.supervisor.next_change(0.01)
    assert script.runs == 1


async def test_one_that_does_not_stop_is_left_behind_and_never_doubled(stand: Stand) -> None:
    release = anyio.Event()
    script = Script(stubborn=release)
    entry = await stand.add(script)
    await stand.reaches(entry, Lifecycle.CONNECTED)

    with anyio.fail_after(2):
        await stand.supervisor.disconnect(entry)
    assert entry.health.lifecycle is Lifecycle.STOPPED
    assert "does not stop" in entry.problems[-1]

    stand.supervisor.connect(entry)
    await stand.supervisor.next_change(0.01)
    assert script.runs == 1
    script.stubborn = None
    release.set()
    await stand.reaches(entry, Lifecycle.CONNECTED)
    assert script.runs == 2


@pytest.mark.case("F27")
@pytest.mark.parametrize("fault", [Unreachable("gone"), ExceptionGroup("g", [ValueError("x")])])
async def test_one_that_fails_while_it_is_stopped_ends_nothing_else(
    stand: Stand, fault: Exception
) -> None:
    other = await stand.add(Script(), "other")
    entry = await stand.add(Script(last_words=fault))
    for each in (other, entry):
        await stand.reaches(each, Lifecycle.CONNECTED)

    await stand.supervisor.disconnect(entry)
    stand.supervisor.connect(entry)
    await stand.reaches(entry, Lifecycle.CONNECTED)

    assert other.health.lifecycle is Lifecycle.CONNECTED


async def test_a_stopped_one_hears_nothing_more_of_its_past(stand: Stand) -> None:
    entry = await stand.add(Script())
    await stand.reaches(entry, Lifecycle.CONNECTED)
    sink = _sink_of(entry)

    await stand.supervisor.disconnect(entry)
    sink.report(Health(lifecycle=Lifecycle.CONNECTED))

    assert entry.health.lifecycle is Lifecycle.STOPPED


async def test_the_four_times_are_kept_and_receiving_is_not_inferred_from_sending(
    stand: Stand,
) -> None:
    entry = await stand.add(Script())
    await stand.reaches(entry, Lifecycle.CONNECTED)
    sink = _sink_of(entry)

    stand.supervisor.sent(entry)
    assert entry.health.last_outbound_at is not None
    assert entry.health.last_inbound_at is None
    await sink.ingest("k1", "ann", "message", b"{}")
    sink.signal("ann", "typing", "on")
    await stand.supervisor.probe(entry)
    sink.report(Health(lifecycle=Lifecycle.DEGRADED, reason="slow\ntoken=canary-7f3a9c"))

    health = entry.health
    assert health.lifecycle is Lifecycle.DEGRADED
    assert None not in (
        health.last_outbound_at,
        health.last_inbound_at,
        health.last_transport_at,
        health.last_probe_ok_at,
    )
    assert health.reason == "slow\\ntoken=[redacted]"


async def test_whoever_waits_to_send_is_told_that_it_receives_again(stand: Stand) -> None:
    entry = await stand.add(Script([OSError("down")]))

    await stand.reaches(entry, Lifecycle.CONNECTED)

    assert stand.woken == [entry.instance.id]


async def test_wanted_state_survives_a_restart(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with open_stand(home) as stand:
        kept = await stand.add(Script(), "kept")
        stopped = await stand.add(Script(), "stopped")
        await stand.reaches(kept, Lifecycle.CONNECTED)
        await stand.roster.want(OWNER, "stopped", "stopped")
        assert stopped.health.lifecycle is Lifecycle.STOPPED

    async with open_stand(home) as stand:
        again = stand.registry.by_name("kept")
        await stand.reaches(again, Lifecycle.CONNECTED)
        assert stand.registry.by_name("stopped").health.lifecycle is Lifecycle.STOPPED


def test_pauses_double_with_full_jitter_up_to_five_minutes() -> None:
    pace = Pace()

    assert [pace.pause_s(n, 1.0) for n in (1, 2, 3, 9, 10, 500)] == [1, 2, 4, 256, 300, 300]
    assert pace.pause_s(5, 0.0) == 0
    assert pace.pause_s(5, 0.5) == 8


def test_the_messenger_s_own_pause_is_honoured_and_capped() -> None:
    fast = ExceptionGroup("g", [RateLimited("Slow.", retry_after_s=7), OSError()])

    assert wanted_pause_s(fast) == 7
    assert wanted_pause_s(RateLimited("Slow.", retry_after_s=1e9)) == 900
    assert wanted_pause_s(OSError()) == wanted_pause_s(None) == 0


def test_a_fault_is_told_in_one_redacted_line() -> None:
    fault = ExceptionGroup("g", [ValueError("a\nb password=canary-7f3a9c"), _Unspeakable()])

    assert line_of(fault) == "ValueError: a\\nb password=[redacted]; _Unspeakable: ?"
    assert reason_of(fault) == "The provider failed: ValueError."
    assert reason_of(None) == "The connection ended."
    assert reason_of(Unreachable("No route.")) == "No route."


async def test_a_healthy_minute_starts_the_count_anew(tmp_path: Path) -> None:
    always_healthy = Pace(first_s=0.002, cap_s=3_600, healthy_s=0.0)
    connected = Health(lifecycle=Lifecycle.CONNECTED)
    async with open_stand(tmp_path / "home", always_healthy) as stand:
        script = Script([OSError(str(n)) for n in range(30)], report=connected)

        entry = await stand.add(script)

        with anyio.fail_after(10):
            while script.runs < 31:
                await stand.supervisor.next_change(1)
        assert entry.health.lifecycle is Lifecycle.CONNECTED
