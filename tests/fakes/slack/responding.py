"""How apps answer messages: reactions, pins, bookmarks."""

import re

from tests.fakes.slack import access, events, rooms
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.messages import Message
from tests.fakes.slack.methods import method
from tests.fakes.slack.people import Json
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__: list[str] = []

_EMOJI = re.compile(r"[a-z0-9_'+-]+(::skin-tone-[2-6])?")
_MOST_EMOJI = 23


def _item(call: Call) -> Message:
    if not (call.text("channel") and call.text("timestamp")):
        raise Refused("no_item_specified")
    return access.message_of(access.channel_of(call), call.text("timestamp"))


def _emoji(call: Call) -> str:
    """Without colons; the fake takes any name of the right form."""
    name = call.text("name")
    if not _EMOJI.fullmatch(name):
        raise Refused("invalid_name")
    return name


@method("reactions.add", "reactions:write")
def reactions_add(world: World, call: Call) -> object:
    name, message = _emoji(call), _item(call)
    if message.channel.is_archived:
        raise Refused("is_archived")
    users = message.reactions.get(name, [])
    if call.actor in users:
        raise Refused("already_reacted")
    if name not in message.reactions and len(message.reactions) >= _MOST_EMOJI:
        raise Refused("too_many_emoji")
    message.reactions[name] = [*users, call.actor]
    events.reaction(world, "reaction_added", call.actor, message, name)
    return {}


@method("reactions.remove", "reactions:write")
def reactions_remove(world: World, call: Call) -> object:
    name, message = _emoji(call), _item(call)
    users = message.reactions.get(name, [])
    if call.actor not in users:
        raise Refused("no_reaction")
    users.remove(call.actor)
    if not users:
        del message.reactions[name]
    events.reaction(world, "reaction_removed", call.actor, message, name)
    return {}


@method("reactions.get", "reactions:read")
def reactions_get(world: World, call: Call) -> object:
    message = _item(call)
    body = {**message.json(), "permalink": access.permalink(message)}
    return {"type": "message", "channel": message.channel.id, "message": body}


@method("pins.add", "pins:write")
def pins_add(world: World, call: Call) -> object:
    channel, ts = _pinnable(call)
    if access.message_of(channel, ts) in channel.pins:
        raise Refused("already_pinned")
    rooms.pin(world, channel, call.actor, ts)
    return {}


@method("pins.remove", "pins:write")
def pins_remove(world: World, call: Call) -> object:
    channel, ts = _pinnable(call)
    if access.message_of(channel, ts) not in channel.pins:
        raise Refused("no_pin")
    rooms.unpin(world, channel, call.actor, ts)
    return {}


def _pinnable(call: Call) -> tuple[Channel, str]:
    channel = access.channel_of(call)
    if call.actor.id not in channel.members:
        raise Refused("not_in_channel")
    if not (ts := call.text("timestamp")):
        raise Refused("no_item_specified")
    return channel, ts


@method("pins.list", "pins:read")
def pins_list(world: World, call: Call) -> object:
    channel = access.channel_of(call)
    return {"items": [_pin(each) for each in reversed(channel.pins)]}


def _pin(message: Message) -> Json:
    assert message.user
    body = {**message.json(), "permalink": access.permalink(message)}
    about = {"type": "message", "channel": message.channel.id, "message": body}
    seconds, _ = access.moment(message.ts)
    return {**about, "created": seconds, "created_by": message.user.id}


@method("bookmarks.list", "bookmarks:read")
def bookmarks_list(world: World, call: Call) -> object:
    return {"bookmarks": access.channel_of(call, "channel_id").bookmarks}


@method("bookmarks.add", "bookmarks:write")
def bookmarks_add(world: World, call: Call) -> object:
    channel = access.channel_of(call, "channel_id")
    if call.required("type") != "link":
        raise Refused("invalid_bookmark_type")
    if not call.text("link").startswith(("http://", "https://")):
        raise Refused("invalid_link")
    bookmark: Json = {
        "id": world.identifiers.new("Bk"),
        "channel_id": channel.id,
        "title": call.required("title"),
        "link": call.text("link"),
        "emoji": call.text("emoji"),
        "icon_url": None,
        "type": "link",
        "entity_id": None,
        "date_created": world.now(),
        "date_updated": 0,
        "rank": "g",
        "last_updated_by_user_id": call.actor.id,
        "last_updated_by_team_id": call.workspace.id,
        "shortcut_id": None,
        "app_id": None,
    }
    channel.bookmarks.append(bookmark)
    return {"bookmark": bookmark}


@method("bookmarks.remove", "bookmarks:write")
def bookmarks_remove(world: World, call: Call) -> object:
    channel = access.channel_of(call, "channel_id")
    kept = [each for each in channel.bookmarks if each["id"] != call.required("bookmark_id")]
    if len(kept) == len(channel.bookmarks):
        raise Refused("not_found")
    channel.bookmarks = kept
    return {}
