"""Calls of one running account: not before Slack wants them, its refusals in our words."""

from collections.abc import AsyncGenerator, Mapping

import anyio

from messengers.errors import MessengersError, PlatformRefused
from messengers.providers.slack.failures import DEAD, told
from messengers.providers.slack.pace import Pace
from messengers.providers.slack.wire import Json, Refused, Wire, as_object

__all__ = ["Calls"]

_PAGE = 200
_MOST_PAGES = 50
"""Of a list: ten thousand entries, and no cursor that leads round and round."""


class Calls:
    """What an account asks of Slack while it runs."""

    def __init__(self, wire: Wire, pace: Pace) -> None:
        self.wire = wire
        self._pace = pace
        self.doubted = anyio.Event()
        """Somebody has reason to ask whether the token still holds."""

    async def ask(
        self, method: str, /, *, changes: bool = False, bucket: str = "", **arguments: object
    ) -> Json:
        """The answer to one call, or its failure in the product's words.

        `changes`: without an answer it is in doubt whether it happened. `bucket`: what of the
        method has an allowance of its own.
        """
        with told(changes=changes):
            return await self.tried(method, arguments, bucket)

    async def tried(self, method: str, arguments: Mapping[str, object], bucket: str = "") -> Json:
        """The same. Raises what the wire raises, and RateLimited before it asks."""
        what = f"{method} {bucket}"
        self._pace.require(what)
        try:
            return await self.wire.ask(method, arguments)
        except Refused as exc:
            if exc.retry_after_s:
                self._pace.later(what, exc.retry_after_s)
            if exc.why in DEAD:
                self.doubted.set()
            raise

    async def known(self, method: str, part: str, /, **arguments: object) -> Json | None:
        """What a question tells; None where Slack does not say, whatever the reason."""
        try:
            with told(changes=False):
                return as_object((await self.tried(method, arguments)).get(part)) or None
        except MessengersError:
            return None

    async def pages(
        self, method: str, part: str, /, limit: int = _PAGE, **arguments: object
    ) -> AsyncGenerator[Json | str]:
        """Everything in a list, page by page."""
        cursor = ""
        for _ in range(_MOST_PAGES):
            asked = {**arguments, "limit": limit, "cursor": cursor or None}
            with told(changes=False):
                answer = await self.tried(method, asked)
            for each in answer.get(part, ()):
                yield each
            cursor = str(as_object(answer.get("response_metadata")).get("next_cursor") or "")
            if not cursor:
                return
        raise PlatformRefused("Slack's list has no end.")
