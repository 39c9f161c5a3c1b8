"""The instances in memory: who they are, how they fare, and their providers once built.

The store is the truth; this map follows each commit and answers without asking it. Removed
instances stay, under their freed name, for as long as their messages do.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import anyio.to_thread
import orjson
from pydantic import BaseModel

from messengers.clock import Clock, from_ms
from messengers.core.address import Address
from messengers.core.callers import Caller
from messengers.core.credentials import plain, read
from messengers.errors import MessengersError, NotConnected, NotFound
from messengers.guarded import Guard
from messengers.models import Health, Instance, Lifecycle, UserAction
from messengers.providers.base import Provider, ProviderContext, ProviderInfo
from messengers.providers.catalog import Catalog
from messengers.store import Store
from messengers.store import instances as rows
from messengers.store.rows import Row, load_json

__all__ = ["CHOICES", "Entry", "Registry"]

CHOICES = frozenset(
    {
        *("pacing", "on_unknown", "quiet_hours", "retention_days", "dm_policy", "group_policy"),
        *("sends_per_hour", "sends_per_day", "new_recipients_per_day"),
    }
)
"""Fields of an instance that stand among its policies."""
_PROBLEMS = 20


@dataclass(slots=True, eq=False)
class Entry:
    """One instance as this process knows it."""

    instance: Instance
    info: ProviderInfo | None
    """None when its provider is not installed."""
    config: BaseModel | None
    """None when it is removed, or no longer fits what the provider wants."""
    endpoints: Mapping[str, str]
    removed: bool = False
    purging: bool = False
    """An earlier process began to erase it."""
    policies: Mapping[str, object] = field(default_factory=dict[str, object])
    """What the owner chose for it; of the rest the provider's advice and our defaults hold."""
    trouble: str = ""
    """Why it cannot be built, where the provider or the configuration is missing."""
    health: Health = field(default_factory=lambda: Health(lifecycle=Lifecycle.CREATED))
    problems: deque[str] = field(default_factory=lambda: deque(maxlen=_PROBLEMS))
    """The last faults, redacted, oldest first."""
    built: Provider | None = None
    running: bool = False
    """Whether the built provider's `run` is under way."""


class Registry:
    """Finds instances and builds their providers."""

    def __init__(
        self, store: Store, catalog: Catalog, clock: Clock, address: Address, guard: Guard
    ) -> None:
        self._store = store
        self._clock = clock
        self._address = address
        self._guard = guard
        self._entries: dict[str, Entry] = {}
        self._ids: dict[str, str] = {}
        self.catalog = catalog

    async def load(self) -> None:
        """Read all instances; the engines of the wanted ones are imported side by side."""
        sealed: dict[str, dict[str, bytes]] = {}
        for row in await self._store.rows(rows.credentials):
            sealed.setdefault(row["instance_id"], {})[row["field"]] = bytes(row["ciphertext"])
        for row in await self._store.rows(rows.every):
            self.put(self._entry(row, sealed.get(row["id"], {})))
        await self.refresh_history()
        async with anyio.create_task_group() as tasks:
            for entry in self.entries():
                if entry.instance.wanted == "connected" and not entry.removed:
                    tasks.start_soon(self._warm, entry)

    async def _warm(self, entry: Entry) -> None:
        try:
            await self.prepare(entry)
        except MessengersError as exc:
            entry.problems.append(str(exc))

    async def refresh_history(self) -> None:
        """Learn since when each instance has messages."""
        for row in await self._store.rows(rows.oldest):
            if row["sent_at"] is not None:
                self.heard(row["instance_id"], from_ms(row["sent_at"]))

    def heard(self, instance_id: str, sent_at: datetime) -> None:
        """A message of this time is stored; the instance may have been purged meanwhile."""
        entry = self._entries.get(instance_id)
        if entry is None:
            return
        since = entry.instance.history_since
        if since is None or sent_at < since:
            entry.instance = entry.instance.model_copy(update={"history_since": sent_at})

    def forget_history(self, instance_id: str) -> None:
        """Its oldest messages were removed: since when it has some is to be learnt anew."""
        entry = self.entry(instance_id)
        entry.instance = entry.instance.model_copy(update={"history_since": None})

    def _entry(self, row: Row, sealed: Mapping[str, bytes]) -> Entry:
        health = Health(lifecycle=Lifecycle.STOPPED)
        info, config, trouble = None, None, ""
        try:
            info = self.catalog.find(row["provider"])
            if row["deleted_at"] is None:
                config = read(info.config, self._opened(row["id"], sealed))
        except MessengersError as exc:
            action = UserAction.FIX_CREDENTIALS if info else UserAction.UPGRADE
            trouble = str(exc)
            health = Health(lifecycle=Lifecycle.ERROR, user_action=action, reason=trouble)
        policies = load_json(row["policies"], {})
        chosen = {"pacing": info.pacing if info else "off", **policies}
        chosen = {name: chosen[name] for name in CHOICES & chosen.keys()}
        return Entry(
            rows.instance_of(row).model_copy(update=chosen),
            info,
            config,
            rows.endpoints_of(row),
            removed=row["deleted_at"] is not None,
            purging=bool(policies.get("purge")),
            policies=policies,
            trouble=trouble,
            health=health,
        )

    def seal(self, instance_id: str, config: BaseModel) -> dict[str, bytes]:
        """Every field of a config encrypted by itself, bound to its instance and name."""
        return {
            name: self._store.cipher.seal("credential", instance_id, name, orjson.dumps(value))
            for name, value in plain(config).items()
        }

    def _opened(self, instance_id: str, sealed: Mapping[str, bytes]) -> dict[str, object]:
        return {
            name: orjson.loads(self._store.cipher.open("credential", instance_id, name, blob))
            for name, blob in sealed.items()
        }

    def entries(self) -> tuple[Entry, ...]:
        """All, removed ones included, oldest first."""
        return tuple(self._entries.values())

    def entry(self, instance_id: str) -> Entry:
        """By id. Raises NotFound."""
        if instance_id not in self._entries:
            raise NotFound("No such instance.", "list_instances shows which there are.")
        return self._entries[instance_id]

    def put(self, entry: Entry) -> None:
        """Add one, or follow a change of its name."""
        self._ids = {name: id_ for name, id_ in self._ids.items() if id_ != entry.instance.id}
        self._entries[entry.instance.id] = entry
        self._ids[entry.instance.name] = entry.instance.id

    def drop(self, instance_id: str) -> None:
        """Forget one whose rows are gone."""
        entry = self._entries.pop(instance_id, None)
        if entry is not None:
            self._ids.pop(entry.instance.name, None)

    def resolve(self, caller: Caller, ref: str) -> Entry:
        """By name or id, among what the caller may see.

        Raises:
            NotFound: none of that name; those that the caller sees are named.
        """
        text = ref.strip()
        found = self._entries.get(self._ids.get(text, text))
        if found is not None and caller.sees(found.instance.id):
            return found
        names = [
            entry.instance.name
            for entry in self.entries()
            if caller.sees(entry.instance.id) and not entry.removed
        ]
        known = f"There are: {', '.join(names[:20])}." if names else "There is none yet."
        raise NotFound("No such instance.", known)

    def by_name(self, name: str) -> Entry:
        """By its exact name. Raises NotFound."""
        return self.entry(self._ids.get(name, ""))

    def name_of(self, instance_id: str) -> str:
        """The name, '' when there is no such instance any more."""
        entry = self._entries.get(instance_id)
        return entry.instance.name if entry else ""

    def is_taken(self, name: str) -> bool:
        """Whether an instance has this name."""
        return name in self._ids

    async def prepare(self, entry: Entry) -> Provider:
        """The entry's provider; its engine is imported in a thread."""
        if entry.built is None and entry.info is not None:
            await anyio.to_thread.run_sync(self.catalog.provider_class, entry.info)
        return self.build(entry)

    def build(self, entry: Entry) -> Provider:
        """The entry's provider, built once until its configuration changes.

        Raises:
            NotConnected: it is removed, or its provider or configuration is missing.
        """
        if entry.built is not None:
            return entry.built
        if entry.removed:
            raise NotConnected("This instance was removed.", "Its messages can still be read.")
        if entry.info is None or entry.config is None:
            raise NotConnected("This instance cannot be started.", entry.trouble)
        provider = self.catalog.provider_class(entry.info)
        instance = entry.instance
        entry.built = provider(
            ProviderContext(
                instance_id=instance.id,
                instance_name=instance.name,
                config=entry.config,
                endpoints=entry.endpoints,
                directory=self._store.home / "instances" / str(UUID(instance.id)),
                clock=self._clock,
                webhook_url=self._address.webhook(instance.id),
                guard=self._guard,
            )
        )
        return entry.built
