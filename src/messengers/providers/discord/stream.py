"""Receiving: one gateway session that goes on over drops, restarts and new processes.

A session that can go on costs none of the thousand beginnings a day that Discord allows, and what
happened meanwhile comes with it. https://docs.discord.com/developers/events/gateway
"""

from typing import Any

import anyio
from aiohttp import ClientError
from discord import ConnectionClosed
from discord.gateway import ReconnectWebSocket, WebSocketClosure

from messengers.clock import Clock
from messengers.errors import PlatformRefused, RateLimited, Unreachable
from messengers.providers.base import Sink
from messengers.providers.discord.failures import BAD_TOKEN, told
from messengers.providers.discord.gateway import Line, opened
from messengers.providers.discord.intake import Intake
from messengers.providers.discord.memory import Memory
from messengers.providers.discord.missed import Missed
from messengers.providers.discord.rooms import Rooms
from messengers.providers.discord.states import connected
from messengers.providers.discord.wire import Wire

__all__ = ["Stream"]

_BEGIN_EVERY_S = 5.0
"""Sessions of one token: faster ones are refused."""
_TELL_EVERY_S = 15.0
_BRIEF, _LONG_S = 3, 10.0
"""After so many connections that lived no longer whoever runs this waits: sessions are counted."""
_BAD_TOKEN, _NO_INTENT = 4004, 4014
_UNREADABLE = (ValueError, LookupError, TypeError, AttributeError)
_LOST = (OSError, ClientError, WebSocketClosure, TimeoutError)


class Stream:
    """Receives for one bot until it is cancelled."""

    def __init__(
        self,
        wire: Wire,
        intake: Intake,
        sink: Sink,
        memory: Memory,
        rooms: Rooms,
        missed: Missed,
        clock: Clock,
        presses_at: str,
    ) -> None:
        self._wire = wire
        self._intake = intake
        self._sink = sink
        self._memory = memory
        self._rooms = rooms
        self._missed = missed
        self._clock = clock
        self._presses_at = presses_at
        self._is_up = False
        self._told_at = 0.0

    async def follow(self) -> None:
        """Receive. Raises BadCredentials, RateLimited or Unreachable when that is over."""
        brief = 0
        while brief < _BRIEF:
            self._is_up, began_at = False, self._clock.monotonic_s()
            try:
                await self._one()
            except ReconnectWebSocket as exc:
                if not exc.resume:
                    self._memory.over()
            except ConnectionClosed as exc:
                self._sent_away(exc.code)
            except _UNREADABLE as exc:
                self._memory.over()  # the same would come again
                raise Unreachable("Discord's gateway said what cannot be read.") from exc
            except _LOST as exc:
                if not self._is_up:
                    raise Unreachable("Discord's gateway cannot be reached.") from exc
            lived_s = self._clock.monotonic_s() - began_at
            brief = 0 if self._is_up and lived_s > _LONG_S else brief + 1
        raise Unreachable("Discord's gateway ends each connection at once.")

    async def _one(self) -> None:
        """One connection, until it ends."""
        line = await self._line()
        try:
            while True:
                await line.poll_event()
        finally:
            with anyio.CancelScope(shield=True):
                await line.close()

    async def _line(self) -> Line:
        session = self._memory.session
        if session is not None:
            known = (str(session["id"]), int(session["seq"]))
            return await opened(self._wire, str(session["url"]), self._take, self._beat, known)
        with told(changes=False):
            about: dict[str, Any] = await self._wire.ask("GET", "/gateway/bot")
        allowed = about["session_start_limit"]
        if int(allowed["remaining"]) < 1:
            raise RateLimited(
                "Discord lets this bot begin no more sessions today.",
                retry_after_s=int(allowed["reset_after"]) / 1000,
            )
        early_s = self._memory.begun_at + _BEGIN_EVERY_S - self._clock.monotonic_s()
        await anyio.sleep(max(early_s, 0))
        line = await opened(self._wire, str(about["url"]), self._take, self._beat)
        self._memory.begun_at = self._clock.monotonic_s()
        return line

    def _sent_away(self, code: int) -> None:
        """For good, at least as things are."""
        self._memory.over()
        if code == _BAD_TOKEN:
            raise BAD_TOKEN
        intents = self._wire.intents
        if code == _NO_INTENT and (intents.message_content or intents.members):
            # It was switched off since the bot was asked about.
            intents.message_content = intents.members = False
            return
        raise PlatformRefused(f"Discord's gateway refused the bot ({code}).", "It is tried again.")

    async def _take(self, event: str, about: Any, line: Line) -> None:  # noqa: ANN401 - any JSON
        """One event, durable when this returns."""
        seq = line.sequence or 0
        if event == "READY":
            self._rooms.forget()
            url, intents = str(about["resume_gateway_url"]), self._wire.intents.value
            self._memory.began(str(about["session_id"]), url, seq, intents)
            self._missed.begin(str(each["id"]) for each in about["guilds"])
            self._up()
        elif event == "RESUMED":
            self._up()
        else:
            await self._intake.take(event, about, f"{line.session_id}:{seq}")
            if event == "GUILD_CREATE":
                self._missed.look()
        self._memory.heard(seq)

    def _up(self) -> None:
        self._is_up = True
        self._told_at = 0.0
        self._beat()

    def _beat(self) -> None:
        """Anything came: the connection lives."""
        now = self._clock.monotonic_s()
        if not self._is_up or (self._told_at and now - self._told_at < _TELL_EVERY_S):
            return
        self._told_at = now
        health = connected(
            self._memory.bot,
            self._missed.guilds,
            self._presses_at,
            reads=self._wire.intents.message_content,
            members=self._wire.intents.members,
        )
        self._sink.report(health.model_copy(update={"last_transport_at": self._clock.now()}))
