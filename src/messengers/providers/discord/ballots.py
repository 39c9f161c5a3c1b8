"""Votes in polls: Discord tells that somebody voted, and the poll tells how it stands then."""

import anyio

from messengers.providers.discord.intake import Intake
from messengers.providers.discord.wire import Refused, Unanswered, Wire

__all__ = ["Ballots"]

_GATHER_S = 1.0
"""Many votes at once are one look."""


class Ballots:
    """Polls that somebody voted in, to be looked at."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._voted: dict[tuple[str, str], None] = {}
        self._any = anyio.Event()

    def voted(self, channel: str, message: str) -> None:
        """Somebody voted there."""
        self._voted[channel, message] = None
        self._any.set()

    async def count(self, intake: Intake) -> None:
        """Look at each in turn, until cancelled."""
        while True:
            await self._any.wait()
            await anyio.sleep(_GATHER_S)
            self._any = anyio.Event()
            polls, self._voted = self._voted, {}
            for channel, message in polls:
                await self._look(intake, channel, message)

    async def _look(self, intake: Intake, channel: str, message: str) -> None:
        try:
            found = await self._wire.ask(
                "GET",
                "/channels/{channel_id}/messages/{message_id}",
                channel_id=channel,
                message_id=message,
            )
        except (Refused, Unanswered):
            return  # the next vote, or the end of the poll, tells it
        counts = [each["count"] for each in found["poll"]["results"]["answer_counts"]]
        total = "-".join(map(str, counts))
        told = {**found, "edited_timestamp": None}
        await intake.take("MESSAGE_UPDATE", told, f"poll:{message}:{total}")
