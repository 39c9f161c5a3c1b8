"""Changes of the instances: one transaction each, with its event and audit line.

The map in memory and the supervisor follow, also when the caller has stopped waiting.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal
from uuid import UUID, uuid4

import anyio
from pydantic import BaseModel
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core import sessions
from messengers.core.callers import Caller
from messengers.core.credentials import plain, read
from messengers.core.events import Events
from messengers.core.registry import CHOICES, Entry, Registry
from messengers.core.removal import erase, forget_directory, freed_name
from messengers.core.supervisor import Supervisor
from messengers.errors import Conflict, InvalidInput, MessengersError, NotConnected
from messengers.models import Confirm, Health, Instance, Lifecycle, UserAction
from messengers.providers.base import ProviderInfo
from messengers.store import Store, audit, outbox
from messengers.store import instances as rows
from messengers.store.rows import dump_json

__all__ = ["Roster", "check_name"]

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,47}")
_DEVICE = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9]")
"""Names that Windows takes for devices, whatever stands around them."""
_LOGGED_OUT = Health(
    lifecycle=Lifecycle.LOGGED_OUT,
    user_action=UserAction.RELOGIN,
    reason="The owner logged it out.",
)
_PURGE = dump_json({"purge": True})


def check_name(name: str) -> None:
    """Raises InvalidInput for what is no instance name: it becomes a part of URLs and commands."""
    if not _NAME.fullmatch(name):
        raise InvalidInput(
            "name is no instance name.",
            "Use 1 to 48 of a-z, 0-9, _ and -, beginning with a letter or digit.",
        )
    if _DEVICE.fullmatch(name):
        raise InvalidInput("name is a device name of Windows.", "Take another.")
    if _is_uuid(name):
        raise InvalidInput("name looks like an id.", "Take one that a person can say.")


class Roster:
    """Adds, changes and removes instances."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        events: Events,
        registry: Registry,
        supervisor: Supervisor,
    ) -> None:
        self._store = store
        self._clock = clock
        self._events = events
        self._registry = registry
        self._supervisor = supervisor
        self._changing = anyio.Lock()

    async def add(
        self,
        caller: Caller,
        info: ProviderInfo,
        name: str,
        config: BaseModel,
        *,
        endpoints: Mapping[str, str],
        confirm: Confirm,
        connect: bool = True,
    ) -> Entry:
        """A new instance, started at once. Raises Conflict when the name is taken."""
        check_name(name)
        instance = Instance(
            id=str(uuid4()),
            name=name,
            provider=info.name,
            kind=info.kind_of(config) if info.kind_of else info.kind,
            wanted="connected" if connect else "stopped",
            confirm=confirm,
            pacing=info.pacing,
            created_at=self._clock.now(),
        )
        values = instance.model_dump(exclude={"history_since", "read_only", "created_at", *CHOICES})
        values |= {"created_at": to_ms(instance.created_at), "endpoints": dump_json(endpoints)}
        sealed = self._registry.seal(instance.id, config)

        def unit(conn: Connection) -> None:
            _require_free(conn, name)
            rows.add(conn, values)
            rows.set_credentials(conn, instance.id, sealed)

        entry = Entry(
            instance, info, config, dict(endpoints), health=Health(lifecycle=Lifecycle.CREATED)
        )
        async with self._changing:
            with anyio.CancelScope(shield=True):
                await self._commit(caller, instance.id, "instance.created", unit)
                self._registry.put(entry)
                self._follow(entry)
        return entry

    async def update(self, caller: Caller, ref: str, values: Mapping[str, object]) -> Entry:
        """Other credentials; what is left blank stays. Raises InvalidInput naming the fields."""
        async with self._changing:
            entry = self._living(caller, ref)
            if entry.info is None:
                raise NotConnected("The provider of this instance is not installed.")
            kept = plain(entry.config) if entry.config else {}
            given = {name: value for name, value in values.items() if value not in ("", None)}
            config = read(entry.info.config, {**kept, **given})
            sealed = self._registry.seal(entry.instance.id, config)

            def unit(conn: Connection) -> None:
                rows.set_credentials(conn, entry.instance.id, sealed)
                rows.set_values(conn, entry.instance.id, wanted="connected")

            with anyio.CancelScope(shield=True):
                await self._commit(
                    caller, entry.instance.id, "instance.updated", unit, "credentials"
                )
                entry.config = config
                entry.instance = entry.instance.model_copy(update={"wanted": "connected"})
                await self._rebuild(entry)
        return entry

    async def want(
        self, caller: Caller, ref: str, wanted: Literal["connected", "stopped"]
    ) -> Entry:
        """Connect or stop, and remember it over restarts."""
        async with self._changing:
            entry = self._living(caller, ref)
            with anyio.CancelScope(shield=True):
                if entry.instance.wanted != wanted:
                    await self._set(caller, entry, f"instance.{wanted}", wanted=wanted)
                if wanted == "connected":
                    self._supervisor.connect(entry)
                else:
                    await self._supervisor.disconnect(entry)
                    await sessions.end_deliveries(entry)
        return entry

    async def set_policy(self, caller: Caller, ref: str, **columns: object) -> Entry:
        """Change columns that are read on each use."""
        async with self._changing:
            entry = self._living(caller, ref)
            with anyio.CancelScope(shield=True):
                await self._set(caller, entry, "instance.updated", **columns)
        return entry

    async def choose(self, caller: Caller, ref: str, **choices: object) -> Entry:
        """What of CHOICES the owner wants, in place of what is usual. What waits looks again."""
        async with self._changing:
            entry = self._living(caller, ref)
            policies = {**entry.policies, **choices}
            stored = dump_json(policies)

            def unit(conn: Connection) -> None:
                rows.set_values(conn, entry.instance.id, policies=stored)
                outbox.hurry(conn, entry.instance.id)

            before = entry.instance
            # First, so that no lane holds a row by the old choice after the unit let it go.
            entry.instance = before.model_copy(update=choices)
            with anyio.CancelScope(shield=True):
                try:
                    await self._commit(caller, before.id, "instance.updated", unit, _told(choices))
                except MessengersError:
                    entry.instance = before
                    raise
                entry.policies = policies
                self._supervisor.hurry(entry)
        return entry

    async def rename(self, caller: Caller, ref: str, name: str) -> Entry:
        """Another name; a running provider is built again under it."""
        check_name(name)
        async with self._changing:
            entry = self._living(caller, ref)

            def unit(conn: Connection) -> None:
                _require_free(conn, name)
                rows.set_values(conn, entry.instance.id, name=name)

            with anyio.CancelScope(shield=True):
                await self._commit(
                    caller,
                    entry.instance.id,
                    "instance.renamed",
                    unit,
                    f"was {entry.instance.name}",
                )
                entry.instance = entry.instance.model_copy(update={"name": name})
                self._registry.put(entry)
                await self._rebuild(entry)
        return entry

    async def log_out(self, caller: Caller, ref: str) -> Entry:
        """End the session at the messenger and here; it stays stopped until it is connected."""
        async with self._changing:
            entry = self._living(caller, ref)
            await sessions.log_out(self._registry, entry)
            with anyio.CancelScope(shield=True):
                await self._supervisor.disconnect(entry)
                entry.built = None
                await self._set(caller, entry, "instance.logged_out", wanted="stopped")
                await forget_directory(self._store.home, entry.instance.id)
                self._supervisor.report(entry, _LOGGED_OUT)
        return entry

    async def adopt(self, caller: Caller, ref: str, file: Path, *, replace: bool) -> Entry:
        """Take over a session that another program made."""
        async with self._changing:
            entry = self._living(caller, ref)
            await sessions.adopt(self._registry, entry, self._store.home, file, replace=replace)
            await self._commit(caller, entry.instance.id, "instance.adopted", lambda _: None)
        return entry

    async def try_log_out(self, entry: Entry) -> str:
        """Before it is removed: end its session at the messenger; a note for the owner, or ''."""
        return await sessions.try_log_out(self._registry, entry, self._store.home)

    async def remove(self, caller: Caller, ref: str, *, purge: bool) -> Entry:
        """Stop and remove: secrets and session go, the name is free. A purge erases the rest.

        Raises Conflict for one that is removed already and shall not be purged.
        """
        async with self._changing:
            entry = self._registry.resolve(caller, ref)
            if entry.removed and not purge:
                raise Conflict("This instance was removed before.", "purge erases its messages.")
            with anyio.CancelScope(shield=True):
                await self._supervisor.disconnect(entry)
                await sessions.end_deliveries(entry)
                await self._retire(caller, entry, purge=purge)
                if purge:
                    await self._erase(entry)
        return entry

    async def finish_removals(self) -> None:
        """Erase what an earlier process had begun to, and sessions that it could not."""
        for entry in self._registry.entries():
            if entry.purging:
                await self._erase(entry)
            elif entry.removed:
                await forget_directory(self._store.home, entry.instance.id)

    async def _retire(self, caller: Caller, entry: Entry, *, purge: bool) -> None:
        instance_id = entry.instance.id
        name = (
            entry.instance.name if entry.removed else freed_name(entry.instance.name, instance_id)
        )
        columns: dict[str, Any] = {"name": name, "wanted": "stopped"}
        columns["deleted_at"] = to_ms(self._clock.now())
        columns["policies"] = _PURGE if purge else ""

        def unit(conn: Connection) -> None:
            rows.forget_credentials(conn, instance_id)
            rows.set_values(conn, instance_id, **columns)

        await self._commit(caller, instance_id, "instance.removed", unit)
        entry.removed, entry.built, entry.config = True, None, None
        entry.instance = entry.instance.model_copy(update={"name": name, "wanted": "stopped"})
        self._registry.put(entry)
        await forget_directory(self._store.home, instance_id)

    async def _erase(self, entry: Entry) -> None:
        await erase(self._store, entry.instance.id)
        self._registry.drop(entry.instance.id)

    async def _set(self, caller: Caller, entry: Entry, kind: str, **columns: object) -> None:
        """Change columns that the domain type carries under the same names."""
        stored = {name: int(v) if isinstance(v, bool) else v for name, v in columns.items()}
        instance_id = entry.instance.id
        await self._commit(
            caller,
            instance_id,
            kind,
            lambda conn: rows.set_values(conn, instance_id, **stored),
            _told(columns),
        )
        entry.instance = entry.instance.model_copy(update=columns)

    async def _commit(
        self,
        caller: Caller,
        instance_id: str,
        kind: str,
        change: Callable[[Connection], None],
        detail: str = "",
    ) -> None:
        """A change with its event and its line in the audit; `detail` holds no secret."""

        def unit(conn: Connection) -> None:
            change(conn)
            self._events.record(conn, kind, instance_id=instance_id)
            audit.add(
                conn,
                at=to_ms(self._clock.now()),
                actor=caller.actor,
                client=caller.client,
                action=kind,
                instance_id=instance_id,
                outcome="done",
                detail=detail,
            )

        await self._events.write(unit)

    async def _rebuild(self, entry: Entry) -> None:
        await self._supervisor.disconnect(entry)
        entry.built = None
        self._follow(entry)

    def _follow(self, entry: Entry) -> None:
        """Run it where that is wanted."""
        if entry.instance.wanted == "connected":
            self._supervisor.connect(entry)
        else:
            self._supervisor.report(entry, Health(lifecycle=Lifecycle.STOPPED))

    def _living(self, caller: Caller, ref: str) -> Entry:
        entry = self._registry.resolve(caller, ref)
        if entry.removed:
            raise NotConnected("This instance was removed.", "Set it up again under a new name.")
        return entry


def _told(columns: Mapping[str, object]) -> str:
    """What was chosen, for the audit: `confirm never, read_only True`."""
    return ", ".join(f"{name} {value}" for name, value in columns.items())


def _require_free(conn: Connection, name: str) -> None:
    if rows.taken(conn, name):
        raise Conflict("An instance of this name exists.", "Take another name.")


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
