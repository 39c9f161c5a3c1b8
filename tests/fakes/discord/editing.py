"""What bots do with messages that stand: edit, delete, publish."""

from typing import cast

from tests.fakes.discord.access import check_awake, message_of, need, room_of, standing
from tests.fakes.discord.bodies import ids, part, parts
from tests.fakes.discord.channels import Channel, Kind
from tests.fakes.discord.components import numbered
from tests.fakes.discord.composing import attached
from tests.fakes.discord.embeds import kept_embeds
from tests.fakes.discord.events import tell_deleted
from tests.fakes.discord.files import Attachment
from tests.fakes.discord.forms import check_message
from tests.fakes.discord.mentions import notified
from tests.fakes.discord.messages import Flag, Message
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import InvalidForm, Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.snowflakes import moment
from tests.fakes.discord.world import World

__all__ = ["change", "publish"]

_BULK_LEAST, _BULK_MOST = 2, 100
_BULK_AGE_MAX_S = 14 * 86400


@operation("update_message", "PATCH", "/channels/{channel_id}/messages/{message_id}")
def update_message(world: World, call: Call) -> Json:
    check_message(call.body)
    channel = room_of(world, call)
    message = standing(channel, call.id("message_id"))
    check_awake(channel)
    if message.author is not call.me:
        if call.body.keys() - {"flags", "tts"}:
            raise Refused(50005)
        need(world, call, channel, Permission.MANAGE_MESSAGES)
    change(world, call, message)
    world.announce(message, "MESSAGE_UPDATE")
    return world.shown(message, call.me)


def change(world: World, call: Call, message: Message) -> None:
    """As a form that was checked says; nobody is told yet."""
    if message.poll:
        raise Refused(520003)
    body, channel = call.body, message.channel
    files = _kept_files(world, call, message)
    content = cast("str", body.get("content", message.content) or "").strip()
    embeds = message.embeds
    if "embeds" in body:
        embeds = kept_embeds(parts(body, "embeds"), files, world.library)
    components = message.components
    if "components" in body:
        components = numbered(parts(body, "components"))
    if not any([content, embeds, components, files, message.stickers]):
        raise Refused(50006)
    if {"content", "embeds", "components", "attachments"} & body.keys() or call.files:
        message.edited_at = world.now()
    if "content" in body:
        allowed = part(body, "allowed_mentions") if "allowed_mentions" in body else None
        heard = notified(world, channel, message.author, content, allowed)
        message.mentions, message.mentioned_roles = heard.users, heard.roles
        message.mentions_everyone = heard.everyone
    message.content, message.embeds = content, embeds
    message.components, message.attachments = components, files
    if (flags := body.get("flags")) is not None:
        kept = message.flags & ~Flag.SUPPRESS_EMBEDS
        message.flags = kept | (Flag(flags) & (Flag.SUPPRESS_EMBEDS | Flag.IS_COMPONENTS_V2))


def _kept_files(world: World, call: Call, message: Message) -> list[Attachment]:
    """The array of a request names everything that is to stay."""
    new = attached(world, message.channel, call.body, call.files)
    if "attachments" not in call.body:
        return [*message.attachments, *new]
    named = {str(each["id"]) for each in parts(call.body, "attachments")}
    return [*(each for each in message.attachments if str(each.id) in named), *new]


@operation("delete_message", "DELETE", "/channels/{channel_id}/messages/{message_id}")
def delete_message(world: World, call: Call) -> None:
    channel = room_of(world, call)
    message = standing(channel, call.id("message_id"))
    if message.author is not call.me:
        if channel.is_dm:
            raise Refused(50003)
        need(world, call, channel, Permission.MANAGE_MESSAGES)
    tell_deleted(world, [message])


@operation("bulk_delete_messages", "POST", "/channels/{channel_id}/messages/bulk-delete")
def bulk_delete_messages(world: World, call: Call) -> None:
    channel = room_of(world, call)
    if channel.is_dm:
        raise Refused(50003)
    need(world, call, channel, Permission.MANAGE_MESSAGES)
    named = ids(call.body, "messages")
    if not _BULK_LEAST <= len(named) <= _BULK_MOST:
        raise Refused(50016)
    if len(set(named)) < len(named):
        raise InvalidForm(("messages", "SET_TYPE_ALREADY_CONTAINS_VALUE", "Must be unique."))
    if any(moment(id) < world.now() - _BULK_AGE_MAX_S for id in named):
        raise Refused(50034)
    found = [channel.messages[id] for id in named if id in channel.messages]
    if standing_ones := [each for each in found if not each.deleted]:
        tell_deleted(world, standing_ones)


@operation("crosspost_message", "POST", "/channels/{channel_id}/messages/{message_id}/crosspost")
def crosspost_message(world: World, call: Call) -> Json:
    channel = room_of(world, call)
    if channel.kind is not Kind.ANNOUNCEMENT:
        raise Refused(50024)
    message = message_of(world, call, channel)
    need(world, call, channel, Permission.SEND_MESSAGES)
    if message.author is not call.me:
        need(world, call, channel, Permission.MANAGE_MESSAGES)
    if Flag.CROSSPOSTED in message.flags:
        raise Refused(40033)
    publish(world, message)
    return world.shown(message, call.me)


def publish(world: World, message: Message) -> None:
    """Copies stand in the channels that follow."""
    message.flags |= Flag.CROSSPOSTED
    world.announce(message, "MESSAGE_UPDATE")
    for channel in message.channel.followers:
        world.announce(_copied(world, message, channel))


def _copied(world: World, message: Message, channel: Channel) -> Message:
    return world.post(
        channel,
        message.author,
        message.content,
        flags=Flag.IS_CROSSPOST,
        embeds=message.embeds,
        attachments=message.attachments,
        reference=message,
        webhook_id=world.clock.new_id(),
    )
