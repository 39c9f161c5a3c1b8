"""Hooks by which people run their guilds; all who should are told."""

from tests.fakes.discord.accounts import Accounts
from tests.fakes.discord.bots import Bot
from tests.fakes.discord.changes import (
    begin_thread,
    enter,
    leave,
    remove_channel,
    tell_channel,
    tell_member,
    tell_role,
)
from tests.fakes.discord.channels import Channel, Kind
from tests.fakes.discord.departures import arrive, ban, depart, unban
from tests.fakes.discord.guilds import Guild, Member, Role
from tests.fakes.discord.messages import Message, MessageKind
from tests.fakes.discord.people import User
from tests.fakes.discord.permissions import NOTHING, Permission
from tests.fakes.discord.pinning import pin, unpin

__all__ = ["Houses"]


class Houses(Accounts):
    def join(self, guild: Guild, user: User, *, greeted_in: Channel | None = None) -> Member:
        """A bot is shown the guild, the others hear of the member."""
        member = self.seat(guild, user)
        if isinstance(user, Bot):
            for session in user.sessions.values():
                self.show_guild(session, guild, is_new=True)
        arrive(self, guild, member)
        if greeted_in:
            self.announce(self.post(greeted_in, user, kind=MessageKind.USER_JOIN))
        return member

    def kick(self, guild: Guild, user: User) -> None:
        """It leaves by itself in the same way."""
        depart(self, guild, user)

    def ban(self, guild: Guild, user: User, reason: str | None = None, delete_s: int = 0) -> None:
        ban(self, guild, user, reason, delete_s=delete_s)

    def unban(self, guild: Guild, user: User) -> None:
        unban(self, guild, user)

    def rename_member(self, guild: Guild, user: User, nick: str | None) -> None:
        guild.members[user.id].nick = nick
        tell_member(self, guild, guild.members[user.id], "GUILD_MEMBER_UPDATE")

    def time_out(self, guild: Guild, user: User, seconds: float) -> None:
        """The member can only read for so long."""
        member = guild.members[user.id]
        member.timeout_until = self.now() + seconds
        tell_member(self, guild, member, "GUILD_MEMBER_UPDATE")

    def give(self, guild: Guild, user: User, role: Role) -> None:
        guild.members[user.id].roles.append(role)
        tell_member(self, guild, guild.members[user.id], "GUILD_MEMBER_UPDATE")

    def take(self, guild: Guild, user: User, role: Role) -> None:
        guild.members[user.id].roles.remove(role)
        tell_member(self, guild, guild.members[user.id], "GUILD_MEMBER_UPDATE")

    def create_role(
        self, guild: Guild, name: str, permissions: Permission = NOTHING, *members: User
    ) -> Role:
        role = self.add_role(guild, name, permissions)
        tell_role(self, guild, role, "GUILD_ROLE_CREATE")
        for user in members:
            self.give(guild, user, role)
        return role

    def change_role(self, guild: Guild, role: Role, permissions: Permission) -> None:
        role.permissions = permissions
        tell_role(self, guild, role, "GUILD_ROLE_UPDATE")

    def delete_role(self, guild: Guild, role: Role) -> None:
        del guild.roles[role.id]
        for member in guild.members.values():
            member.roles = [each for each in member.roles if each is not role]
        tell_role(self, guild, role, "GUILD_ROLE_DELETE")

    def rename_guild(self, guild: Guild, name: str) -> None:
        guild.name = name
        self.emit("GUILD_UPDATE", guild, guild.json())

    def break_guild(self, guild: Guild) -> None:
        """An outage: it is unavailable until `mend_guild`."""
        payload = {"id": str(guild.id), "unavailable": True}
        self.emit("GUILD_DELETE", guild, payload)
        guild.unavailable = True

    def mend_guild(self, guild: Guild) -> None:
        guild.unavailable = False
        for bot in self.hearers(guild):
            for session in bot.sessions.values():
                self.show_guild(session, guild)

    def create_channel(
        self, guild: Guild, name: str, kind: Kind = Kind.TEXT, *, parent: Channel | None = None
    ) -> Channel:
        channel = self.add_channel(guild, name, kind, parent=parent)
        tell_channel(self, "CHANNEL_CREATE", channel)
        return channel

    def change_channel(
        self, channel: Channel, *, name: str | None = None, topic: str | None = None
    ) -> None:
        """A thread's, too."""
        channel.name = name or channel.name
        channel.topic = topic or channel.topic
        tell_channel(self, _update(channel), channel)

    def delete_channel(self, channel: Channel) -> None:
        """A thread, too."""
        remove_channel(self, channel)

    def hide_now(self, channel: Channel, *but: User | Role) -> None:
        """As `hide`, while bots listen."""
        self.hide(channel, *but)
        tell_channel(self, "CHANNEL_UPDATE", channel)

    def start_thread(
        self,
        user: User,
        parent: Channel,
        name: str,
        *,
        message: Message | None = None,
        kind: Kind = Kind.PUBLIC_THREAD,
    ) -> Channel:
        """From a message or without one."""
        thread = begin_thread(self, parent, kind, name, user, starter=message)
        tell_channel(self, "THREAD_CREATE", thread, newly_created=True)
        if message:
            self.announce(message, "MESSAGE_UPDATE")
        return thread

    def start_post(
        self, user: User, forum: Channel, title: str, content: str, *tags: str
    ) -> Channel:
        """In a forum."""
        thread = begin_thread(self, forum, Kind.PUBLIC_THREAD, title, user)
        assert thread.thread
        thread.thread.tags = [tag.id for tag in forum.tags if tag.name in tags]
        message = self.post(thread, user, content)
        self.become_first(message)
        tell_channel(self, "THREAD_CREATE", thread, newly_created=True)
        self.announce(message)
        return thread

    def add_to_thread(self, thread: Channel, user: User) -> None:
        enter(self, thread, user)

    def remove_from_thread(self, thread: Channel, user: User) -> None:
        leave(self, thread, user)

    def archive(self, thread: Channel, *, locked: bool = False) -> None:
        assert thread.thread
        thread.thread.archived, thread.thread.locked = True, locked
        thread.thread.archived_at = self.now()
        tell_channel(self, "THREAD_UPDATE", thread)

    def unarchive(self, thread: Channel) -> None:
        assert thread.thread
        thread.thread.archived = thread.thread.locked = False
        tell_channel(self, "THREAD_UPDATE", thread)

    def pin(self, user: User, message: Message) -> Message:
        """Returns the message in which Discord tells of it."""
        return pin(self, message, user)

    def unpin(self, message: Message) -> None:
        unpin(self, message)


def _update(channel: Channel) -> str:
    return "THREAD_UPDATE" if channel.is_thread else "CHANNEL_UPDATE"
