"""A connection to Discord's gateway: discord.py's socket, whose events are taken in as they come.

discord.py's own parsers are replaced: they build objects, and what they cannot read ends them.
An event is taken in before the next one is read, so what the session goes on from is durable.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, cast

import anyio
import yarl
from discord.gateway import DiscordWebSocket

from messengers.providers.discord.wire import Wire

__all__ = ["Line", "Take", "opened"]

_OPEN_S = 30.0
Take = Callable[[str, Any, "Line"], Awaitable[None]]
"""Called with the name of an event, what it tells, and where it came."""


class _Heard(dict[str, Callable[[Any], None]]):
    """In place of discord.py's table of parsers: each event has one, and it only keeps it."""

    def __init__(self, take: Take, beat: Callable[[], None]) -> None:
        super().__init__()
        self.take = take
        self.beat = beat
        self.events: list[tuple[str, Any]] = []
        self.line: Line | None = None
        """The connection that is open or being opened."""

    def __missing__(self, event: str) -> Callable[[Any], None]:
        return partial(self._keep, event)

    def _keep(self, event: str, told: Any) -> None:  # noqa: ANN401 - any JSON
        self.events.append((event, told))


class Line(DiscordWebSocket):
    """One connection. `poll_event` reads what comes next and returns once it is taken in."""

    async def received_message(self, msg: Any, /) -> None:  # noqa: ANN401 - as discord.py has it
        heard = cast("_Heard", self._discord_parsers)
        heard.line = self
        await super().received_message(msg)
        heard.beat()
        while heard.events:
            event, told = heard.events[0]
            await heard.take(event, told, self)
            del heard.events[0]


async def opened(
    wire: Wire,
    url: str,
    take: Take,
    beat: Callable[[], None],
    session: "tuple[str, int] | None" = None,
) -> Line:
    """A connection that has said who it is, or which session it goes on with after which event."""
    client, heard = wire.client, _Heard(take, beat)
    client._connection.parsers = heard  # pyright: ignore[reportPrivateUsage] # noqa: SLF001 - there is no other way to leave its parsers out
    try:
        with anyio.fail_after(_OPEN_S):
            return await Line.from_client(
                client,
                initial=True,
                gateway=yarl.URL(url),
                session=session[0] if session else None,
                sequence=session[1] if session else None,
                resume=session is not None,
            )
    except BaseException:
        if heard.line is not None:
            with anyio.CancelScope(shield=True):
                await heard.line.close()
        raise
