"""What a member may do, in a guild and in one of its channels.

Source: https://docs.discord.com/developers/topics/permissions
"""

from enum import IntFlag
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.fakes.discord.channels import Channel
    from tests.fakes.discord.guilds import Guild
    from tests.fakes.discord.people import User

__all__ = ["EVERYDAY", "NOTHING", "Permission", "in_channel", "in_guild"]


class Permission(IntFlag):
    CREATE_INSTANT_INVITE = 1 << 0
    KICK_MEMBERS = 1 << 1
    BAN_MEMBERS = 1 << 2
    ADMINISTRATOR = 1 << 3
    MANAGE_CHANNELS = 1 << 4
    MANAGE_GUILD = 1 << 5
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    SEND_TTS_MESSAGES = 1 << 12
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    USE_EXTERNAL_EMOJIS = 1 << 18
    CONNECT = 1 << 20
    SPEAK = 1 << 21
    CHANGE_NICKNAME = 1 << 26
    MANAGE_NICKNAMES = 1 << 27
    MANAGE_ROLES = 1 << 28
    MANAGE_WEBHOOKS = 1 << 29
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    USE_EXTERNAL_STICKERS = 1 << 37
    SEND_MESSAGES_IN_THREADS = 1 << 38
    MODERATE_MEMBERS = 1 << 40
    SEND_VOICE_MESSAGES = 1 << 46
    SEND_POLLS = 1 << 49
    PIN_MESSAGES = 1 << 51
    BYPASS_SLOWMODE = 1 << 52


NOTHING = Permission(0)
_ALL = Permission((1 << 53) - 1)
# What @everyone can do in a new guild.
EVERYDAY = (
    Permission.CREATE_INSTANT_INVITE
    | Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.MENTION_EVERYONE
    | Permission.USE_EXTERNAL_EMOJIS
    | Permission.CONNECT
    | Permission.SPEAK
    | Permission.CHANGE_NICKNAME
    | Permission.USE_APPLICATION_COMMANDS
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.CREATE_PRIVATE_THREADS
    | Permission.USE_EXTERNAL_STICKERS
    | Permission.SEND_MESSAGES_IN_THREADS
    | Permission.SEND_VOICE_MESSAGES
    | Permission.SEND_POLLS
)
# Who cannot see a channel can do nothing there, who cannot write cannot do these.
_WRITING = (
    Permission.SEND_TTS_MESSAGES
    | Permission.MENTION_EVERYONE
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
)
_TIMED_OUT = Permission.VIEW_CHANNEL | Permission.READ_MESSAGE_HISTORY


def in_guild(guild: "Guild", user: "User") -> Permission:
    if user is guild.owner:
        return _ALL
    found = guild.everyone.permissions
    for role in guild.members[user.id].roles:
        found |= role.permissions
    return _ALL if Permission.ADMINISTRATOR in found else found


def in_channel(guild: "Guild", channel: "Channel", user: "User", now: float) -> Permission:
    """Threads have the permissions of the channel they are in."""
    found = in_guild(guild, user)
    if found == _ALL:
        return found
    channel = channel.parent if channel.is_thread and channel.parent else channel
    member = guild.members[user.id]
    ranks = [guild.everyone.id], [role.id for role in member.roles], [user.id]
    for ids in ranks:
        hit = [channel.overwrites[id] for id in ids if id in channel.overwrites]
        for each in hit:
            found &= ~each.deny
        for each in hit:
            found |= each.allow
    if member.timeout_until > now:
        found &= _TIMED_OUT
    if Permission.VIEW_CHANNEL not in found:
        return NOTHING
    return found if Permission.SEND_MESSAGES in found else found & ~_WRITING
