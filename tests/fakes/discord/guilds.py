"""Guilds: what Discord's people call servers, with their members and roles."""

from dataclasses import dataclass, field

from tests.fakes.discord.channels import Channel
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import EVERYDAY, Permission
from tests.fakes.discord.snowflakes import iso

__all__ = ["Guild", "Member", "Role"]

MB = 1 << 20
# What one file may have, by the guild's boosts: discord.py's Guild.filesize_limit.
_FILE_MAX_BYTES = (10 * MB, 10 * MB, 50 * MB, 100 * MB)


@dataclass(eq=False, repr=False)
class Role:
    id: int
    name: str
    permissions: Permission
    position: int
    color: int = 0
    mentionable: bool = False
    bot_id: int = 0
    """The bot it came with."""

    def __repr__(self) -> str:
        return f"<Role {self.name}>"

    @property
    def mention(self) -> str:
        return f"<@&{self.id}>"

    def json(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "permissions": str(int(self.permissions)),
            "position": self.position,
            "color": self.color,
            "colors": {
                "primary_color": self.color,
                "secondary_color": None,
                "tertiary_color": None,
            },
            "hoist": False,
            "managed": bool(self.bot_id),
            "mentionable": self.mentionable,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
            **({"tags": {"bot_id": str(self.bot_id)}} if self.bot_id else {}),
        }


@dataclass(eq=False)
class Member:
    user: User
    joined_at: float
    nick: str | None = None
    roles: list[Role] = field(default_factory=list[Role])
    timeout_until: float = 0

    @property
    def rank(self) -> int:
        """Moderators act on those below them only."""
        return max((role.position for role in self.roles), default=0)

    def partial(self) -> Json:
        """As it stands in a message, beside its user."""
        return {
            "avatar": None,
            "banner": None,
            "communication_disabled_until": iso(self.timeout_until) if self.timeout_until else None,
            "flags": 0,
            "joined_at": iso(self.joined_at),
            "nick": self.nick,
            "pending": False,
            "premium_since": None,
            "roles": [str(role.id) for role in self.roles],
            "mute": False,
            "deaf": False,
        }

    def json(self) -> Json:
        return {**self.partial(), "user": self.user.json()}


@dataclass(eq=False, repr=False)
class Guild:
    id: int
    name: str
    owner: User
    tier: int = 0
    """The boosts, 0 to 3, that raise the size of files."""
    description: str | None = None
    icon: str | None = None
    """The hash of its picture."""
    unavailable: bool = False
    """An outage: nobody hears of it or reaches it."""
    members: dict[int, Member] = field(default_factory=dict[int, Member])
    roles: dict[int, Role] = field(default_factory=dict[int, Role])
    channels: dict[int, Channel] = field(default_factory=dict[int, Channel])
    """Threads too."""
    bans: dict[int, str | None] = field(default_factory=dict[int, str | None])
    """The reason, by the user's id."""
    emojis: dict[int, str] = field(default_factory=dict[int, str])
    stickers: dict[int, str] = field(default_factory=dict[int, str])

    def __repr__(self) -> str:
        return f"<Guild {self.name}>"

    def __post_init__(self) -> None:
        self.roles[self.id] = Role(self.id, "@everyone", EVERYDAY, 0)

    @property
    def everyone(self) -> Role:
        return self.roles[self.id]

    @property
    def file_max_bytes(self) -> int:
        return _FILE_MAX_BYTES[self.tier]

    @property
    def threads(self) -> list[Channel]:
        return [each for each in self.channels.values() if each.is_thread]

    def json(self) -> Json:
        return {
            "id": str(self.id),
            "name": self.name,
            "owner_id": str(self.owner.id),
            "roles": [role.json() for role in self.roles.values()],
            "emojis": [_emoji(id, name) for id, name in self.emojis.items()],
            "stickers": [_sticker(self, id, name) for id, name in self.stickers.items()],
            "features": [],
            "premium_tier": self.tier,
            "region": "deprecated",
            "preferred_locale": "en-US",
            "afk_timeout": 300,
            "max_members": 25_000_000,
            "max_video_channel_users": 25,
            "max_stage_video_channel_users": 50,
            "description": self.description,
            "icon": self.icon,
            **dict.fromkeys(_ABSENT, None),
            **dict.fromkeys(_ZERO, 0),
            **dict.fromkeys(_FALSE, False),
        }


_ABSENT = [
    "home_header",
    "splash",
    "discovery_splash",
    "banner",
    "application_id",
    "afk_channel_id",
    "system_channel_id",
    "widget_channel_id",
    "max_presences",
    "vanity_url_code",
    "rules_channel_id",
    "safety_alerts_channel_id",
    "public_updates_channel_id",
    "incidents_data",
]
_ZERO = [
    "system_channel_flags",
    "verification_level",
    "default_message_notifications",
    "mfa_level",
    "explicit_content_filter",
    "premium_subscription_count",
    "nsfw_level",
]
_FALSE = ("widget_enabled", "premium_progress_bar_enabled", "nsfw")


def _emoji(id: int, name: str) -> Json:
    return {
        "id": str(id),
        "name": name,
        "roles": [],
        "require_colons": True,
        "managed": False,
        "animated": False,
        "available": True,
    }


def _sticker(guild: Guild, id: int, name: str) -> Json:
    return {
        "id": str(id),
        "name": name,
        "tags": "wave",
        "type": 2,
        "format_type": 1,
        "description": None,
        "available": True,
        "guild_id": str(guild.id),
    }
