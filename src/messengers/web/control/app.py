"""The control application: the owner's routes and those of the process itself."""

import os
from collections.abc import Callable
from pathlib import Path

import structlog
from pydantic import Field
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from messengers import __version__
from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.errors import InvalidInput, MessengersError
from messengers.logs import log_file, tail
from messengers.web.control import access, batches, decisions, instances, letters, webhooks
from messengers.web.control.exchange import Question, Segments, answered, read
from messengers.web.health import is_well
from messengers.web.refusals import error_response

__all__ = ["control_app"]

_LINES = 100
_LINES_MAX = 5_000
_log = structlog.get_logger(__name__)


class Backup(Question):
    """Where a copy of the database goes; an absolute path of the owner's choice."""

    path: Path = Field()
    sessions: bool = False
    """The instances' sessions too, in an archive beside it."""


def control_app(core: Core, stop: Callable[[], None]) -> Starlette:
    """Everything that `control.sock` serves. `stop` asks the daemon to end in an orderly way."""
    process = _Process(core, stop)
    return Starlette(
        routes=[
            Route("/status", answered(process.status), methods=["GET"]),
            Route("/stop", answered(process.stop), methods=["POST"]),
            Route("/backup", answered(process.backup), methods=["POST"]),
            Route("/log", answered(process.log), methods=["GET"]),
            *instances.routes(core),
            *decisions.routes(core),
            *access.routes(core),
            *batches.routes(core),
            *letters.routes(core),
            *webhooks.routes(core),
        ],
        middleware=[Middleware(Segments)],
        exception_handlers={MessengersError: _refuse},
    )


async def _refuse(_: Request, error: Exception) -> Response:
    if not isinstance(error, MessengersError):
        raise error
    candidates = getattr(error, "candidates", ())
    return error_response(error, {"candidates": list(candidates)} if candidates else None)


class _Process:
    def __init__(self, core: Core, stop: Callable[[], None]) -> None:
        self._core = core
        self._stop = stop
        self._since = core.clock.now()

    async def status(self, _: Request) -> object:
        core = self._core
        return {
            "version": __version__,
            "pid": os.getpid(),
            "since": self._since,
            "url": core.address.local,
            "well": await is_well(core),
            "database_bytes": core.store.size_bytes(),
            "approvals_waiting": len(await core.approvals.waiting()),
            "dead_letters": await core.dead_letters.count(),
            "instances": await core.instances.list(OWNER),
            "settings": core.settings,
        }

    async def stop(self, _: Request) -> object:
        _log.info("Asked to stop.")
        self._stop()
        return {"stopping": True, "pid": os.getpid()}

    async def backup(self, request: Request) -> object:
        asked = await read(request, Backup)
        if not asked.path.is_absolute():
            raise InvalidInput("path must be absolute.")
        action = "backup.with_sessions" if asked.sessions else "backup"
        async with self._core.audit.noted(OWNER, action) as line:
            note = await self._core.store.backup(asked.path, sessions=asked.sessions)
            line.outcome = "done"
        return {"path": asked.path, "note": note}

    async def log(self, request: Request) -> object:
        asked = request.query_params.get("lines", str(_LINES))
        if not asked.isdecimal() or not 1 <= int(asked) <= _LINES_MAX:
            raise InvalidInput(f"lines must be from 1 to {_LINES_MAX}.")
        return {"lines": tail(log_file(self._core.settings.home), int(asked))}
