"""Who asks: every function of the core that shows or does something takes a caller."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from messengers.core.scopes import PRESET_SCOPES, covers
from messengers.errors import Forbidden
from messengers.models import Model, Preset, Toolset

__all__ = ["OWNER", "ApiKey", "Caller"]


@dataclass(frozen=True, slots=True)
class Caller:
    """An authenticated asker and what it may see."""

    actor: str
    """`owner` (terminal), `stdio`, `local` (the local key) or an API key's id."""
    client: str = ""
    """How the client names itself: data, never trusted."""
    preset: Preset = "messenger"
    toolsets: frozenset[Toolset] = frozenset()
    scopes: frozenset[str] | None = None
    """What its key was given by name; None: what its preset holds."""
    instances: frozenset[str] | None = None
    """Ids of the instances it may see; None means all."""
    local: bool = False
    """It runs on this machine as this user and may name files."""
    rate_per_min: int | None = None
    """Requests it may make within a minute; None: as many as the setting says."""
    channel: bool = False
    """Its client asked to be woken by messages."""
    expires_at: datetime | None = None
    """When its key ends by itself."""
    generation: int = 0
    """How often its key had been made anew: what came before is over."""

    def sees(self, instance_id: str) -> bool:
        """Whether the instance exists as far as this caller is concerned."""
        return self.instances is None or instance_id in self.instances

    @property
    def granted(self) -> Collection[str]:
        """Its scopes."""
        return PRESET_SCOPES[self.preset] if self.scopes is None else self.scopes

    def may(self, scope: str) -> bool:
        """Whether its scopes cover this one."""
        return covers(self.granted, scope)

    def require_owner(self) -> None:
        """Raises Forbidden for everyone but the owner at the terminal."""
        if self.actor != OWNER.actor:
            raise Forbidden("Only the owner may do this.", "Use `messengers` in a terminal.")


OWNER = Caller("owner", preset="admin", toolsets=frozenset(get_args(Toolset)), local=True)


class ApiKey(Model):
    """A key as its owner sees it ever after: everything but the key."""

    id: str
    name: str
    prefix: str
    """The first characters, to recognise it by."""
    preset: Preset
    toolsets: tuple[Toolset, ...] = ()
    scopes: tuple[str, ...] = ()
    """What it may; empty: what its preset holds."""
    instances: tuple[str, ...] = ()
    """Ids of the instances it may see; empty means all."""
    rate_per_min: int | None = None
    """How many calls it may make within a minute; None: as many as everybody."""
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    use_count: int = 0
