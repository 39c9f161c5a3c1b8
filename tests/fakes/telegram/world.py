"""What the fake knows: people, bots, chats, files, and what tests look at.

Everything else works on a `World`; the facade in `server.py` is one.
"""

import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Unpack

import structlog

from tests.fakes.telegram.bots import Bot, Queue
from tests.fakes.telegram.chats import Chat, Member
from tests.fakes.telegram.faults import Faults
from tests.fakes.telegram.files import Library
from tests.fakes.telegram.messages import Details, Message, origin_of
from tests.fakes.telegram.people import Json, User
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.specification import specification

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anyio.abc import TaskGroup

    from tests.fakes.telegram.business import Connection
    from tests.fakes.telegram.buttons import Press

__all__ = ["Action", "Draft", "Records", "World"]

_log = structlog.get_logger(__name__)
TELEGRAM = User(777_000, "Telegram")
_POSTS = {"message": "channel_post", "edited_message": "edited_channel_post"}


@dataclass(frozen=True)
class Action:
    """A bot was seen typing, or what else sendChatAction tells."""

    bot: Bot
    chat: Chat
    kind: str
    thread: int = 0


@dataclass(frozen=True)
class Draft:
    """A text a bot shows while it grows."""

    bot: Bot
    chat: Chat
    id: int
    text: str


@dataclass
class Records:
    """What tests look at."""

    calls: list[Call] = field(default_factory=list[Call])
    """Every request of a known bot, refused ones too."""
    actions: list[Action] = field(default_factory=list[Action])
    drafts: list[Draft] = field(default_factory=list[Draft])
    mistakes: list[str] = field(default_factory=list[str])
    """Requests that the specification does not allow."""
    unhandled: list[str] = field(default_factory=list[str])
    """Methods of the API that the fake does not have."""
    errors: list[Exception] = field(default_factory=list[Exception])
    """Faults of the fake itself."""


class World:
    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.bots: dict[str, Bot] = {}  # by token
        self.chats: dict[int, Chat] = {}  # all but private ones
        self.connections: dict[str, Connection] = {}  # business connections
        self.presses: dict[str, Press] = {}  # by the callback query's id
        self.polls: dict[str, Message] = {}  # by the poll's id
        self.library = Library()
        self.faults = Faults()
        self.records = Records()
        self.addresses: dict[str, str] = {}  # of public webhooks, by prefix
        self.hosted: dict[str, bytes] = {}  # what the server can fetch, by URL
        self.business_echo = False
        """A bot is told of what it sent through a business connection."""
        self.webhook_retry_s = 0.05
        self.tasks: TaskGroup
        self._clock_s = 0
        self._moment = 0
        self._people = count(700_000_001)
        self._groups = count(4_000_001)
        self._supergroups = count(1_002_000_000_001)
        self._numbers = count(1)

    def now(self) -> int:
        return (self._moment or int(time.time())) + self._clock_s

    @contextmanager
    def one_moment(self) -> Generator[None]:
        """All that happens within has one date."""
        self._moment = int(time.time())
        yield
        self._moment = 0

    def pass_time(self, seconds: int) -> None:
        """Messages sent before are so much older."""
        self._clock_s += seconds

    def number(self) -> int:
        """For polls, callback queries and the like."""
        return next(self._numbers)

    def join_bot(self, bot: Bot) -> None:
        self.bots[bot.token] = bot
        self.users[bot.id] = bot

    def loopback_of(self, url: str) -> str | None:
        """Where a public address really leads, if a test said so."""
        for prefix, address in self.addresses.items():
            if url.startswith(prefix):
                return address + url.removeprefix(prefix)
        return None

    def new_user_id(self) -> int:
        return next(self._people)

    def new_chat_id(self, kind: str) -> int:
        return -next(self._groups if kind == "group" else self._supergroups)

    def new_queue(self, bot_id: int) -> Queue:
        return Queue(next_id=100_000_000 + bot_id % 1_000_000)

    def private(self, bot: Bot, user: User) -> Chat:
        """Their chat, whether or not anybody wrote there."""
        if user.id not in bot.private_chats:
            bot.private_chats[user.id] = Chat(user.id, "private", user=user, bot=bot)
        return bot.private_chats[user.id]

    def met(self, bot: Bot) -> "Iterable[User]":
        """Whom the bot can know."""
        yield from (chat.user for chat in bot.private_chats.values() if chat.user)
        for chat in self.chats.values():
            if bot.id in chat.members:
                yield from (member.user for member in chat.members.values())

    def known_user(self, bot: Bot, user_id: int) -> User | None:
        return next((user for user in self.met(bot) if user.id == user_id), None)

    def bots_in(self, chat: Chat) -> list[Bot]:
        if chat.bot:
            return [chat.bot]
        return [bot for bot in self.bots.values() if chat.member(bot).present]

    def emit(self, bot: Bot, kind: str, payload: Json) -> int | None:
        """Into its queue, if it wants such updates."""
        if kind not in bot.queue.allowed or bot.revoked:
            return None
        update = {kind: payload}
        if book := specification():
            faults = book.faults_of_update({"update_id": 0, **update})
            self.records.errors += [AssertionError(f"own update: {each}") for each in faults]
        return bot.queue.add(update)

    def post(
        self,
        chat: Chat,
        content: Json,
        sender: User | None = None,
        **details: Unpack[Details],
    ) -> Message:
        """A new message stands in the chat; nobody is told yet."""
        message = Message(chat.next_message_id(), chat, self.now(), content, sender, **details)
        reply = message.reply_to
        if reply and not message.thread and reply.chat is chat and chat.type == "supergroup":
            message.thread = reply.thread if chat.is_forum else reply.thread or reply.id
        chat.messages[message.id] = message
        return message

    def add_poll(self, message: Message) -> Message:
        self.polls[message.content["poll"].id] = message
        return message

    def discuss(self, post: Message) -> None:
        """A channel's post appears in its discussion group, as if Telegram had forwarded it."""
        channel, group = post.chat, post.chat.linked
        if channel.type != "channel" or group is None:
            return
        extra: Json = {"is_automatic_forward": True, "forward_origin": origin_of(post)}
        copy = self.post(group, dict(post.content), TELEGRAM, sender_chat=channel, extra=extra)
        self.announce(copy)

    def announce(
        self, message: Message, kind: str = "message", *, but: User | None = None
    ) -> list[int]:
        """To all bots that are there and see it; the ids of the updates."""
        if message.chat.type == "channel":
            kind = _POSTS[kind]
        found = [
            self.emit(bot, kind, message.json(bot))
            for bot in self.bots_in(message.chat)
            if bot is not but and self.sees(bot, message)
        ]
        return [id for id in found if id is not None]

    def sees(self, bot: Bot, message: Message) -> bool:
        """Privacy mode hides what people say to each other, and bots never see other bots."""
        chat, sender = message.chat, message.sender
        if isinstance(sender, Bot) and not message.is_service:
            return False
        open_to_all = chat.type in {"private", "channel"} or message.is_service or bot.sees_all
        return open_to_all or chat.member(bot).in_charge or self._is_meant_for(bot, message)

    def _is_meant_for(self, bot: Bot, message: Message) -> bool:
        if message.reply_to and message.reply_to.sender is bot:
            return True
        for kind, text in message.marks:
            if kind == "bot_command":
                _, at, name = text.partition("@")
                return not at or name.lower() == bot.username.lower()
            if kind == "mention" and text[1:].lower() == bot.username.lower():
                return True
        return False

    def member_changed(self, chat: Chat, by: User, old: Member, new: Member) -> None:
        """The bot itself hears of its own part, administrators of everybody's."""
        for bot in {*self.bots_in(chat), *(each.user for each in (old, new))}:
            if not isinstance(bot, Bot):
                continue
            about_itself = bot is new.user
            if not about_itself and not chat.member(bot).in_charge:
                continue
            change: Json = {
                "chat": chat.json(),
                "from": by.json(),
                "date": self.now(),
                "old_chat_member": old.json(chat, bot),
                "new_chat_member": new.json(chat, bot),
            }
            self.emit(bot, "my_chat_member" if about_itself else "chat_member", change)
