"""Who is heard and who may be written to, for the owner."""

from pydantic import Field
from starlette.requests import Request
from starlette.routing import Route

from messengers.core.access_views import Direction, Effect
from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.core.rulebook import MOST_DAYS, NewRule
from messengers.errors import InvalidInput
from messengers.models import DmPolicy, GroupPolicy
from messengers.web.control.exchange import Question, answered, read, ref_of

__all__ = ["routes"]

_SHOWN = 50
_SHOWN_MAX = 500


class RuleOf(Question):
    """A rule to make; None is what is usual."""

    effect: Effect
    who: str
    direction: Direction | None = None
    instance: str = ""
    country: str = ""
    priority: int = 0
    note: str = ""
    days: float = Field(default=0, ge=0, le=MOST_DAYS)
    """0: for good."""


class Who(Question):
    """Somebody to ask the rules about."""

    who: str
    instance: str = ""
    country: str = ""


class Policy(Question):
    """Who is heard where no rule says it; None stays as it is."""

    dm: DmPolicy | None = None
    group: GroupPolicy | None = None


def routes(core: Core) -> list[Route]:
    """`/access`."""
    owner = _Owner(core)
    return [
        Route("/access/rules", answered(owner.list), methods=["GET"]),
        Route("/access/rules", answered(owner.add), methods=["POST"]),
        Route("/access/rules/{ref}", answered(owner.remove), methods=["DELETE"]),
        Route("/access/policy/{ref}", answered(owner.policy), methods=["PUT"]),
        Route("/access/pairings", answered(owner.pairings), methods=["GET"]),
        Route("/access/pairings/{ref}", answered(owner.let_in), methods=["POST"]),
        Route("/access/check", answered(owner.check), methods=["POST"]),
        Route("/access/withheld", answered(owner.withheld), methods=["GET"]),
    ]


class _Owner:
    def __init__(self, core: Core) -> None:
        self._core = core
        self._book = core.rulebook

    async def list(self, _: Request) -> object:
        return self._book.list(OWNER)

    async def add(self, request: Request) -> object:
        asked = await read(request, RuleOf)
        rule = await self._book.read(OWNER, NewRule(**asked.model_dump(exclude={"days"})))
        return await self._book.add(OWNER, rule, asked.days)

    async def remove(self, request: Request) -> object:
        return await self._book.remove(OWNER, ref_of(request))

    async def policy(self, request: Request) -> object:
        asked = await read(request, Policy)
        return await self._book.set_policy(OWNER, ref_of(request), asked.dm, asked.group)

    async def pairings(self, _: Request) -> object:
        return await self._core.pairings.waiting(OWNER)

    async def let_in(self, request: Request) -> object:
        return await self._core.pairings.approve(OWNER, ref_of(request))

    async def check(self, request: Request) -> object:
        asked = await read(request, Who)
        return await self._book.explain(OWNER, asked.who, asked.instance, asked.country)

    async def withheld(self, request: Request) -> object:
        limit = request.query_params.get("limit", str(_SHOWN))
        if not limit.isdecimal():
            raise InvalidInput(f"limit must be from 1 to {_SHOWN_MAX}.")
        return await self._core.judging.withheld(OWNER, int(limit[:9]))
