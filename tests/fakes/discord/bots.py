"""A bot, the application it belongs to, and its links to the gateway."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fakes.discord.intents import Intent
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.sessions import Mangling, Session

if TYPE_CHECKING:
    from tests.fakes.discord.channels import Channel
    from tests.fakes.discord.messages import Message

__all__ = ["Bot"]

IDENTIFIES_A_DAY = 1000
# What a bot of few people shows of the privileged intents its owner has enabled.
_FLAGS = {
    Intent.GUILD_PRESENCES: 1 << 13,
    Intent.GUILD_MEMBERS: 1 << 15,
    Intent.MESSAGE_CONTENT: 1 << 19,
}


@dataclass(eq=False, repr=False, kw_only=True)
class Bot(User):
    is_bot: bool = True
    token: str
    owner: User
    enabled: Intent
    """The privileged intents that are on in the developer portal."""
    revoked: bool = False
    """Its token is good for nothing any more."""
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate, repr=False)
    interactions_url: str | None = None
    """Where interactions are delivered to, signed; by the gateway without it."""
    dms: dict[int, "Channel"] = field(default_factory=dict[int, "Channel"])
    """By the other's id."""
    sessions: dict[str, Session] = field(default_factory=dict[str, Session])
    identifies: list[float] = field(default_factory=list[float])
    """When it has begun a session, oldest first."""
    identifies_left: int = IDENTIFIES_A_DAY
    posted: list["Message"] = field(default_factory=list["Message"])
    manglings: list[Mangling] = field(default_factory=list[Mangling])
    held: list[tuple[Session, str, object]] | None = None
    """Events that wait to be released."""
    status: str = "offline"

    @property
    def public_key(self) -> str:
        return self.key.public_key().public_bytes_raw().hex()

    @property
    def is_connected(self) -> bool:
        return any(session.line for session in self.sessions.values())

    def sent(self, channel: "Channel | None" = None) -> list["Message"]:
        """What it wrote and nobody has deleted, oldest first."""
        return [
            each
            for each in self.posted
            if not each.deleted and (channel is None or each.channel is channel)
        ]

    @property
    def flags(self) -> int:
        return sum(flag for intent, flag in _FLAGS.items() if intent in self.enabled)

    def application(self, guilds: int) -> Json:
        """As its own bot is told of it, `guilds` of which it is in."""
        return {
            "id": str(self.id),
            "name": self.username,
            "icon": None,
            "description": "",
            "type": None,
            "bot": self.json(),
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": self.public_key,
            "flags": self.flags,
            "flags_new": str(self.flags),
            "redirect_uris": [],
            "interactions_endpoint_url": self.interactions_url,
            "role_connections_verification_url": None,
            "owner": self.owner.json(),
            "approximate_guild_count": guilds,
            "approximate_user_install_count": 0,
            "approximate_user_authorization_count": 0,
            "explicit_content_filter": 0,
            "team": None,
            "eligible_oauth2_scopes": [],
        }
