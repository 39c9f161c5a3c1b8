"""Keeps every wanted instance running, each by itself.

One task an instance: it builds the provider, runs it, and after a fault tries again with growing,
jittered pauses, whatever the provider raised. States that only the owner ends stop it. There is no
second place that reconnects, and no fault of one instance reaches another.
"""

import logging
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal, Protocol

import anyio
from anyio.abc import TaskGroup
from sqlalchemy import Connection

from messengers.clock import Clock
from messengers.core.health import (
    TERMINAL,
    Pace,
    is_terminal,
    line_of,
    merge,
    reason_of,
    wanted_pause_s,
)
from messengers.core.registry import Entry, Registry
from messengers.errors import MessengersError, NotReady
from messengers.models import Health, Lifecycle, UserAction
from messengers.providers.findings import Examines, Finding

__all__ = ["Ingest", "Supervisor"]

log = logging.getLogger(__name__)
_MAX_UNRECORDED = 1_000
_PROBE_DEADLINE_S = 10.0
_TRYING = frozenset({Lifecycle.STARTING, Lifecycle.CONNECTING})
Ingest = Callable[[str, str, str, str, bytes], Awaitable[bool]]
"""(instance, event key, chat key, kind, payload) → whether it is new; durable when it returns."""


class Announces(Protocol):
    """What is asked of the event log."""

    def record(
        self, conn: Connection, kind: str, *, instance_id: str = "", data: dict[str, object] | None
    ) -> int: ...

    async def write(self, unit: Callable[[Connection], int]) -> int: ...

    def signal(self, instance_id: str, chat_key: str, kind: str, data: str) -> None: ...


@dataclass(slots=True, eq=False)
class _Run:
    """One supervised instance."""

    entry: Entry
    scope: anyio.CancelScope = field(default_factory=anyio.CancelScope)
    hurry: anyio.Event = field(default_factory=anyio.Event)
    """Set: the pause is over."""
    ended: anyio.Event = field(default_factory=anyio.Event)
    connected_s: float | None = None
    """When it last became connected, monotonic."""


class Supervisor:
    """Starts, watches, restarts and stops instances."""

    def __init__(
        self, registry: Registry, events: Announces, clock: Clock, pace: Pace | None = None
    ) -> None:
        self._registry = registry
        self._events = events
        self._clock = clock
        self._pace = pace or Pace()
        self._runs: dict[str, _Run] = {}
        self._changed = anyio.Event()
        self._unrecorded: deque[tuple[str, Health]] = deque(maxlen=_MAX_UNRECORDED)
        self._to_record = anyio.Event()
        self._recorded: dict[str, tuple[Lifecycle, UserAction]] = {}
        self._tasks: TaskGroup | None = None
        self._ingest: Ingest | None = None
        self._connected: Callable[[str], None] = lambda _: None

    def attach(self, ingest: Ingest, connected: Callable[[str], None]) -> None:
        """Where arrivals go, and who wants to hear that an instance receives again."""
        self._ingest = ingest
        self._connected = connected

    async def start(self, tasks: TaskGroup) -> None:
        """Bring the wanted instances up. Everything ends when `tasks` is cancelled."""
        self._tasks = tasks
        tasks.start_soon(self._record)
        for entry in self._registry.entries():
            if entry.instance.wanted == "connected" and not entry.removed:
                self.connect(entry)

    def connect(self, entry: Entry) -> None:
        """Run it. Running already: nothing. Pausing after a fault: try now."""
        if self._tasks is None:
            return
        if entry.info is None or entry.config is None:
            self.report(entry, _unfit(entry, entry.trouble))
            return
        known = self._runs.get(entry.instance.id)
        # Whoever connects an account that another program holds has ended that program.
        over = entry.health.lifecycle in (*TERMINAL, Lifecycle.CONFLICT)
        if known is not None and not known.scope.cancel_called and not over:
            known.hurry.set()
            return
        if known is not None:
            known.scope.cancel()
        run = self._runs[entry.instance.id] = _Run(entry)
        self._tell(run, Health(lifecycle=Lifecycle.STARTING))
        self._tasks.start_soon(self._keep, run, known)

    async def disconnect(self, entry: Entry) -> None:
        """Stop it; returns once it has ended, after two seconds at the latest."""
        run = self._runs.get(entry.instance.id)
        if run is not None:
            run.scope.cancel()
            with anyio.move_on_after(self._pace.stop_s, shield=True):
                await run.ended.wait()
            if not run.ended.is_set():
                self._problem(entry, "It does not stop when told to.")
        self.report(entry, Health(lifecycle=Lifecycle.STOPPED))

    async def until(
        self, entry: Entry, ready: Callable[[Health], bool], timeout_s: float
    ) -> Health:
        """Wait until the health is what is asked for; returns it as it then is."""
        with anyio.move_on_after(timeout_s):
            while not ready(entry.health):
                await self._changed.wait()
        return entry.health

    async def next_change(self, timeout_s: float) -> None:
        """Wait until some instance reports, or time is up."""
        with anyio.move_on_after(timeout_s):
            await self._changed.wait()

    async def probe(self, entry: Entry) -> None:
        """Ask the messenger whether the account is well; raises what is wrong."""
        provider = self._registry.build(entry)
        with anyio.fail_after(_PROBE_DEADLINE_S):
            await provider.probe()
        now = self._clock.now()
        entry.health = entry.health.model_copy(update={"last_probe_ok_at": now})

    async def examine(self, entry: Entry) -> Sequence[Finding]:
        """What the messenger says of a running instance; what failed is a finding too."""
        if not entry.running or not isinstance(entry.built, Examines):
            return ()
        try:
            with anyio.fail_after(_PROBE_DEADLINE_S):
                found = await entry.built.examine()
        except Exception as exc:  # noqa: BLE001 - a stranger's fault is what was looked for
            return (Finding(what="messenger", found=reason_of(exc), state="fail"),)
        now = self._clock.now()
        entry.health = entry.health.model_copy(update={"last_probe_ok_at": now})
        return found

    def sent(self, entry: Entry) -> None:
        """Something of ours was accepted. It says nothing about receiving."""
        now = self._clock.now()
        entry.health = entry.health.model_copy(update={"last_outbound_at": now})

    def hurry(self, entry: Entry) -> None:
        """What waits to leave may leave earlier now: whoever sends looks again."""
        self._connected(entry.instance.id)

    def report(self, entry: Entry, told: Health) -> None:
        """Take a state over; its change is recorded and whoever waits wakes."""
        before, entry.health = entry.health, merge(entry.health, told)
        self._changed.set()
        self._changed = anyio.Event()
        state = (entry.health.lifecycle, entry.health.user_action)
        # An attempt after a fault is no news until it leads somewhere.
        retrying = told.lifecycle in _TRYING and before.lifecycle in (Lifecycle.BACKOFF, *_TRYING)
        if not retrying and self._recorded.get(entry.instance.id) != state:
            self._recorded[entry.instance.id] = state
            self._unrecorded.append((entry.instance.id, entry.health))
            self._to_record.set()
        if told.lifecycle is Lifecycle.CONNECTED and before.lifecycle is not Lifecycle.CONNECTED:
            self._connected(entry.instance.id)

    async def _record(self) -> None:
        """Bring changes into the event log; a store that refuses costs the event, nothing else."""
        while True:
            await self._to_record.wait()
            self._to_record = anyio.Event()
            while self._unrecorded:
                instance_id, health = self._unrecorded.popleft()
                data = health.model_dump(
                    mode="json", include={"lifecycle", "user_action", "reason"}
                )
                try:
                    await self._events.write(
                        lambda conn, at=instance_id, data=data: self._events.record(
                            conn, "instance.health", instance_id=at, data=data
                        )
                    )
                except MessengersError as exc:
                    log.warning("health of %s was not recorded: %s", instance_id, exc)

    async def _keep(self, run: _Run, before: _Run | None) -> None:
        if before is not None:
            await before.ended.wait()
        try:
            with run.scope:
                await self._attempts(run)
        finally:
            run.ended.set()
            if self._runs.get(run.entry.instance.id) is run:
                del self._runs[run.entry.instance.id]

    async def _attempts(self, run: _Run) -> None:
        entry, failures = run.entry, 0
        while True:
            fault = await self._attempt(run)
            if fault is not None:
                self._problem(entry, line_of(fault))
            if fault is not None and is_terminal(fault):
                self._tell(run, _refused(reason_of(fault)))
                return
            if isinstance(fault, NotReady) and entry.built is None:
                self._tell(run, _unfit(entry, reason_of(fault)))
                return
            if entry.health.lifecycle in TERMINAL:
                return
            failures = 1 if self._was_healthy(run) else failures + 1
            draw = random.random()  # noqa: S311 - spreads attempts, guards nothing
            pause_s = max(self._pace.pause_s(failures, draw), wanted_pause_s(fault))
            retry_at = self._clock.now() + timedelta(seconds=pause_s)
            reason = reason_of(fault)
            self._tell(run, Health(lifecycle=Lifecycle.BACKOFF, reason=reason, retry_at=retry_at))
            run.hurry = anyio.Event()
            with anyio.move_on_after(pause_s):
                await run.hurry.wait()

    async def _attempt(self, run: _Run) -> BaseException | None:
        """One run of the provider, in a task of its own: what it does to its task stays there."""
        faults: list[BaseException] = []
        run.connected_s = None
        sink = _InstanceSink(self, run)

        async def receive() -> None:
            try:
                provider = await self._registry.prepare(run.entry)
                self._tell(run, Health(lifecycle=Lifecycle.CONNECTING))
                run.entry.running = True
                await provider.run(sink)
            except BaseException as exc:
                # Whatever strangers' code raises ends here, but for our own cancellation.
                cancelled = anyio.current_effective_deadline() == -float("inf")
                if cancelled and not isinstance(exc, Exception):
                    raise
                faults.append(exc)

        try:
            async with anyio.create_task_group() as attempt:
                attempt.start_soon(receive)
        finally:
            run.entry.running = False
            sink.closed = True
        return faults[0] if faults else None

    def _was_healthy(self, run: _Run) -> bool:
        if run.connected_s is None:
            return False
        return self._clock.monotonic_s() - run.connected_s >= self._pace.healthy_s

    def _tell(self, run: _Run, health: Health) -> None:
        if not run.scope.cancel_called:
            self.report(run.entry, health)

    def _problem(self, entry: Entry, line: str) -> None:
        at = self._clock.now().isoformat(timespec="seconds")
        entry.problems.append(f"{at} {line}")
        log.warning("instance %s: %s", entry.instance.name, line)

    async def arrived(
        self, entry: Entry, event_key: str, chat_key: str, kind: str, payload: bytes
    ) -> bool:
        """Store what a provider received; a duplicate is no sign of new arrivals."""
        if self._ingest is None:
            raise RuntimeError("nothing takes arrivals yet")
        added = await self._ingest(entry.instance.id, event_key, chat_key, kind, payload)
        now = self._clock.now()
        seen = {"last_transport_at": now, **({"last_inbound_at": now} if added else {})}
        entry.health = entry.health.model_copy(update=seen)
        return added

    def signalled(self, entry: Entry, chat_key: str, kind: str, data: str) -> None:
        """Pass on what is not stored."""
        entry.health = entry.health.model_copy(update={"last_transport_at": self._clock.now()})
        self._events.signal(entry.instance.id, chat_key, kind, data)

    def told(self, run: _Run, health: Health) -> None:
        """What the provider itself says of its state."""
        if health.lifecycle is Lifecycle.CONNECTED:
            run.connected_s = run.connected_s or self._clock.monotonic_s()
        else:
            run.connected_s = None
        self._tell(run, health)


class _InstanceSink:
    """What one run of one provider may say."""

    def __init__(self, supervisor: Supervisor, run: _Run) -> None:
        self._supervisor = supervisor
        self._run = run
        self.closed = False
        """The run is over: a late report of it is about the past."""

    async def ingest(self, event_key: str, chat_key: str, kind: str, payload: bytes) -> bool:
        return await self._supervisor.arrived(self._run.entry, event_key, chat_key, kind, payload)

    def signal(self, chat_key: str, kind: Literal["typing", "presence"], data: str) -> None:
        self._supervisor.signalled(self._run.entry, chat_key, kind, data)

    def report(self, health: Health) -> None:
        if not self.closed:
            self._supervisor.told(self._run, health)


def _refused(reason: str) -> Health:
    return Health(
        lifecycle=Lifecycle.BAD_CREDENTIALS,
        user_action=UserAction.FIX_CREDENTIALS,
        reason=reason,
    )


def _unfit(entry: Entry, reason: str) -> Health:
    """It cannot even be built: the engine or a configuration that it takes is missing."""
    engine = entry.info is None or entry.config is not None
    return Health(
        lifecycle=Lifecycle.ERROR,
        user_action=UserAction.UPGRADE if engine else UserAction.FIX_CREDENTIALS,
        reason=reason,
    )
