"""Messages that bots read."""

from tests.fakes.discord.access import message_of, room_of
from tests.fakes.discord.channels import Kind
from tests.fakes.discord.messages import Message
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__: list[str] = []

_SILENT = {Kind.CATEGORY, Kind.FORUM}


@operation("list_messages", "GET", "/channels/{channel_id}/messages")
def list_messages(world: World, call: Call) -> list[Json]:
    """Newest first; nothing where the bot may not read what was before."""
    limit = call.number("limit", 50, 1, 100)
    before, after, around = (call.asked_id(name) for name in ("before", "after", "around"))
    channel = room_of(world, call)
    if channel.kind in _SILENT:
        raise Refused(50008)
    if Permission.READ_MESSAGE_HISTORY not in world.may(call.me, channel):
        return []
    found = channel.visible
    if around is not None:
        found = _around(found, around, limit)
    elif before is not None:
        found = [each for each in found if each.id < before][-limit:]
    elif after is not None:
        found = [each for each in found if each.id > after][:limit]
    return [world.shown(each, call.me) for each in reversed(found[-limit:])]


def _around(messages: list[Message], id: int, limit: int) -> list[Message]:
    half = limit // 2
    earlier = [each for each in messages if each.id < id][-half:] if half else []
    later = [each for each in messages if each.id >= id][: limit - half]
    return [*earlier, *later]


@operation("get_message", "GET", "/channels/{channel_id}/messages/{message_id}")
def get_message(world: World, call: Call) -> Json:
    channel = room_of(world, call)
    return world.shown(message_of(world, call, channel), call.me)
