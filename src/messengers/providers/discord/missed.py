"""What was written while no gateway session went on: fetched, channel by channel, once.

Ids grow with time everywhere in Discord, so the newest stored one tells what is missing in each
channel. Edits, deletions and reactions of that time are not told.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import anyio

from messengers.providers.discord.intake import Intake
from messengers.providers.discord.memory import Memory
from messengers.providers.discord.rooms import Rooms
from messengers.providers.discord.wire import Refused, Unanswered, Wire

if TYPE_CHECKING:
    from messengers.providers.discord.fields import Json

__all__ = ["Missed"]

_PAGE = 100
_PAGES = 10
"""Of one channel: what is older is left where it is."""
_DIRECTS = 50
"""The direct chats that are looked into, latest first: of those Discord tells nothing by itself."""
_GATHER_S = 5.0
"""How long servers may take to arrive."""
_AGAIN_S = 30.0


class Missed:
    """Watches a session begin, then fetches."""

    def __init__(self, wire: Wire, memory: Memory, rooms: Rooms) -> None:
        self._wire = wire
        self._memory = memory
        self._rooms = rooms
        self._expected: set[str] = set()
        self._begun = anyio.Event()
        self._all_here = anyio.Event()

    @property
    def guilds(self) -> int:
        """How many servers the bot is in."""
        return len(self._expected | self._rooms.guilds.keys())

    def begin(self, guilds: Iterable[str]) -> None:
        """A new session; these servers will be told of."""
        self._expected = {*guilds}
        self._all_here = anyio.Event()
        self._begun.set()
        if not self._expected:
            self._all_here.set()

    def look(self) -> None:
        """A server was told of."""
        self._expected -= self._rooms.guilds.keys()
        if not self._expected:
            self._all_here.set()

    async def fetch(self, intake: Intake) -> None:
        """Each time a session begins, what is owed; until cancelled."""
        if self._memory.owed:
            self._begun.set()
        while True:
            await self._begun.wait()
            self._begun = anyio.Event()
            with anyio.move_on_after(_GATHER_S):
                await self._all_here.wait()
            while not await self._paid(intake):  # noqa: ASYNC110 - Discord says when by itself
                await anyio.sleep(_AGAIN_S)

    async def _paid(self, intake: Intake) -> bool:
        """Whether nothing is owed any more."""
        since = self._memory.owed
        if since:
            for channel in [*self._channels(since)]:
                if not await self._of(intake, channel, since):
                    return False
            self._memory.paid()
        return True

    def _channels(self, since: int) -> Iterator[str]:
        for room in self._rooms.rooms.values():
            if room.is_chat and room.last > since:
                yield room.id
        yield from [*self._memory.directs][-_DIRECTS:]

    async def _of(self, intake: Intake, channel: str, since: int) -> bool:
        """Whether a channel was looked through; what the bot may not read has nothing for it."""
        room = self._rooms.rooms.get(channel)
        for _ in range(_PAGES):
            try:
                page: list[Json] = await self._wire.ask(
                    "GET",
                    "/channels/{channel_id}/messages",
                    params={"after": str(since), "limit": _PAGE},
                    channel_id=channel,
                )
            except Refused as exc:
                return exc.status in (403, 404)
            except Unanswered:
                return False
            async with anyio.create_task_group() as tasks:
                for message in sorted(page, key=lambda each: int(each["id"])):
                    since = int(message["id"])
                    whole = {**message, "guild_id": room.guild} if room else message
                    tasks.start_soon(intake.take, "MESSAGE_CREATE", whole, "")
            if len(page) < _PAGE:
                break
        return True
