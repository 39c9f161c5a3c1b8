"""Hooks by which tests make people, bots, guilds and channels. Nobody is told of these."""

import base64
import secrets
from collections.abc import Iterable

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel, Kind, Overwrite, Tag
from tests.fakes.discord.greeting import Greeting
from tests.fakes.discord.guilds import Guild, Member, Role
from tests.fakes.discord.intents import PRIVILEGED, Intent
from tests.fakes.discord.people import User
from tests.fakes.discord.permissions import NOTHING, Permission

__all__ = ["Accounts"]


class Accounts(Greeting):
    def add_user(self, username: str, global_name: str | None = None) -> User:
        user = User(self.clock.new_id(), username, global_name)
        self.users[user.id] = user
        return user

    def add_bot(
        self,
        username: str,
        token: str = "",
        *,
        enabled: Intent = PRIVILEGED,
        owner: User | None = None,
    ) -> Bot:
        """`enabled` are the privileged intents that its owner has switched on."""
        id = self.clock.new_id()
        owner = owner or self.add_user(f"{username}_owner")
        token = token or _token(id)
        bot = Bot(id=id, username=username, token=token, owner=owner, enabled=enabled)
        self.bots[token] = self.users[id] = bot
        return bot

    def add_guild(self, name: str, owner: User, *members: User, tier: int = 0) -> Guild:
        """With the channel `general`; bots come with a role of their own that allows nothing."""
        guild = Guild(self.clock.new_id(), name, owner, tier)
        self.guilds[guild.id] = guild
        for user in (owner, *members):
            self.seat(guild, user)
        self.add_channel(guild, "general")
        return guild

    def seat(self, guild: Guild, user: User) -> Member:
        """A member, without a word to anybody."""
        member = Member(user, self.now())
        guild.members[user.id] = member
        if isinstance(user, Bot):
            role = self.add_role(guild, user.username)
            role.bot_id = user.id
            member.roles.append(role)
        return member

    def add_role(
        self,
        guild: Guild,
        name: str,
        permissions: Permission = NOTHING,
        *members: User,
        mentionable: bool = False,
    ) -> Role:
        role = Role(self.clock.new_id(), name, permissions, len(guild.roles))
        role.mentionable = mentionable
        guild.roles[role.id] = role
        for user in members:
            guild.members[user.id].roles.append(role)
        return role

    def allow(self, guild: Guild, bot: Bot, permissions: Permission) -> None:
        """The bot's own role has these from now on."""
        role = next(role for role in guild.roles.values() if role.bot_id == bot.id)
        role.permissions |= permissions

    def add_channel(
        self,
        guild: Guild,
        name: str,
        kind: Kind = Kind.TEXT,
        *,
        parent: Channel | None = None,
        tags: Iterable[str] = (),
        id: int = 0,
    ) -> Channel:
        id = id or self.clock.new_id()
        position = sum(not each.is_thread for each in guild.channels.values())
        channel = Channel(id, kind, name, guild, parent, position)
        channel.tags = [Tag(self.clock.new_id(), tag) for tag in tags]
        self.channels[id] = guild.channels[id] = channel
        return channel

    def overwrite(
        self,
        channel: Channel,
        whom: User | Role | None,
        *,
        allow: Permission = NOTHING,
        deny: Permission = NOTHING,
    ) -> None:
        """In this channel; None is everyone."""
        assert channel.guild
        id = whom.id if whom else channel.guild.id
        channel.overwrites[id] = Overwrite(id, isinstance(whom, User), allow, deny)

    def hide(self, channel: Channel, *but: User | Role) -> None:
        """A private channel: only these see it."""
        self.overwrite(channel, None, deny=Permission.VIEW_CHANNEL)
        for each in but:
            self.overwrite(channel, each, allow=Permission.VIEW_CHANNEL)

    def forbid(self, channel: Channel, whom: User | Role | None, permissions: Permission) -> None:
        self.overwrite(channel, whom, deny=permissions)


def _token(id: int) -> str:
    """As real ones look: the id first."""
    first = base64.urlsafe_b64encode(str(id).encode()).decode().rstrip("=")
    return f"{first}.{secrets.token_urlsafe(5)[:6]}.{secrets.token_urlsafe(28)[:38]}"
