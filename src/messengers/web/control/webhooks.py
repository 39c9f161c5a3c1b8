"""The owner's endpoints: where others are told what happens."""

from pydantic import AwareDatetime
from starlette.requests import Request
from starlette.routing import Route

from messengers.core.core import Core
from messengers.core.event_types import Kinds
from messengers.errors import InvalidInput
from messengers.urls import SafeUrl
from messengers.web.control.exchange import Question, answered, read, ref_of

__all__ = ["routes"]


class NewWebhook(Question):
    """An endpoint to add."""

    name: str
    url: SafeUrl
    instance: str = ""
    types: tuple[str, ...] = ()
    chats: Kinds = "all"
    numbers: tuple[str, ...] = ()


class Replay(Question):
    """What to deliver again: one delivery, the log since a time, or else what failed."""

    delivery: str = ""
    since: AwareDatetime | None = None


class Enable(Question):
    """Whether what waits is left out."""

    skip: bool = False


def routes(core: Core) -> list[Route]:
    """`/webhooks`."""
    owner = _Owner(core)
    one = "/webhooks/{ref}"
    return [
        Route("/webhooks", answered(owner.list), methods=["GET"]),
        Route("/webhooks", answered(owner.add), methods=["POST"]),
        Route(one, answered(owner.show), methods=["GET"]),
        Route(one, answered(owner.remove), methods=["DELETE"]),
        Route(f"{one}/log", answered(owner.log), methods=["GET"]),
        Route(f"{one}/test", answered(owner.test), methods=["POST"]),
        Route(f"{one}/replay", answered(owner.replay), methods=["POST"]),
        Route(f"{one}/rotate", answered(owner.rotate), methods=["POST"]),
        Route(f"{one}/enable", answered(owner.enable), methods=["POST"]),
        Route(f"{one}/disable", answered(owner.disable), methods=["POST"]),
    ]


class _Owner:
    def __init__(self, core: Core) -> None:
        self._webhooks = core.webhooks

    async def list(self, _: Request) -> object:
        return await self._webhooks.list()

    async def add(self, request: Request) -> object:
        """With `rotate` the one answer that ever holds a secret."""
        new = await read(request, NewWebhook)
        endpoint, secret = await self._webhooks.add(
            new.name,
            new.url,
            instance=new.instance,
            types=new.types,
            chats=new.chats,
            numbers=new.numbers,
        )
        return {"endpoint": endpoint, "secret": secret}

    async def show(self, request: Request) -> object:
        return await self._webhooks.get(ref_of(request))

    async def remove(self, request: Request) -> object:
        return await self._webhooks.remove(ref_of(request))

    async def log(self, request: Request) -> object:
        failed = request.query_params.get("failed", "0")
        limit = request.query_params.get("limit", "50")
        if failed not in ("0", "1") or not limit.isdecimal():
            raise InvalidInput("failed is 0 or 1, limit a number.")
        return await self._webhooks.log(ref_of(request), failed=failed == "1", limit=int(limit[:9]))

    async def test(self, request: Request) -> object:
        return await self._webhooks.test(ref_of(request))

    async def replay(self, request: Request) -> object:
        asked = await read(request, Replay)
        if asked.delivery and asked.since:
            raise InvalidInput("It is one delivery or a time, not both.")
        count = await self._webhooks.replay(
            ref_of(request), delivery=asked.delivery, since=asked.since
        )
        return {"count": count}

    async def rotate(self, request: Request) -> object:
        ref = ref_of(request)
        secret = await self._webhooks.rotate(ref)
        return {"endpoint": await self._webhooks.get(ref), "secret": secret}

    async def enable(self, request: Request) -> object:
        asked = await read(request, Enable)
        return await self._webhooks.enable(ref_of(request), skip=asked.skip)

    async def disable(self, request: Request) -> object:
        return await self._webhooks.disable(ref_of(request))
