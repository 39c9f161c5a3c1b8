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
    form_s: float


def asking(ctx: Ctx) -> Asking:
    """The call behind a tool's context."""
    request = ctx.request_context
    surface = request.lifespan_context
    zone = Zone(surface.core.settings.zone, surface.core.clock.now())
    return Asking(surface.core, caller_of(request), zone, surface.form_s)
