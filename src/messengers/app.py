"""The composition root: settings, store and core, and the edges over them, in one lifetime."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from messengers.clock import Clock
from messengers.core.core import Core, open_core
from messengers.errors import MessengersError
from messengers.mcp_server.server import build_server
from messengers.mcp_server.transports import Transports
from messengers.settings import Settings
from messengers.web import approvals, chat, events, forms, health, login, tickets, webhooks
from messengers.web.control.app import control_app
from messengers.web.middleware import Bodies, Hosts, KeyCheck, RequestLog, SecurityHeaders
from messengers.web.rates import KeyRates, PeerRates
from messengers.web.refusals import error_response, refused

if TYPE_CHECKING:
    from messengers.web.oauth import Issuer

__all__ = ["App", "open_app"]

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class App:
    """The whole product, open; who serves it where is the daemon's business."""

    core: Core
    transports: Transports
    web: Starlette
    """For TCP: pages, MCP over HTTP, health."""
    control: Starlette
    """For the control socket, and nowhere else."""


@asynccontextmanager
async def open_app(
    settings: Settings, clock: Clock | None = None, stop: Callable[[], None] = lambda: None
) -> AsyncGenerator[App]:
    """Open everything; leave it to close everything. `stop` is what the owner's stop calls.

    Raises:
        StorageUnavailable: the data directory cannot be used.
    """
    async with open_core(settings, clock) as core:
        transports = Transports(build_server(core), settings.request_max_bytes)
        async with transports.run(), _issuer(core) as issuer:
            yield App(core, transports, _web(core, transports, issuer), control_app(core, stop))


@asynccontextmanager
async def _issuer(core: Core) -> AsyncGenerator["Issuer | None"]:
    """The owner's OAuth issuer; its libraries are imported where there is one."""
    named, resource = core.settings.oauth_issuer, core.settings.oauth_resource
    if named is None or resource is None:
        yield None
        return
    from messengers.web.oauth import Issuer

    issuer = Issuer(core.settings, named, resource, core.clock)
    try:
        yield issuer
    finally:
        await issuer.aclose()


def _web(core: Core, transports: Transports, issuer: "Issuer | None") -> Starlette:
    return Starlette(
        routes=[
            *(issuer.routes if issuer else ()),
            *health.routes(core),
            *transports.routes,
            *events.routes(core),
            *tickets.routes(core),
            *chat.routes(core),
            *forms.routes(core),
            *login.routes(core),
            *approvals.routes(core),
            *webhooks.routes(core),
        ],
        middleware=[
            Middleware(RequestLog),
            Middleware(SecurityHeaders, settings=core.settings),
            Middleware(Hosts, settings=core.settings, port=lambda: core.address.port),
            Middleware(
                PeerRates, limits=core.limits, trusted_proxies=core.settings.trusted_proxies
            ),
            Middleware(KeyCheck, keys=core.keys, tickets=core.tickets, issuer=issuer),
            Middleware(KeyRates, limits=core.limits),
            Middleware(Bodies, settings=core.settings),
        ],
        exception_handlers={MessengersError: _ours, Exception: _broken},
    )


async def _ours(_: Request, error: Exception) -> Response:
    if not isinstance(error, MessengersError):
        raise error
    return error_response(error)


async def _broken(_: Request, error: Exception) -> Response:
    """What nobody expected: told to the log only."""
    _log.error("A request failed.", exc_info=error)
    return refused(500, "internal", "Something went wrong inside Messengers.", "See its log.")
