"""Files had from their messengers as the messages come, where the owner wants that.

Else they wait until somebody asks for them, and so does what comes too much at once, or while
nobody listened: nothing depends on their being here.
"""

import logging
from collections import defaultdict

import anyio
from anyio.abc import TaskGroup

from messengers.core.callers import OWNER
from messengers.core.events import Events
from messengers.core.history import History
from messengers.core.media import Media
from messengers.core.transcripts import Transcripts
from messengers.errors import NotFound
from messengers.models import Message
from messengers.redaction import redact

__all__ = ["Arrivals"]

log = logging.getLogger(__name__)
_AT_ONCE = 2
"""Downloads of one instance at a time."""
_REST_S = 5.0
_MOST = 500
"""Messages whose files may wait for their turn."""


class Arrivals:
    """Follows what comes."""

    def __init__(
        self, events: Events, history: History, media: Media, transcripts: Transcripts
    ) -> None:
        self._events = events
        self._history = history
        self._media = media
        self._transcripts = transcripts
        self._turns: defaultdict[str, anyio.CapacityLimiter] = defaultdict(
            lambda: anyio.CapacityLimiter(_AT_ONCE)
        )
        self._waiting = 0

    async def work(self) -> None:
        """From now on; never returns."""
        position = await self._events.position()
        async with self._events.follow() as wakes, anyio.create_task_group() as tasks:
            while True:
                try:
                    found = await self._events.since(OWNER, position, kind="message.received")
                    for seq, event in found:
                        await self._begin(tasks, event.message)
                        position = seq
                except Exception as exc:  # noqa: BLE001 - the outermost loop; it looks again
                    log.warning("files that come rest: %s", redact(repr(exc)))
                    await anyio.sleep(_REST_S)
                    continue
                if not found:
                    await wakes.receive()

    async def _begin(self, tasks: TaskGroup, message_id: str) -> None:
        try:
            row = await self._history.row(OWNER, message_id)
        except NotFound:
            return  # removed meanwhile
        message = self._history.of_row(row)
        if message.attachments and self._waiting < _MOST:
            self._waiting += 1
            tasks.start_soon(self._take, message)

    async def _take(self, message: Message) -> None:
        try:
            async with self._turns[message.instance]:
                for index in range(len(message.attachments)):
                    content = await self._media.content(OWNER, message.id, index)
                    await self._transcripts.of(message.id, index, content)
        except Exception as exc:  # noqa: BLE001 - the outermost loop; it waits until asked for
            log.info("a file of %s was not had at once: %s", message.id, redact(repr(exc)))
        finally:
            self._waiting -= 1
