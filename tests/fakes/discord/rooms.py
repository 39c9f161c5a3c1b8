"""Channels that bots make, change and remove."""

from tests.fakes.discord.access import guild_of, need, need_in_guild, room_of
from tests.fakes.discord.bodies import parts
from tests.fakes.discord.changes import remove_channel, tell_channel
from tests.fakes.discord.channels import Channel, Kind, Overwrite, Tag
from tests.fakes.discord.messages import MessageKind
from tests.fakes.discord.operations import Reply, operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.threads import check_name, set_tags
from tests.fakes.discord.world import World

__all__: list[str] = []

_ROOMS_MAX = 500
_OF_MODERATORS = {"locked", "rate_limit_per_user", "invitable", "flags"}


@operation("create_guild_channel", "POST", "/guilds/{guild_id}/channels")
def create_guild_channel(world: World, call: Call) -> Reply:
    check_name(call.body.get("name"))
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.MANAGE_CHANNELS)
    if len(guild.channels) - len(guild.threads) >= _ROOMS_MAX:
        raise Refused(30013)
    kind = Kind(call.body.get("type") or Kind.TEXT)
    channel = Channel(world.clock.new_id(), kind, str(call.body["name"]), guild)
    channel.position = len(guild.channels) - len(guild.threads)
    _shape(world, call, channel)
    world.channels[channel.id] = guild.channels[channel.id] = channel
    tell_channel(world, "CHANNEL_CREATE", channel)
    return Reply(201, channel.json(call.me))


def _shape(world: World, call: Call, channel: Channel) -> None:
    body = call.body
    channel.name = str(body.get("name") or channel.name)
    channel.topic = body.get("topic", channel.topic)
    channel.nsfw = bool(body.get("nsfw", channel.nsfw))
    channel.slowmode_s = int(body.get("rate_limit_per_user") or 0)
    if (position := body.get("position")) is not None:
        channel.position = int(position)
    if "parent_id" in body:
        id = call.given_id("parent_id")
        channel.parent = world.channels[id] if id else None
    if "permission_overwrites" in body:
        found = [_overwrite(int(each["id"]), each) for each in parts(body, "permission_overwrites")]
        channel.overwrites = {each.id: each for each in found}
    if "available_tags" in body:
        channel.tags = [_tag(world, each) for each in parts(body, "available_tags")]


def _overwrite(id: int, given: Json) -> Overwrite:
    allow, deny = int(given.get("allow") or 0), int(given.get("deny") or 0)
    return Overwrite(id, int(given["type"]) == 1, Permission(allow), Permission(deny))


def _tag(world: World, given: Json) -> Tag:
    id = int(given.get("id") or world.clock.new_id())
    return Tag(id, str(given["name"]), bool(given.get("moderated")))


@operation("update_channel", "PATCH", "/channels/{channel_id}")
def update_channel(world: World, call: Call) -> Json:
    channel = room_of(world, call)
    if "name" in call.body:
        check_name(call.body["name"])
    if channel.is_dm:
        raise Refused(50003)
    if channel.is_thread:
        _change_thread(world, call, channel)
        tell_channel(world, "THREAD_UPDATE", channel)
    else:
        need(world, call, channel, Permission.MANAGE_CHANNELS)
        _shape(world, call, channel)
        tell_channel(world, "CHANNEL_UPDATE", channel)
    return channel.json(call.me)


def _change_thread(world: World, call: Call, channel: Channel) -> None:
    assert channel.thread
    body, thread = call.body, channel.thread
    moderates = Permission.MANAGE_THREADS in world.may(call.me, channel)
    only_wakes = body.keys() == {"archived"} and not body["archived"] and not thread.locked
    is_own = thread.owner is call.me and not body.keys() & _OF_MODERATORS
    if not (moderates or is_own or only_wakes):
        raise Refused(50013)
    if thread.archived and body.get("archived") is not False:
        raise Refused(50083)
    if "archived" in body:
        if body["archived"] and not thread.archived:
            thread.archived_at = world.now()
        thread.archived = bool(body["archived"])
    thread.locked = bool(body.get("locked", thread.locked))
    thread.invitable = bool(body.get("invitable", thread.invitable))
    thread.auto_archive_minutes = body.get("auto_archive_duration") or thread.auto_archive_minutes
    channel.slowmode_s = body.get("rate_limit_per_user") or channel.slowmode_s
    if "applied_tags" in body:
        set_tags(world, call, channel)
    if (name := body.get("name")) and name != channel.name:
        channel.name = str(name)
        kind = MessageKind.CHANNEL_NAME_CHANGE
        world.announce(world.post(channel, call.me, channel.name, kind=kind))


@operation("delete_channel", "DELETE", "/channels/{channel_id}")
def delete_channel(world: World, call: Call) -> Json:
    """Direct messages are only closed: they come back with the next message."""
    channel = room_of(world, call)
    found = channel.json(call.me)
    if not channel.is_dm:
        thread = channel.is_thread
        needed = Permission.MANAGE_THREADS if thread else Permission.MANAGE_CHANNELS
        need(world, call, channel, needed)
        remove_channel(world, channel)
    return found


@operation(
    "set_channel_permission_overwrite", "PUT", "/channels/{channel_id}/permissions/{overwrite_id}"
)
def set_channel_permission_overwrite(world: World, call: Call) -> None:
    channel, id = _overwritten(world, call)
    channel.overwrites[id] = _overwrite(id, call.body)
    tell_channel(world, "CHANNEL_UPDATE", channel)


@operation(
    "delete_channel_permission_overwrite",
    "DELETE",
    "/channels/{channel_id}/permissions/{overwrite_id}",
)
def delete_channel_permission_overwrite(world: World, call: Call) -> None:
    channel, id = _overwritten(world, call)
    if id not in channel.overwrites:
        raise Refused(10009)
    del channel.overwrites[id]
    tell_channel(world, "CHANNEL_UPDATE", channel)


def _overwritten(world: World, call: Call) -> tuple[Channel, int]:
    channel = room_of(world, call)
    if channel.guild is None:
        raise Refused(50003)
    need(world, call, channel, Permission.MANAGE_ROLES)
    return channel, call.id("overwrite_id")
