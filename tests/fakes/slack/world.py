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
from tests.fakes.slack.files import File
from tests.fakes.slack.identifiers import Identifiers
from tests.fakes.slack.limits import Limits
from tests.fakes.slack.messages import Details, Message
from tests.fakes.slack.people import Json, User
from tests.fakes.slack.requests import Call

if TYPE_CHECKING:
    from tests.fakes.slack.apps import App, Bot
    from tests.fakes.slack.lines import Line
    from tests.fakes.slack.tokens import Token
    from tests.fakes.slack.workspaces import Workspace

__all__ = ["Hook", "Records", "Scheduled", "Trigger", "World"]

_MICROSECONDS = 1_000_000


@dataclass(frozen=True)
class Scheduled:
    """A message for later."""

    id: str
    channel: Channel
    post_at: int
    made: int
    text: str
    token: "Token"

    def json(self) -> Json:
        return {
            "id": self.id,
            "channel_id": self.channel.id,
            "post_at": self.post_at,
            "date_created": self.made,
            "text": self.text,
        }


@dataclass
class Trigger:
    """What lets an app open a view: somebody has just pressed or typed something."""

    app: "App"
    made: int
    used: bool = False


@dataclass
class Hook:
    """An address under which an app answers what somebody did, some times."""

    bot: "Bot"
    channel: Channel
    user: User
    message: Message | None
    made: int
    used: int = 0


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
    statuses: list[tuple[Channel, str, str]] = field(default_factory=list[tuple[Channel, str, str]])
    """Where an app showed that it is at work: conversation, thread, words."""


Chore = Callable[[], Coroutine[None, None, None]]


class World:
    def __init__(self) -> None:
        self.workspaces: dict[str, Workspace] = {}
        self.apps: dict[str, App] = {}
        self.tokens: dict[str, Token] = {}  # by value
        self.lines: dict[str, Line] = {}  # by the app's id
        self.tickets: dict[str, App] = {}  # of sockets that were asked for
        self.files: dict[str, File] = {}
        self.broken_files: dict[str, int] = {}
        """Statuses that downloads get, by the file's id."""
        self.downloads: list[str] = []
        """Paths that were asked for, refused ones too."""
        self.scheduled: dict[str, Scheduled] = {}
        self.triggers: dict[str, Trigger] = {}
        self.views: dict[str, Json] = {}
        self.homes: dict[tuple[str, str], Json] = {}
        """Home tabs, by the ids of app and person."""
        self.loses_shares = False
        """Completed uploads are never shared, as it happens to the real one."""
        self.edit_window_s: int | None = None
        """How long the workspace lets a message be edited; None is for ever."""
        self.identifiers = Identifiers()
        self.faults = Faults()
        self.records = Records()
        self.ack_s = 3.0
        """Until then an envelope or request must be acknowledged."""
        self.page_max = 0
        """Pages hold no more than this, whatever limit is asked; 0 is no bound."""
        self.retry_waits_s: tuple[float, ...] = (0.0, 0.25, 1.25)
        """Before each repetition of an event. Really at once, after a minute, after five."""
        self.skew_s = 0
        """So much off is the clock that signs requests."""
        self.hooks: dict[str, Hook] = {}
        self.limits = Limits()
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
        return int(self.now_s())

    def now_s(self) -> float:
        return (time.time_ns() // 1000 + self._clock_us) / _MICROSECONDS

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

    def whisper(
        self,
        channel: Channel,
        text: str,
        user: User,
        reader: User,
        **details: Unpack[Details],
    ) -> Message:
        """For one person's eyes."""
        message = Message(self.next_ts(), channel, text, user, **details)
        message.ephemeral_to = reader
        if message.bot:
            message.bot.history.append(message)
        return message

    def announce(self, message: Message) -> None:
        """Apps hear of a message, and of being mentioned."""
        events.message_posted(self, message)

    def tell_file(self, name: str, file: File, channel: Channel | None = None) -> None:
        """In a conversation, or to whoever may see the file."""
        event: Json = {"type": name, "file_id": file.id, "user_id": file.user.id}
        if name != "file_deleted":
            event["file"] = {"id": file.id}
        if channel:
            event["channel_id"] = channel.id
        workspace = self.workspaces[file.user.team_id]
        self.tell(workspace, name, {**event, "event_ts": self.next_ts()}, channel=channel)

    def remove_file(self, file: File) -> None:
        file.deleted = True
        self.tell_file("file_deleted", file)

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
