"""The long poll: updates are asked for, stored, and only then confirmed with the next question."""

from collections.abc import Callable
from typing import Any

import anyio
from aiogram.methods import TelegramMethod

from messengers.clock import Clock
from messengers.errors import Unreachable
from messengers.models import Health
from messengers.providers.base import Sink
from messengers.providers.telegram.failures import failure_of
from messengers.providers.telegram.incoming import UPDATES
from messengers.providers.telegram.intake import Intake, number_of
from messengers.providers.telegram.states import CONFLICT, webhook_conflict
from messengers.providers.telegram.webhook import remove_webhook, webhook_info
from messengers.providers.telegram.wire import Refused, Unanswered, Wire

__all__ = ["Stream"]

POLL_S = 50
"""How long Telegram holds a question that has no answer yet."""
_GRACE_S = 10.0
_LIMIT = 100
_CONFLICT_PAUSES_S = (5.0, 15.0, 60.0)
"""Another program polls the same bot: each question of ours ends one of its own."""
_TROUBLED_PAUSE_S = 5.0
_TOO_SOON_S = 1.0
"""A held question without an answer takes longer; some servers of others do not hold any."""


class _GetUpdates(TelegramMethod[list[Any]]):
    """getUpdates without aiogram's types: an update that it cannot read spoils no other."""

    __returning__ = list[Any]
    __api_method__ = "getUpdates"

    offset: int | None = None
    limit: int = _LIMIT
    timeout: int
    allowed_updates: list[str]


class Stream:
    """Receives for one bot until it is cancelled."""

    def __init__(
        self, wire: Wire, intake: Intake, sink: Sink, clock: Clock, connected: Health
    ) -> None:
        self._wire = wire
        self._intake = intake
        self._sink = sink
        self._clock = clock
        self._connected = connected
        self._offset: int | None = None

    async def follow(self, replaces: Callable[[str], bool]) -> None:
        """Receive. Raises BadCredentials, RateLimited or Unreachable when that is over.

        `replaces` tells of a webhook's address whether it may be removed.
        """
        conflicts = 0
        hold_s = 0  # the first answer tells at once whether this bot is ours
        while True:
            asked_s = self._clock.monotonic_s()
            try:
                updates = await self._updates(hold_s)
            except Refused as exc:
                if exc.status != 409:
                    raise failure_of(exc, changes=False) from exc
                await self._settle(replaces, conflicts)
                conflicts += 1
                continue
            except Unanswered as exc:
                raise failure_of(exc, changes=False) from exc
            await self._store(updates)
            now = self._clock.now()
            self._sink.report(self._connected.model_copy(update={"last_transport_at": now}))
            if hold_s and not updates and self._clock.monotonic_s() - asked_s < _TOO_SOON_S:
                await anyio.sleep(_TOO_SOON_S)
            conflicts, hold_s = 0, POLL_S

    async def _settle(self, replaces: Callable[[str], bool], conflicts: int) -> None:
        """Wait for a moment at which the bot may be ours; longer the more often it was not."""
        freed = await self._freed(replaces)
        if not freed:
            self._sink.report(CONFLICT)
        if conflicts or not freed:
            await anyio.sleep(_CONFLICT_PAUSES_S[min(conflicts, len(_CONFLICT_PAUSES_S) - 1)])

    async def _updates(self, hold_s: int) -> list[Any]:
        method = _GetUpdates(
            offset=self._offset, timeout=hold_s, allowed_updates=[*UPDATES], limit=_LIMIT
        )
        answer = await self._wire.ask(method, hold_s + _GRACE_S)
        if not isinstance(answer, list):
            raise Unreachable("Telegram answered something that is no list of updates.")
        return answer  # pyright: ignore[reportUnknownVariableType] - any JSON

    async def _store(self, updates: list[Any]) -> None:
        """All of a batch durable, in its order, before it is confirmed."""
        async with anyio.create_task_group() as tasks:
            for update in updates:
                tasks.start_soon(self._intake.take, update)
        numbers = [number for number in map(number_of, updates) if number is not None]
        if numbers:
            self._offset = max(numbers) + 1
        elif updates:
            # Nothing to go on from: the same would come again at once.
            await anyio.sleep(_TROUBLED_PAUSE_S)

    async def _freed(self, replaces: Callable[[str], bool]) -> bool:
        """Wait until no webhook takes the updates away, or remove it; False when there is none."""
        there = False
        while True:
            info = await webhook_info(self._wire)
            if not info["url"]:
                return there
            if replaces(info["url"]):
                await remove_webhook(self._wire)
                return True
            there = True
            self._sink.report(webhook_conflict(info["url"]))
            await anyio.sleep(_CONFLICT_PAUSES_S[-1])
