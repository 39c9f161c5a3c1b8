"""What the fake knows: workspaces, apps, tokens, files, and what tests look at.

Everything else works on a `World`; the facade in `server.py` is one.
"""

import math
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Unpack

import anyio

from tests.fakes.slack import events
from tests.fakes.slack.channels import Channel, ChannelKind
from tests.fakes.slack.faults import Faults
from tests.fakes.slack.identifiers import Identifiers
from tests.fakes.slack.messages import Details, Message
from tests.fakes.slack.people import Json, User
from tests.fakes.slack.requests import Call

if TYPE_CHECKING:
    from tests.fakes.slack.apps import App, Bot
    from tests.fakes.slack.lines import Line
    from tests.fakes.slack.tokens import Token
    from tests.fakes.slack.workspaces import Workspace

__all__ = ["Records", "World"]

_MICROSECONDS = 1_000_000


@dataclass
class Records:
    """What tests look at."""

    calls: list[Call] = field(default_factory=list[Call])
    """Every request of a known token, refused ones too."""
    mistakes: list[str] = field(default_factory=list[str])
    """What Slack's specification or protocol does not allow, a line each."""
    unhandled: list[str] = field(default_factory=list[str])
    """Methods that the fake does not have."""
    errors: list[Exception] = field(default_factory=list[Exception])
    """Faults of the fake itself."""


Chore = Callable[[], Coroutine[None, None, None]]


class World:
    def __init__(self) -> None:
        self.workspaces: dict[str, Workspace] = {}
        self.apps: dict[str, App] = {}
        self.tokens: dict[str, Token] = {}  # by value
        self.lines: dict[str, Line] = {}  # by the app's id
        self.tickets: dict[str, App] = {}  # of sockets that were asked for
        self.identifiers = Identifiers()
        self.faults = Faults()
        self.records = Records()
        self.ack_s = 3.0
        """Until then an envelope or request must be acknowledged."""
        self.retry_waits_s: tuple[float, ...] = (0.0, 0.25, 1.25)
        """Before each repetition of an event. Really at once, after a minute, after five."""
        self._clock_us = 0
        self._last_us = 0
        self._chores, self._begun = anyio.create_memory_object_stream[Chore](math.inf)

    @property
    def url(self) -> str:
        """Where the fake listens."""
        raise NotImplementedError

    def soon(self, chore: Chore) -> None:
        """It runs beside everything else; fixtures without an event loop may ask for it too."""
        self._chores.send_nowait(chore)

    async def work(self) -> None:
        """Runs what `soon` was asked for, as long as the fake is there."""
        async with anyio.create_task_group() as tasks, self._begun, self._chores:
            async for chore in self._begun:
                tasks.start_soon(chore)

    def now(self) -> int:
        return (time.time_ns() // 1000 + self._clock_us) // _MICROSECONDS

    def pass_time(self, seconds: float) -> None:
        """What happened before is so much older."""
        self._clock_us += int(seconds * _MICROSECONDS)

    def next_ts(self) -> str:
        """The time now as an id: no two are the same, and later ones are greater."""
        now_us = time.time_ns() // 1000 + self._clock_us
        self._last_us = max(now_us, self._last_us + 1)
        seconds, rest = divmod(self._last_us, _MICROSECONDS)
        return f"{seconds:010}.{rest:06}"

    def bots_of(self, workspace: "Workspace") -> "list[Bot]":
        return list(workspace.bots.values())

    def new_channel(
        self, workspace: "Workspace", kind: ChannelKind, name: str, *members: User
    ) -> Channel:
        """Nobody is told; the first member made it."""
        prefix = "D" if kind == "im" else "C"
        creator = members[0] if members else None
        channel = Channel(self.identifiers.new(prefix), kind, workspace, name, creator, self.now())
        channel.members = {each.id: each for each in members}
        workspace.channels[channel.id] = channel
        return channel

    def direct(self, *members: User) -> Channel:
        """The direct message of these people, whether or not anybody wrote there."""
        workspace = self.workspaces[members[0].team_id]
        wanted = {each.id for each in members}
        for channel in workspace.channels.values():
            if channel.is_direct and channel.members.keys() == wanted:
                return channel
        if len(wanted) <= 2:
            return self.new_channel(workspace, "im", "", *members)
        names = "--".join(sorted(each.name for each in members))
        return self.new_channel(workspace, "mpim", f"mpdm-{names}-1", *members)

    def post(
        self,
        channel: Channel,
        text: str,
        user: User | None = None,
        thread_ts: str = "",
        **details: Unpack[Details],
    ) -> Message:
        """A new message stands in the conversation; nobody is told yet."""
        message = Message(self.next_ts(), channel, text, user, thread_ts, **details)
        channel.messages[message.ts] = message
        channel.closed_for.clear()
        if message.bot:
            message.bot.history.append(message)
        if user:
            channel.read[user.id] = message.ts
        return message

    def announce(self, message: Message) -> None:
        """Apps hear of a message, and of being mentioned."""
        events.message_posted(self, message)

    def tell(
        self,
        workspace: "Workspace",
        name: str,
        event: Json,
        *,
        channel: Channel | None = None,
        to: "Bot | None" = None,
    ) -> None:
        """An event for whom it concerns; see `events.tell`."""
        events.tell(self, workspace, name, event, channel=channel, to=to)
