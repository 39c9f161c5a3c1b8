"""What only the messenger has: messages of a chat that is read, and its own search.

Nothing is fetched ahead: a chat is filled as far as somebody reads it, also where messages were
sent while nobody received here.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, from_ms, to_ms
from messengers.core.access import Access
from messengers.core.chats import chat_key
from messengers.core.events import Events
from messengers.core.happenings import Happenings
from messengers.core.instances import Instances
from messengers.errors import MessengersError, NotReady, PlatformRefused, RateLimited
from messengers.models import Chat
from messengers.providers.base import (
    FetchesHistory,
    Happening,
    HistorySeen,
    MessageSeen,
    Provider,
    SearchesHistory,
)
from messengers.store import messages

__all__ = ["Backfill"]

log = logging.getLogger(__name__)
_PATIENCE_S = 15.0
"""A reader waits no longer; he gets what is stored."""
_LEAST = 50
_MOST = 200
"""Messages asked for at once."""
_AHEAD_MS = 24 * 3600 * 1000
"""The messenger's clock may be ahead of ours."""


class Backfill:
    """Brings them into the store."""

    def __init__(self, clock: Clock, events: Events, instances: Instances, access: Access) -> None:
        self._clock = clock
        self._events = events
        self._instances = instances
        self._happenings = Happenings(events, clock, access)
        self._whole: dict[str, dict[int, int]] = {}
        """Instance → chat → the time (ms) from which on the store has all of it."""

    def connected(self, instance_id: str) -> None:
        """It receives again: what was said meanwhile may not have come."""
        self._whole.pop(instance_id, None)

    async def reach(self, chat: Chat, down_to: int, wanted: int) -> bool:
        """Fetch once of what a chat had since a time (ms), where the store may lack it.

        Whether that was so: then there may be more.
        """
        instance = self._instances.by_name(chat.instance)
        provider = self._running(instance.id)
        if not isinstance(provider, FetchesHistory):
            return False
        whole, key = self._whole.setdefault(instance.id, {}), chat_key(chat)
        begin = whole.get(key, to_ms(self._clock.now()) + _AHEAD_MS)
        if down_to >= begin:
            return False
        found = await self._fetched(provider, chat, begin, wanted)
        if found is None:
            return False
        await self._keep(instance.id, found)
        oldest = min((to_ms(each.sent_at) for each in _messages_of(found)), default=begin)
        # Stored by the millisecond: what shares it with the oldest is asked for as well.
        whole[key] = oldest + 1 if oldest + 1 < begin else 0
        return True

    async def _fetched(
        self, provider: FetchesHistory, chat: Chat, before: int, wanted: int
    ) -> Sequence[Happening] | None:
        """None where the messenger gives nothing now; no messages where it never will."""
        count = min(max(wanted, _LEAST), _MOST)
        try:
            with anyio.fail_after(_PATIENCE_S):
                return await provider.history(chat.native_id, from_ms(before), count)
        except RateLimited:
            return None
        except PlatformRefused as exc:
            log.info("older messages of %s are not to be had: %s", chat.id, exc)
            return ()
        except (MessengersError, TimeoutError) as exc:
            log.info("older messages of %s were not fetched: %s", chat.id, type(exc).__name__)
            return None

    async def matching(self, instances: Iterable[str], query: str, wanted: int) -> bool:
        """Let the messengers themselves search. Whether they had anything new."""
        new: list[bool] = []
        async with anyio.create_task_group() as tasks:
            for instance_id in instances:
                provider = self._running(instance_id)
                if isinstance(provider, SearchesHistory):
                    tasks.start_soon(self._search, instance_id, provider, query, wanted, new)
        return any(new)

    async def _search(
        self,
        instance_id: str,
        provider: SearchesHistory,
        query: str,
        wanted: int,
        new: list[bool],
    ) -> None:
        try:
            with anyio.fail_after(_PATIENCE_S):
                found = await provider.search(query, wanted)
        except (MessengersError, TimeoutError) as exc:
            log.info("%s did not search: %s", instance_id, type(exc).__name__)
            return
        new.append(await self._keep(instance_id, found))

    def _running(self, instance_id: str) -> Provider | None:
        try:
            return self._instances.provider(instance_id)
        except NotReady:
            return None

    async def _keep(self, instance_id: str, found: Sequence[Happening]) -> bool:
        """All in one unit of work. Whether a message of it was not stored before."""
        if not found:
            return False
        now = to_ms(self._clock.now())

        def unit(conn: Connection) -> bool:
            before = messages.last_id(conn)
            for happening in found:
                self._happenings.apply(conn, instance_id, happening, now)
            return messages.last_id(conn) > before

        new = await self._events.write(unit)
        for message in _messages_of(found):
            self._instances.heard(instance_id, message.sent_at)
        return new


def _messages_of(happenings: Iterable[Happening]) -> Iterator[MessageSeen]:
    for happening in happenings:
        if isinstance(happening, HistorySeen):
            yield from happening.messages
