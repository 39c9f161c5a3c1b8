"""What arrived and was not understood, for the owner."""

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route

from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.errors import InvalidInput
from messengers.web.control.exchange import WAIT_MAX_S, Question, answered, read, ref_of

__all__ = ["routes"]

_LETTERS = 20
_LETTERS_MAX = 200


class Again(Question):
    """Try again, and wait this long for what becomes of it."""

    wait_s: float = Field(default=10.0, ge=0, le=WAIT_MAX_S)


def routes(core: Core) -> list[Route]:
    """`/dead-letters`."""
    owner = _Owner(core)
    one = "/dead-letters/{ref}"
    return [
        Route("/dead-letters", answered(owner.list), methods=["GET"]),
        Route(one, answered(owner.show), methods=["GET"]),
        Route(f"{one}/replay", answered(owner.replay), methods=["POST"]),
    ]


class _Owner:
    def __init__(self, core: Core) -> None:
        self._letters = core.dead_letters

    async def list(self, request: Request) -> object:
        query = request.query_params
        limit = query.get("limit", str(_LETTERS))
        if not limit.isdecimal():
            raise InvalidInput(f"limit must be from 1 to {_LETTERS_MAX}.")
        page = await self._letters.list(
            OWNER, query.get("instance", ""), int(limit), query.get("cursor", "")
        )
        return {"items": page.items, "cursor": page.cursor}

    async def show(self, request: Request) -> object:
        return await self._letters.get(OWNER, ref_of(request))

    async def replay(self, request: Request) -> object:
        again = await read(request, Again)
        return await self._letters.replay(OWNER, ref_of(request), again.wait_s)
