"""What a request names, if its bot may reach it; the API's refusals otherwise."""

from tests.fakes.discord.channels import Channel
from tests.fakes.discord.guilds import Guild, Member, Role
from tests.fakes.discord.intents import Intent
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import User
from tests.fakes.discord.permissions import Permission, in_guild
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__ = [
    "check_awake",
    "guild_of",
    "known_channel",
    "known_user",
    "member_of",
    "message_of",
    "need",
    "need_in_guild",
    "need_intent",
    "role_of",
    "room_of",
    "standing",
]


def known_channel(world: World, id: int) -> Channel:
    channel = world.channels.get(id)
    if channel is None:
        raise Refused(10003)
    return channel


def room_of(world: World, call: Call) -> Channel:
    """The channel of the path."""
    channel = known_channel(world, call.id("channel_id"))
    if channel.guild and channel.guild.unavailable:
        raise Refused(0, 503, "503: Service Unavailable")
    if not world.sees(call.me, channel):
        raise Refused(50001)
    return channel


def need(world: World, call: Call, channel: Channel, *permissions: Permission) -> None:
    allowed = world.may(call.me, channel)
    if any(each not in allowed for each in permissions):
        raise Refused(50013)


def message_of(world: World, call: Call, channel: Channel) -> Message:
    """The message of the path; its bot may read what was before."""
    if Permission.READ_MESSAGE_HISTORY not in world.may(call.me, channel):
        raise Refused(50001)
    return standing(channel, call.id("message_id"))


def standing(channel: Channel, id: int) -> Message:
    message = channel.messages.get(id)
    if message is None or message.deleted:
        raise Refused(10008)
    return message


def check_awake(channel: Channel) -> None:
    """In an archived thread only writing is possible: that wakes it."""
    if channel.thread and channel.thread.archived:
        raise Refused(50083)


def guild_of(world: World, call: Call) -> Guild:
    guild = world.guilds.get(call.id("guild_id"))
    if guild is None:
        raise Refused(10004)
    if guild.unavailable:
        raise Refused(0, 503, "503: Service Unavailable")
    if call.me.id not in guild.members:
        raise Refused(50001)
    return guild


def need_in_guild(guild: Guild, call: Call, permission: Permission) -> None:
    if permission not in in_guild(guild, call.me):
        raise Refused(50013)


def need_intent(call: Call, intent: Intent) -> None:
    """What its owner has enabled counts, not what the gateway was asked for."""
    if intent not in call.me.enabled:
        raise Refused(50001)


def known_user(world: World, id: int) -> User:
    user = world.users.get(id)
    if user is None:
        raise Refused(10013)
    return user


def member_of(world: World, call: Call, guild: Guild, name: str = "user_id") -> Member:
    user = known_user(world, call.id(name))
    member = guild.members.get(user.id)
    if member is None:
        raise Refused(10007)
    return member


def role_of(guild: Guild, call: Call) -> Role:
    role = guild.roles.get(call.id("role_id"))
    if role is None:
        raise Refused(10011)
    return role
