"""Messages that bots write."""

from tests.fakes.discord.access import need, room_of
from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel, Kind
from tests.fakes.discord.composing import made
from tests.fakes.discord.forms import check_message
from tests.fakes.discord.messages import Message
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__: list[str] = []

_NONCE_LIFE_S = 300
_SILENT_ROOMS = {Kind.CATEGORY: 50008, Kind.FORUM: 40058}


@operation("create_message", "POST", "/channels/{channel_id}/messages")
def create_message(world: World, call: Call) -> Json:
    check_message(call.body)
    channel = room_of(world, call)
    _check_speech(world, call, channel)
    message = _sent_again(world, call, channel)
    if message is None:
        message = made(world, call.me, channel, call.body, call.files)
        world.announce(message)
    nonce = {} if message.nonce is None else {"nonce": message.nonce}
    return {**world.shown(message, call.me), **nonce}


def _check_speech(world: World, call: Call, channel: Channel) -> None:
    """Raises where the bot may not write."""
    if channel.kind in _SILENT_ROOMS:
        raise Refused(_SILENT_ROOMS[channel.kind])
    if channel.is_dm:
        _check_direct(world, call.me, channel.other(call.me))
        return
    speech = Permission.SEND_MESSAGES
    if channel.is_thread:
        speech = Permission.SEND_MESSAGES_IN_THREADS
    needed = [speech]
    needed += [Permission.ATTACH_FILES] if call.files else []
    needed += [Permission.EMBED_LINKS] if call.body.get("embeds") else []
    needed += [Permission.SEND_POLLS] if call.body.get("poll") else []
    needed += [Permission.SEND_TTS_MESSAGES] if call.body.get("tts") else []
    need(world, call, channel, *needed)
    _check_pace(world, call.me, channel)
    locked = channel.thread and channel.thread.locked and channel.thread.archived
    if locked and Permission.MANAGE_THREADS not in world.may(call.me, channel):
        raise Refused(160005)


def _check_direct(world: World, bot: Bot, user: User) -> None:
    if user.is_bot or bot.id in user.blocked or user.closed_dms:
        raise Refused(50007)
    if not {each.id for each in world.guilds_of(bot)} & {each.id for each in world.guilds_of(user)}:
        raise Refused(50278)


def _check_pace(world: World, bot: Bot, channel: Channel) -> None:
    free = Permission.BYPASS_SLOWMODE | Permission.MANAGE_MESSAGES | Permission.MANAGE_CHANNELS
    if not channel.slowmode_s or world.may(bot, channel) & free:
        return
    last = max((each.sent_at for each in bot.posted if each.channel is channel), default=0.0)
    if (left_s := last + channel.slowmode_s - world.now()) > 0:
        raise Refused(20016, retry_after_s=left_s)


def _sent_again(world: World, call: Call, channel: Channel) -> Message | None:
    """The message that the bot has sent already with this nonce."""
    nonce = call.body.get("nonce")
    if nonce is None or not call.body.get("enforce_nonce"):
        return None
    since = world.now() - _NONCE_LIFE_S
    for message in reversed(call.me.posted):
        same = message.channel is channel and str(message.nonce) == str(nonce)
        if same and message.sent_at > since:
            return message
    return None
