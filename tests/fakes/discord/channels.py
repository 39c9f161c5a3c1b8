"""Where messages stand: channels of guilds, threads, direct messages."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING

from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import NOTHING, Permission
from tests.fakes.discord.snowflakes import iso

if TYPE_CHECKING:
    from tests.fakes.discord.guilds import Guild
    from tests.fakes.discord.messages import Message

__all__ = ["Channel", "Kind", "Overwrite", "Tag", "Thread"]


class Kind(IntEnum):
    TEXT = 0
    DM = 1
    VOICE = 2
    CATEGORY = 4
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    FORUM = 15


_THREADS = {Kind.ANNOUNCEMENT_THREAD, Kind.PUBLIC_THREAD, Kind.PRIVATE_THREAD}


@dataclass
class Overwrite:
    """What one role or member may do more or less in one channel."""

    id: int
    of_member: bool
    allow: Permission = NOTHING
    deny: Permission = NOTHING

    def json(self) -> Json:
        return {
            "id": str(self.id),
            "type": int(self.of_member),
            "allow": str(int(self.allow)),
            "deny": str(int(self.deny)),
        }


@dataclass
class Tag:
    """What posts of a forum are sorted by."""

    id: int
    name: str
    moderated: bool = False

    def json(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "moderated": self.moderated,
            "emoji_id": None,
            "emoji_name": None,
        }


@dataclass
class Thread:
    """What a thread is more than a channel."""

    owner: User
    created_at: float
    members: dict[int, float] = field(default_factory=dict[int, float])
    """When each joined, by the user's id."""
    archived: bool = False
    archived_at: float = 0
    locked: bool = False
    invitable: bool = True
    auto_archive_minutes: int = 4320
    tags: list[int] = field(default_factory=list[int])
    sent: int = 0
    """Messages ever written there, deleted ones too, without the first."""

    def metadata(self, kind: Kind) -> Json:
        return {
            "archived": self.archived,
            "archive_timestamp": iso(self.archived_at or self.created_at),
            "auto_archive_duration": self.auto_archive_minutes,
            "locked": self.locked,
            "create_timestamp": iso(self.created_at),
            **({"invitable": self.invitable} if kind is Kind.PRIVATE_THREAD else {}),
        }


@dataclass(eq=False, repr=False)
class Channel:
    id: int
    kind: Kind
    name: str = ""
    guild: "Guild | None" = None
    parent: "Channel | None" = None
    """A category, or where a thread is."""
    position: int = 0
    topic: str | None = None
    nsfw: bool = False
    slowmode_s: int = 0
    overwrites: dict[int, Overwrite] = field(default_factory=dict[int, Overwrite])
    tags: list[Tag] = field(default_factory=list[Tag])
    requires_tag: bool = False
    """Of a forum: posts without a tag are refused."""
    thread: Thread | None = None
    people: list[User] = field(default_factory=list[User])
    """The two of a direct message."""
    messages: dict[int, "Message"] = field(default_factory=dict[int, "Message"])
    """Oldest first, deleted ones too."""
    last_id: int = 0
    pinned_at: float = 0
    followers: list["Channel"] = field(default_factory=list["Channel"])
    """Where posts of an announcement channel are copied to."""

    def __repr__(self) -> str:
        return f"<Channel {self.kind.name} {self.name or self.people}>"

    @property
    def is_thread(self) -> bool:
        return self.kind in _THREADS

    @property
    def is_dm(self) -> bool:
        return self.kind is Kind.DM

    @property
    def visible(self) -> list["Message"]:
        """What people see there, oldest first."""
        return [each for each in self.messages.values() if not each.deleted]

    @property
    def pins(self) -> list["Message"]:
        """Newest pin first."""
        pinned = [each for each in self.visible if each.pinned_at]
        return sorted(pinned, key=lambda each: -each.pinned_at)

    @property
    def mention(self) -> str:
        return f"<#{self.id}>"

    def other(self, user: User) -> User:
        """Of a direct message."""
        return next(each for each in self.people if each is not user)

    def json(self, viewer: User) -> Json:
        found: Json = {
            "id": str(self.id),
            "type": int(self.kind),
            "flags": 1 << 4 if self.requires_tag else 0,
            "last_message_id": str(self.last_id) if self.last_id else None,
            **({"last_pin_timestamp": iso(self.pinned_at)} if self.pinned_at else {}),
        }
        if self.is_dm:
            return {**found, "recipients": [self.other(viewer).json()]}
        assert self.guild
        found |= {
            "guild_id": str(self.guild.id),
            "name": self.name,
            "parent_id": str(self.parent.id) if self.parent else None,
        }
        return {**found, **(self._thread(viewer) if self.is_thread else self._room())}

    def _room(self) -> Json:
        found: Json = {
            "position": self.position,
            "topic": self.topic,
            "nsfw": self.nsfw,
            "rate_limit_per_user": self.slowmode_s,
            "permission_overwrites": [each.json() for each in self.overwrites.values()],
        }
        if self.kind is Kind.VOICE:
            found |= {"bitrate": 64_000, "user_limit": 0, "rtc_region": None}
        if self.kind is Kind.FORUM:
            found |= {
                "available_tags": [tag.json() for tag in self.tags],
                "default_reaction_emoji": None,
                "default_sort_order": None,
                "default_forum_layout": 0,
            }
        return found

    def _thread(self, viewer: User) -> Json:
        assert self.thread
        joined = self.thread.members.get(viewer.id)
        return {
            "owner_id": str(self.thread.owner.id),
            "thread_metadata": self.thread.metadata(self.kind),
            "message_count": len(self.visible),
            "member_count": min(len(self.thread.members), 50),
            "total_message_sent": self.thread.sent,
            "rate_limit_per_user": self.slowmode_s,
            "applied_tags": [str(tag) for tag in self.thread.tags],
            **({"member": self.thread_member(viewer.id)} if joined else {}),
        }

    def thread_member(self, user_id: int) -> Json:
        assert self.thread
        return {
            "id": str(self.id),
            "user_id": str(user_id),
            "join_timestamp": iso(self.thread.members[user_id]),
            "flags": 1,
        }
