"""What leaves as one or later, and who is not written to in bulk."""

from starlette.requests import Request
from starlette.routing import Route

from messengers.core.batch_views import Action
from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.web.control.exchange import Question, answered, read, ref_of

__all__ = ["routes"]


class Move(Question):
    """Pause it, let it go on, or end it."""

    action: Action


class OptOutOf(Question):
    """Somebody, and of which instance; empty: of all."""

    who: str
    instance: str = ""


def routes(core: Core) -> list[Route]:
    """`/batches` and `/opt-outs`."""
    owner = _Owner(core)
    return [
        Route("/batches", answered(owner.list), methods=["GET"]),
        Route("/batches/{ref}", answered(owner.show), methods=["GET"]),
        Route("/batches/{ref}", answered(owner.move), methods=["POST"]),
        Route("/opt-outs", answered(owner.opt_outs), methods=["GET"]),
        Route("/opt-outs", answered(owner.opt_out), methods=["POST"]),
        Route("/opt-outs", answered(owner.opt_in), methods=["DELETE"]),
    ]


class _Owner:
    def __init__(self, core: Core) -> None:
        self._core = core

    async def list(self, _: Request) -> object:
        """What waits for its time, then the last bulk sends."""
        waiting = await self._core.batches.list(OWNER, scheduled=True, limit=100)
        bulk = await self._core.batches.list(OWNER, limit=100)
        return list({each.id: each for each in (*waiting, *bulk)}.values())

    async def show(self, request: Request) -> object:
        return await self._core.batches.get(OWNER, ref_of(request))

    async def move(self, request: Request) -> object:
        asked = await read(request, Move)
        return await self._core.batches.control(OWNER, ref_of(request), asked.action)

    async def opt_outs(self, _: Request) -> object:
        return await self._core.opt_outs.list(OWNER)

    async def opt_out(self, request: Request) -> object:
        asked = await read(request, OptOutOf)
        return await self._core.opt_outs.add(OWNER, asked.who, asked.instance)

    async def opt_in(self, request: Request) -> object:
        asked = await read(request, OptOutOf)
        return await self._core.opt_outs.remove(OWNER, asked.who, asked.instance)
