"""Pins, by the routes of today and by those before."""

from tests.fakes.discord.access import check_awake, message_of, need, room_of
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.events import surroundings
from tests.fakes.discord.messages import Message, MessageKind
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.snowflakes import iso
from tests.fakes.discord.world import World

__all__ = ["pin", "unpin"]

_PINS_MAX = 250
_OLD_PAGE = 50


@operation("create_pin", "PUT", "/channels/{channel_id}/messages/pins/{message_id}")
@operation("deprecated_create_pin", "PUT", "/channels/{channel_id}/pins/{message_id}")
def create_pin(world: World, call: Call) -> None:
    message = _pinnable(world, call)
    if message.pinned_at:
        return
    if len(message.channel.pins) >= _PINS_MAX:
        raise Refused(30003)
    pin(world, message, call.me)


@operation("delete_pin", "DELETE", "/channels/{channel_id}/messages/pins/{message_id}")
@operation("deprecated_delete_pin", "DELETE", "/channels/{channel_id}/pins/{message_id}")
def delete_pin(world: World, call: Call) -> None:
    message = _pinnable(world, call)
    if message.pinned_at:
        unpin(world, message)


def _pinnable(world: World, call: Call) -> Message:
    channel = room_of(world, call)
    message = message_of(world, call, channel)
    check_awake(channel)
    need(world, call, channel, Permission.PIN_MESSAGES)
    if not message.is_of_people:
        raise Refused(50021)
    return message


def pin(world: World, message: Message, by: User) -> Message:
    """Returns the message in which Discord tells of it."""
    channel = message.channel
    message.pinned_at = channel.pinned_at = world.now()
    world.announce(message, "MESSAGE_UPDATE")
    _tell(world, channel)
    notice = world.post(channel, by, kind=MessageKind.CHANNEL_PINNED_MESSAGE, reference=message)
    world.announce(notice)
    return notice


def unpin(world: World, message: Message) -> None:
    message.pinned_at = 0
    world.announce(message, "MESSAGE_UPDATE")
    _tell(world, message.channel)


def _tell(world: World, channel: Channel) -> None:
    last = iso(channel.pinned_at) if channel.pinned_at else None
    payload = {**surroundings(channel), "last_pin_timestamp": last}
    world.emit("CHANNEL_PINS_UPDATE", channel, payload)


@operation("list_pins", "GET", "/channels/{channel_id}/messages/pins")
def list_pins(world: World, call: Call) -> Json:
    limit = call.number("limit", 50, 1, 50)
    before = call.query.get("before")
    channel = room_of(world, call)
    found = [
        {"pinned_at": iso(each.pinned_at), "message": world.shown(each, call.me)}
        for each in _readable(world, call, channel)
        if before is None or iso(each.pinned_at) < before
    ]
    return {"items": found[:limit], "has_more": len(found) > limit}


@operation("deprecated_list_pins", "GET", "/channels/{channel_id}/pins")
def deprecated_list_pins(world: World, call: Call) -> list[Json]:
    channel = room_of(world, call)
    pins = _readable(world, call, channel)[:_OLD_PAGE]
    return [world.shown(each, call.me) for each in pins]


def _readable(world: World, call: Call, channel: Channel) -> list[Message]:
    may_read = Permission.READ_MESSAGE_HISTORY in world.may(call.me, channel)
    return channel.pins if may_read else []
