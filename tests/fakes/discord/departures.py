"""How users come to guilds and go: by themselves, kicked or banned."""

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.changes import tell_member
from tests.fakes.discord.events import tell_deleted
from tests.fakes.discord.guilds import Guild, Member
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.world import World

__all__ = ["arrive", "ban", "depart", "unban"]


def arrive(world: World, guild: Guild, member: Member) -> None:
    """All who were there before are told."""
    tell_member(world, guild, member, "GUILD_MEMBER_ADD")


def depart(world: World, guild: Guild, user: User) -> None:
    """A bot is told that the guild is gone, the others that the member is."""
    del guild.members[user.id]
    for role in [role for role in guild.roles.values() if role.bot_id == user.id]:
        del guild.roles[role.id]
    for thread in guild.threads:
        if thread.thread:
            thread.thread.members.pop(user.id, None)
    if isinstance(user, Bot):
        world.emit("GUILD_DELETE", guild, {"id": str(guild.id)}, only=[user])
    world.emit("GUILD_MEMBER_REMOVE", guild, _about(guild, user))


def ban(
    world: World, guild: Guild, user: User, reason: str | None = None, *, delete_s: int = 0
) -> None:
    """What the user wrote in the last `delete_s` seconds goes, too."""
    guild.bans[user.id] = reason
    world.emit("GUILD_BAN_ADD", guild, _about(guild, user))
    for channel in guild.channels.values():
        since = world.now() - delete_s
        recent = [each for each in channel.visible if each.author is user and each.sent_at > since]
        if delete_s and recent:
            tell_deleted(world, recent)
    if user.id in guild.members:
        depart(world, guild, user)


def unban(world: World, guild: Guild, user: User) -> None:
    del guild.bans[user.id]
    world.emit("GUILD_BAN_REMOVE", guild, _about(guild, user))


def _about(guild: Guild, user: User) -> Json:
    return {"guild_id": str(guild.id), "user": user.json()}
