"""What every tool gets: the core, who asks, and the owner's zone."""

from dataclasses import dataclass
from typing import Any

from mcp.server.mcpserver import Context

from messengers.core.callers import Caller
from messengers.core.core import Core
from messengers.mcp_server.times import Zone
from messengers.mcp_server.transports import Surface, caller_of

__all__ = ["Asking", "Ctx", "asking"]

Ctx = Context[Surface, Any]


@dataclass(frozen=True, slots=True)
class Asking:
    """One call."""

    core: Core
    caller: Caller
    zone: Zone


def asking(ctx: Ctx) -> Asking:
    """The call behind a tool's context."""
    request = ctx.request_context
    core = request.lifespan_context.core
    zone = Zone(core.settings.zone, core.clock.now())
    return Asking(core, caller_of(request), zone)
