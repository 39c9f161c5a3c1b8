"""`/health`: whether it works, for whoever asks. Nothing else: no counts, names or versions."""

import os

from sqlalchemy import literal, select
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from messengers.core.core import Core
from messengers.errors import StorageUnavailable

__all__ = ["is_well", "routes"]

_SPARE_BYTES = 4 * 1024 * 1024
"""With less room than this the next burst of messages would not fit."""
_PROBE = select(literal(1))


def routes(core: Core) -> list[Route]:
    """`/health`, open to everyone."""

    async def health(_: Request) -> Response:
        well = await is_well(core)
        body = {"status": "ok" if well else "degraded"}
        return JSONResponse(body, 200 if well else 503, {"Cache-Control": "no-store"})

    return [Route("/health", health, methods=["GET"])]


async def is_well(core: Core) -> bool:
    """Whether messages can be kept: the store answers, and its disk takes more."""
    try:
        await core.store.row(_PROBE)
        takes_more = await core.store.takes_more()
        room = os.statvfs(core.store.home)
    except (StorageUnavailable, OSError):
        return False
    writable = os.access(core.store.home, os.W_OK) and not core.store.damaged
    return takes_more and writable and room.f_bavail * room.f_frsize >= _SPARE_BYTES
