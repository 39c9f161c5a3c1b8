"""A message, and what a bot is shown of it."""

import re
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING

from tests.fakes.discord.people import Json, User
from tests.fakes.discord.snowflakes import iso

if TYPE_CHECKING:
    from tests.fakes.discord.channels import Channel
    from tests.fakes.discord.files import Attachment, Library
    from tests.fakes.discord.guilds import Role
    from tests.fakes.discord.polls import Poll

__all__ = ["Emoji", "Flag", "Message", "MessageKind", "Reaction"]


class MessageKind(IntEnum):
    DEFAULT = 0
    RECIPIENT_ADD = 1
    RECIPIENT_REMOVE = 2
    CHANNEL_NAME_CHANGE = 4
    CHANNEL_PINNED_MESSAGE = 6
    USER_JOIN = 7
    THREAD_CREATED = 18
    REPLY = 19
    THREAD_STARTER_MESSAGE = 21
    POLL_RESULT = 46


# Nobody can edit, pin or answer what Discord writes itself, or react to it.
_OF_PEOPLE = {MessageKind.DEFAULT, MessageKind.REPLY}


class Flag(IntFlag):
    CROSSPOSTED = 1 << 0
    IS_CROSSPOST = 1 << 1
    SUPPRESS_EMBEDS = 1 << 2
    HAS_THREAD = 1 << 5
    EPHEMERAL = 1 << 6
    LOADING = 1 << 7
    SUPPRESS_NOTIFICATIONS = 1 << 12
    IS_VOICE_MESSAGE = 1 << 13
    HAS_SNAPSHOT = 1 << 14
    IS_COMPONENTS_V2 = 1 << 15


_NO_FLAGS = Flag(0)


@dataclass(frozen=True)
class Emoji:
    name: str
    id: int | None = None
    """Of a guild's own one."""

    def __str__(self) -> str:
        return f"{self.name}:{self.id}" if self.id else self.name

    @classmethod
    def parse(cls, text: str) -> "Emoji | None":
        """`name:id` of a guild's own one, or the character itself."""
        if match := re.fullmatch(r"(?:a:)?(\w+):(\d+)", text):
            return cls(match[1], int(match[2]))
        is_emoji = bool(text) and not re.search(r"[A-Za-z\s]", text) and len(text) <= 16
        return cls(text) if is_emoji and not text.isdigit() else None

    def json(self) -> Json:
        return {"id": str(self.id) if self.id else None, "name": self.name}


@dataclass
class Reaction:
    emoji: Emoji
    users: list[User] = field(default_factory=list[User])

    def json(self, viewer: User) -> Json:
        return {
            "emoji": self.emoji.json(),
            "count": len(self.users),
            "count_details": {"burst": 0, "normal": len(self.users)},
            "burst_colors": [],
            "me_burst": False,
            "burst_me": False,
            "burst_count": 0,
            "me": viewer in self.users,
        }


@dataclass(eq=False, repr=False)
class Message:
    id: int
    channel: "Channel"
    author: User
    content: str = ""
    kind: MessageKind = MessageKind.DEFAULT
    sent_at: float = 0
    edited_at: float = 0
    pinned_at: float = 0
    deleted: bool = False
    tts: bool = False
    nonce: int | str | None = None
    flags: Flag = _NO_FLAGS
    embeds: list[Json] = field(default_factory=list[Json])
    components: list[Json] = field(default_factory=list[Json])
    attachments: list["Attachment"] = field(default_factory=list["Attachment"])
    stickers: list[Json] = field(default_factory=list[Json])
    reactions: dict[str, Reaction] = field(default_factory=dict[str, Reaction])
    mentions: list[User] = field(default_factory=list[User])
    """Who was notified."""
    mentioned_roles: list["Role"] = field(default_factory=list["Role"])
    mentions_everyone: bool = False
    reference: "Message | None" = None
    """What it answers or forwards."""
    is_forward: bool = False
    poll: "Poll | None" = None
    thread: "Channel | None" = None
    """Begun from it."""
    webhook_id: int = 0
    application_id: int = 0
    for_user: User | None = None
    """Who alone sees it: an ephemeral answer."""

    def __repr__(self) -> str:
        return f"<Message {self.id} of {self.author.username}: {self.content!r:.40}>"

    @property
    def is_of_people(self) -> bool:
        return self.kind in _OF_PEOPLE

    @property
    def is_silent(self) -> bool:
        return Flag.SUPPRESS_NOTIFICATIONS in self.flags

    @property
    def link(self) -> str:
        guild = self.channel.guild.id if self.channel.guild else "@me"
        return f"https://discord.com/channels/{guild}/{self.channel.id}/{self.id}"

    def reacted(self, emoji: str) -> list[User]:
        found = self.reactions.get(emoji)
        return found.users if found else []

    def is_open_to(self, bot: User) -> bool:
        """Its content is shown without the MESSAGE_CONTENT intent."""
        return self.channel.is_dm or self.author is bot or bot in self.mentions

    def json(self, library: "Library", viewer: User, with_content: bool) -> Json:
        """As `viewer`, a bot, is shown it; `with_content` says whether it has the intent."""
        shown = with_content or self.is_open_to(viewer)
        found: Json = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "type": int(self.kind),
            "author": self.author.json(),
            **self._body(library, shown),
            "mention_everyone": self.mentions_everyone,
            "pinned": bool(self.pinned_at),
            "tts": self.tts,
            **({"reactions": self._reactions(viewer)} if self.reactions else {}),
            **({"poll": self.poll.json(viewer)} if self.poll and shown else {}),
            **({"webhook_id": str(self.webhook_id)} if self.webhook_id else {}),
            **({"application_id": str(self.application_id)} if self.application_id else {}),
            **({"thread": self.thread.json(viewer)} if self.thread else {}),
        }
        return {**found, **self._references(library, viewer, with_content, shown)}

    def _body(self, library: "Library", shown: bool) -> Json:
        return {
            "content": self.content if shown else "",
            "embeds": self._embeds() if shown else [],
            "attachments": [each.json(library) for each in self.attachments] if shown else [],
            "components": self.components if shown else [],
            "mentions": [user.json() for user in self.mentions],
            "mention_roles": [str(role.id) for role in self.mentioned_roles],
            "flags": int(self.flags),
            "timestamp": iso(self.sent_at),
            "edited_timestamp": iso(self.edited_at) if self.edited_at else None,
            **({"sticker_items": self.stickers} if self.stickers else {}),
        }

    def _embeds(self) -> list[Json]:
        return [] if Flag.SUPPRESS_EMBEDS in self.flags else self.embeds

    def _reactions(self, viewer: User) -> list[Json]:
        return [each.json(viewer) for each in self.reactions.values()]

    def _references(
        self, library: "Library", viewer: User, with_content: bool, shown: bool
    ) -> Json:
        if not (about := self.reference):
            return {}
        pointer: Json = {"type": int(self.is_forward), "channel_id": str(about.channel.id)}
        if about.channel.guild:
            pointer["guild_id"] = str(about.channel.guild.id)
        found: Json = {"message_reference": {**pointer, "message_id": str(about.id)}}
        if self.is_forward:
            body = {"type": int(about.kind), **about._body(library, shown)}
            return {**found, "message_snapshots": [{"message": body}]}
        if self.kind in {MessageKind.REPLY, MessageKind.THREAD_STARTER_MESSAGE}:
            seen = None if about.deleted else about.json(library, viewer, with_content)
            for inner in ("referenced_message", "message_reference", "thread"):
                (seen or {}).pop(inner, None)
            found["referenced_message"] = seen
        return found
