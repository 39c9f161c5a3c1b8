"""Instances: the accounts of the owner, set up, connected, stopped and removed.

What an agent asks for is prepared as an act and stands behind the owner's approval; the direct
forms are the owner's own.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from datetime import datetime
from pathlib import Path

import anyio

from messengers.clock import Clock
from messengers.core.acts import Act, InstanceAnswer
from messengers.core.address import Address
from messengers.core.callers import Caller
from messengers.core.credentials import read
from messengers.core.events import Events
from messengers.core.forms import Forms
from messengers.core.health import PASSING
from messengers.core.login_links import LoginLinks
from messengers.core.quiet import check_quiet
from messengers.core.registry import Entry, Registry
from messengers.core.roster import Roster, check_name
from messengers.core.setup import Executor, Setup, checked_endpoints
from messengers.core.supervisor import Supervisor
from messengers.core.views import Examined, InstanceView, answer_of, view_of
from messengers.errors import NotConnected, Unsupported
from messengers.models import (
    Confirm,
    DmPolicy,
    GroupPolicy,
    Instance,
    Lifecycle,
    OnUnknown,
    Pacing,
)
from messengers.providers.base import Provider
from messengers.providers.capabilities import Capabilities
from messengers.store import Store
from messengers.store import instances as rows

__all__ = ["InstanceView", "Instances", "check_name"]

_OFFLINE = frozenset({Lifecycle.AWAITING_LOGIN, Lifecycle.LOGGED_OUT, Lifecycle.BAD_CREDENTIALS})


class Instances:
    """Reads the registry, writes the store, tells the supervisor."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        registry: Registry,
        supervisor: Supervisor,
        forms: Forms,
        links: LoginLinks,
        address: Address,
        confirm: Confirm = "unknown_chats",
    ) -> None:
        self._store = store
        self._supervisor = supervisor
        self._address = address
        self._roster = Roster(store, clock, events, registry, supervisor)
        self._setup = Setup(registry, self._roster, supervisor, forms, links, address, confirm)
        self._confirm: Confirm = confirm
        self.registry = registry

    @property
    def executors(self) -> Mapping[str, Executor]:
        """For the approvals: what does an act once it may be done."""
        return self._setup.executors

    async def load(self) -> None:
        """Read the instances, and end removals that an earlier process had begun."""
        await self.registry.load()
        await self._roster.finish_removals()

    async def list(self, caller: Caller, provider: str = "") -> list[InstanceView]:
        """What the caller sees, oldest first; removed ones are left out."""
        wanted = self.registry.catalog.find(provider).name if provider.strip() else ""
        await self.registry.refresh_history()
        return [
            view_of(entry, self._address)
            for entry in self.registry.entries()
            if caller.sees(entry.instance.id)
            and not entry.removed
            and wanted in ("", entry.instance.provider)
        ]

    async def able(
        self, caller: Caller, can: Callable[[Capabilities], bool], what: str
    ) -> Sequence[Instance]:
        """The caller's accounts that can do something. Raises Unsupported when there is none."""
        views = await self.list(caller)
        found = [view.instance for view in views if can(view.capabilities)]
        if not found:
            raise Unsupported(f"None of the accounts can {what}.")
        return found

    async def get(self, caller: Caller, ref: str) -> InstanceView:
        """One by name or id, a removed one too. Raises NotFound."""
        entry = self.registry.resolve(caller, ref)
        await self.registry.refresh_history()
        return view_of(entry, self._address)

    async def examine(self, caller: Caller) -> Sequence[Examined]:
        """What the messengers say of the running instances now, for the owner."""
        caller.require_owner()
        entries = [entry for entry in self.registry.entries() if entry.running]
        found: dict[str, Sequence[Examined]] = {}

        async def ask(entry: Entry) -> None:
            name = entry.instance.name
            found[entry.instance.id] = [
                Examined(instance=name, **each.model_dump())
                for each in await self._supervisor.examine(entry)
            ]

        async with anyio.create_task_group() as tasks:
            for entry in entries:
                tasks.start_soon(ask, entry)
        return [each for entry in entries for each in found[entry.instance.id]]

    def resolve(self, caller: Caller, ref: str) -> Instance:
        """By name or id. Raises NotFound."""
        return self.registry.resolve(caller, ref).instance

    def by_id(self, instance_id: str) -> Instance:
        """By id, whoever asks. Raises NotFound."""
        return self.registry.entry(instance_id).instance

    def by_name(self, name: str) -> Instance:
        """By exact name, whoever asks. Raises NotFound."""
        return self.registry.by_name(name).instance

    def name_of(self, instance_id: str) -> str:
        """The name, '' when it is gone."""
        return self.registry.name_of(instance_id)

    def visible(self, caller: Caller, ref: str = "") -> tuple[str, ...] | None:
        """The ids a question may reach; None means all. Raises NotFound for an unknown `ref`."""
        if ref:
            return (self.resolve(caller, ref).id,)
        return None if caller.instances is None else tuple(sorted(caller.instances))

    def provider(self, instance_id: str) -> Provider:
        """The running provider, ready to send.

        Raises:
            NotConnected: it is stopped, removed, between two attempts or waits for a login.
        """
        return self._running(instance_id, _OFFLINE)

    def connected_provider(self, instance_id: str) -> Provider:
        """The same for what waits to leave: it waits on while the instance connects.

        Raises:
            NotConnected: as `provider`, or it connects.
        """
        return self._running(instance_id, _OFFLINE | PASSING)

    def _running(self, instance_id: str, unready: Set[Lifecycle]) -> Provider:
        entry = self.registry.entry(instance_id)
        if entry.built is not None and entry.running and entry.health.lifecycle not in unready:
            return entry.built
        view = view_of(entry, self._address)
        state = "removed" if entry.removed else entry.health.lifecycle.value.replace("_", " ")
        raise NotConnected(f"The instance {entry.instance.name} is {state}.", view.next_step)

    def provider_for_parsing(self, instance_id: str) -> Provider:
        """The provider whether it runs or not: for what it can do without its messenger.

        Raises:
            NotConnected: it was removed, or its engine or configuration is missing.
        """
        return self.registry.build(self.registry.entry(instance_id))

    def problems(self, instance_id: str) -> Sequence[str]:
        """The last faults, redacted, oldest first. Their words are the provider's: untrusted."""
        return tuple(self.registry.entry(instance_id).problems)

    def sent(self, instance_id: str) -> None:
        """A message of ours was accepted."""
        self._supervisor.sent(self.registry.entry(instance_id))

    def heard(self, instance_id: str, sent_at: datetime) -> None:
        """A message of this time was stored: history may reach further back now."""
        self.registry.heard(instance_id, sent_at)

    async def prepare_create(
        self, caller: Caller, provider: str, name: str, credentials: Mapping[str, str] | None = None
    ) -> Act:
        """What setting up an instance would be. Without required fields: opening a form for them.

        Raises:
            InvalidInput: names the fields that do not fit; unknown provider; no fitting name.
            Conflict: the name is taken.
        """
        return self._setup.create_act(caller, provider, name, credentials or {})

    async def prepare_disconnect(self, caller: Caller, ref: str) -> Act:
        """What stopping an instance would be. Raises NotFound."""
        return self._setup.disconnect_act(caller, ref)

    async def prepare_delete(self, caller: Caller, ref: str, purge: bool = False) -> Act:
        """What removing an instance would be. Raises NotFound, or Conflict when it is removed."""
        entry = self.registry.resolve(caller, ref)
        counts = await self._store.row(rows.counts, instance=entry.instance.id)
        return self._setup.delete_act(
            caller, entry, counts or {"chats": 0, "messages": 0}, purge=purge
        )

    async def create(
        self,
        caller: Caller,
        provider: str,
        name: str,
        credentials: Mapping[str, object] | None = None,
        *,
        endpoints: Mapping[str, str] | None = None,
        confirm: Confirm | None = None,
        connect: bool = True,
        wait_s: float = 5.0,
    ) -> InstanceAnswer:
        """Set up an instance, for the owner; waits up to `wait_s` for it to connect.

        Raises:
            InvalidInput: names the fields that do not fit.
            Conflict: the name is taken.
        """
        caller.require_owner()
        info = self.registry.catalog.find(provider)
        config = read(info.config, credentials or {})
        entry = await self._roster.add(
            caller,
            info,
            name,
            config,
            endpoints=checked_endpoints(info, endpoints or {}),
            confirm=confirm or self._confirm,
            connect=connect,
        )
        return await self._setup.settled(entry, wait_s if connect else 0, info.caution)

    async def update(
        self, caller: Caller, ref: str, credentials: Mapping[str, object], wait_s: float = 5.0
    ) -> InstanceAnswer:
        """Give an instance other credentials and connect it, for the owner.

        Fields left blank stay as they are. Raises InvalidInput naming the fields that do not fit.
        """
        caller.require_owner()
        entry = await self._roster.update(caller, ref, credentials)
        return await self._setup.settled(entry, wait_s)

    async def connect(self, caller: Caller, ref: str, wait_s: float = 5.0) -> InstanceAnswer:
        """Want it connected and try now; waits up to `wait_s`.

        Where it needs credentials the answer links to a form.
        """
        entry = await self._roster.want(caller, ref, "connected")
        return await self._setup.settled(entry, wait_s)

    async def disconnect(self, caller: Caller, ref: str) -> InstanceAnswer:
        """Stop it until it is connected again, for the owner."""
        caller.require_owner()
        entry = await self._roster.want(caller, ref, "stopped")
        return answer_of(view_of(entry, self._address))

    async def log_out(self, caller: Caller, ref: str) -> InstanceAnswer:
        """End its session at the messenger and remove it here, for the owner.

        Raises:
            Unsupported: its provider has no such thing.
            NotConnected: nobody can be told.
        """
        caller.require_owner()
        return answer_of(view_of(await self._roster.log_out(caller, ref), self._address))

    async def adopt(
        self, caller: Caller, ref: str, file: Path, *, replace: bool = False
    ) -> InstanceAnswer:
        """Copy a session that another program made into a stopped instance, for the owner.

        Raises:
            Unsupported: its provider has no such thing.
            Conflict: it runs, or has a session that is not to be replaced.
            InvalidInput: the file is none that fits.
        """
        caller.require_owner()
        entry = await self._roster.adopt(caller, ref, file, replace=replace)
        return answer_of(view_of(entry, self._address))

    async def delete(self, caller: Caller, ref: str, *, purge: bool = False) -> InstanceAnswer:
        """Remove it, for the owner.

        Its credentials go and its name is free; chats and messages stay readable under the name
        followed by "(removed …)". A `purge` erases them too, also of one removed before.
        """
        caller.require_owner()
        return await self._setup.delete(caller, ref, purge=purge)

    async def rename(self, caller: Caller, ref: str, name: str) -> InstanceView:
        """Another name, for the owner. Raises InvalidInput, or Conflict when it is taken."""
        caller.require_owner()
        return view_of(await self._roster.rename(caller, ref, name), self._address)

    async def set_policy(
        self,
        caller: Caller,
        ref: str,
        *,
        confirm: Confirm | None = None,
        read_only: bool | None = None,
        pacing: Pacing | None = None,
        on_unknown: OnUnknown | None = None,
        quiet_hours: str | None = None,
        retention_days: int | None = None,
        dm_policy: DmPolicy | None = None,
        group_policy: GroupPolicy | None = None,
        sends_per_hour: int | None = None,
        sends_per_day: int | None = None,
        new_recipients_per_day: int | None = None,
    ) -> InstanceView:
        """What the owner decides of an instance while it runs; None stays as it is."""
        caller.require_owner()
        quiet = None if quiet_hours is None else check_quiet(quiet_hours)
        chosen = {
            "pacing": pacing,
            "on_unknown": on_unknown,
            "quiet_hours": quiet,
            "retention_days": retention_days,
            "dm_policy": dm_policy,
            "group_policy": group_policy,
            "sends_per_hour": sends_per_hour,
            "sends_per_day": sends_per_day,
            "new_recipients_per_day": new_recipients_per_day,
        }
        choices = {name: value for name, value in chosen.items() if value is not None}
        if choices:
            await self._roster.choose(caller, ref, **choices)
        new = {"confirm": confirm, "read_only": read_only}
        given = {name: value for name, value in new.items() if value is not None}
        if given:
            await self._roster.set_policy(caller, ref, **given)
        return view_of(self.registry.resolve(caller, ref), self._address)
