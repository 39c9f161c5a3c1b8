"""What the fake knows: people, bots, guilds, channels, and what tests look at.

Everything else works on a `World`; the facade in `server.py` is one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Unpack

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel, Kind, Thread
from tests.fakes.discord.faults import Faults
from tests.fakes.discord.files import Library
from tests.fakes.discord.guilds import Guild
from tests.fakes.discord.intents import Intent, wanted
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import NOTHING, Permission, in_channel
from tests.fakes.discord.requests import Call
from tests.fakes.discord.sessions import Session
from tests.fakes.discord.snowflakes import Clock
from tests.fakes.discord.specification import specification

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from tests.fakes.discord.interaction import Interaction
    from tests.fakes.discord.invites import Invite
    from tests.fakes.discord.posts import Details
    from tests.fakes.discord.webhook import Webhook

__all__ = ["Records", "Typing", "World"]


@dataclass(frozen=True)
class Typing:
    """A bot was seen typing."""

    bot: Bot
    channel: Channel


@dataclass
class Records:
    """What tests look at."""

    calls: list[Call] = field(default_factory=list[Call])
    """Every request that was let in, refused ones too."""
    typing: list[Typing] = field(default_factory=list[Typing])
    mistakes: list[str] = field(default_factory=list[str])
    """Requests and gateway frames that the specification does not allow."""
    unhandled: list[str] = field(default_factory=list[str])
    """Operations of the API that the fake does not have."""
    errors: list[Exception] = field(default_factory=list[Exception])
    """Faults of the fake itself."""
    closes: list[int] = field(default_factory=list[int])
    """The codes with which the gateway sent bots away for what they did."""


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.users: dict[int, User] = {}
        self.bots: dict[str, Bot] = {}  # by token
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        self.library = Library(self.clock)
        self.faults = Faults()
        self.webhooks: dict[int, Webhook] = {}
        self.invites: dict[str, Invite] = {}
        self.interactions: dict[str, Interaction] = {}  # by token
        self.records = Records()
        self.gateway_url = ""
        self.tasks: TaskGroup

    def now(self) -> float:
        return self.clock.now()

    def pass_time(self, seconds: float) -> None:
        """Everything is so much older."""
        self.clock.ahead_s += seconds

    def dm(self, bot: Bot, user: User) -> Channel:
        """Their direct messages, whether or not anybody wrote there."""
        if user.id not in bot.dms:
            channel = Channel(self.clock.new_id(), Kind.DM, people=[bot, user])
            bot.dms[user.id] = self.channels[channel.id] = channel
        return bot.dms[user.id]

    def guilds_of(self, user: User) -> list[Guild]:
        return [each for each in self.guilds.values() if user.id in each.members]

    def may(self, user: User, channel: Channel) -> Permission:
        """What a user may do there; nothing outside the guild."""
        if channel.guild is None:
            allowed = user in channel.people
            return ~Permission.MANAGE_MESSAGES if allowed else NOTHING
        if user.id not in channel.guild.members:
            return NOTHING
        return in_channel(channel.guild, channel, user, self.now())

    def sees(self, user: User, channel: Channel) -> bool:
        """A private thread is seen by its members and by who manages threads."""
        allowed = self.may(user, channel)
        if channel.kind is Kind.PRIVATE_THREAD and Permission.MANAGE_THREADS not in allowed:
            joined = channel.thread and user.id in channel.thread.members
            return bool(joined) and Permission.VIEW_CHANNEL in allowed
        return Permission.VIEW_CHANNEL in allowed

    def hearers(self, place: Channel | Guild) -> list[Bot]:
        """The bots that hear what happens there."""
        if isinstance(place, Guild):
            found = [bot for bot in self.bots.values() if bot.id in place.members]
            return [] if place.unavailable else found
        if place.guild is None:
            return [each for each in place.people if isinstance(each, Bot)]
        return [bot for bot in self.hearers(place.guild) if self.sees(bot, place)]

    def emit(
        self,
        event: str,
        place: Channel | Guild,
        payload: Callable[[Session], Json | None] | Json,
        *,
        only: Iterable[Bot] | None = None,
        regardless: User | None = None,
    ) -> None:
        """To all that hear it there and want such events; None is not sent.

        `only` hear it, whether or not they still could; `regardless` needs no intent.
        """
        guild = place if isinstance(place, Guild) else place.guild
        for bot in self.hearers(place) if only is None else only:
            for session in list(bot.sessions.values()):
                if not session.holds(guild) or bot.revoked:
                    continue
                is_wanted = wanted(session.intents, event, direct=guild is None)
                if not is_wanted and bot is not regardless:
                    continue
                found = payload(session) if callable(payload) else dict(payload)
                if found is not None:
                    self.judge(event, found)
                    session.dispatch(event, found)

    def judge(self, event: str, payload: Json) -> None:
        """Against the specification; what is wrong is the fake's fault."""
        if book := specification():
            faults = book.faults_of_event(event, payload)
            self.records.errors += [AssertionError(f"own event: {each}") for each in faults]

    def post(
        self, channel: Channel, author: User, content: str = "", **details: "Unpack[Details]"
    ) -> Message:
        """A new message stands in the channel; nobody is told yet."""
        id = self.clock.new_id()
        message = Message(id, channel, author, content, sent_at=self.now(), **details)
        if message.for_user is None:
            channel.messages[id] = message
            channel.last_id = id
        if isinstance(author, Bot) and message.is_of_people:
            author.posted.append(message)
        if channel.thread:
            channel.thread.sent += 1
            self._wake(channel, channel.thread)
        return message

    def _wake(self, channel: Channel, thread: Thread) -> None:
        """Writing opens an archived thread again."""
        if thread.archived:
            thread.archived = False
            self.emit("THREAD_UPDATE", channel, lambda session: channel.json(session.bot))

    def become_first(self, message: Message) -> None:
        """Of a forum's post: it has the id of its thread."""
        channel = message.channel
        del channel.messages[message.id]
        message.id = channel.last_id = channel.id
        channel.messages = {message.id: message}
        if channel.parent:
            channel.parent.last_id = channel.id

    def announce(self, message: Message, event: str = "MESSAGE_CREATE") -> None:
        """To all bots that see it."""

        def payload(session: Session) -> Json:
            found = self.shown(message, session.bot, session.intents)
            if event == "MESSAGE_CREATE" and message.nonce is not None:
                found["nonce"] = message.nonce
            return {**found, **self._surroundings(message)}

        self.emit(event, message.channel, payload)

    def shown(self, message: Message, bot: Bot, intents: Intent | None = None) -> Json:
        """As a bot is shown it; over HTTP what its owner has enabled counts."""
        with_content = Intent.MESSAGE_CONTENT in (bot.enabled if intents is None else intents)
        return message.json(self.library, bot, with_content)

    def _surroundings(self, message: Message) -> Json:
        """What only events tell."""
        guild = message.channel.guild
        found: Json = {"channel_type": int(message.channel.kind)}
        if guild is None:
            return found
        found["guild_id"] = str(guild.id)
        if (member := guild.members.get(message.author.id)) and not message.webhook_id:
            found["member"] = member.partial()
        found["mentions"] = [
            {**user.json(), "member": guild.members[user.id].partial()}
            if user.id in guild.members
            else user.json()
            for user in message.mentions
        ]
        return found
