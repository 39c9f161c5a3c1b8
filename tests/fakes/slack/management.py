"""How apps make conversations, change them, and bring people in and out."""

import re

from tests.fakes.slack import access, rooms
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.methods import method, need
from tests.fakes.slack.people import Json
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__: list[str] = []

_WRITE = "channels:manage channels:write groups:write im:write mpim:write"
_TOPIC = f"{_WRITE} channels:write.topic groups:write.topic im:write.topic mpim:write.topic"
_INVITE = f"{_WRITE} channels:write.invites groups:write.invites"
_NAME_MAX = 80
_TOPIC_MAX = 250


def _changeable(call: Call, *more: str, member: bool = True) -> Channel:
    """A channel, not archived, that the actor is in."""
    channel = access.manageable(call, *more)
    if channel.is_direct:
        raise Refused("method_not_supported_for_channel_type")
    if member and call.actor.id not in channel.members:
        raise Refused("not_in_channel")
    return channel


def _alive(channel: Channel) -> Channel:
    if channel.is_archived:
        raise Refused("is_archived")
    return channel


def _name(call: Call) -> str:
    name = call.text("name")
    if not name:
        raise Refused("invalid_name_required")
    if len(name) > _NAME_MAX:
        raise Refused("invalid_name_maxlength")
    if re.search(r"[A-Z\s.,!?:;'\"/#@]", name):
        raise Refused("invalid_name_specials")
    if not re.search(r"\w", name):
        raise Refused("invalid_name_punctuation")
    if call.workspace.named(name):
        raise Refused("name_taken")
    return name


@method("conversations.create", _WRITE)
def conversations_create(world: World, call: Call) -> object:
    private = call.flag("is_private")
    need(call, *(["groups:write"] if private else ["channels:manage", "channels:write"]))
    channel = rooms.create(world, call.workspace, _name(call), call.actor, private=private)
    return _answer(call, channel)


def _answer(call: Call, channel: Channel) -> Json:
    return {"channel": channel.json(call.actor)}


@method("conversations.rename", _WRITE)
def conversations_rename(world: World, call: Call) -> object:
    channel = _alive(_changeable(call))
    if channel.creator is not call.actor and not call.actor.is_admin:
        raise Refused("not_authorized")
    rooms.rename(world, channel, call.actor, _name(call))
    return _answer(call, channel)


def _line(call: Call, name: str) -> str:
    if name not in call.params:
        raise Refused.invalid(f"missing required field: {name}")
    if len(call.text(name)) > _TOPIC_MAX:
        raise Refused("too_long")
    return call.text(name)


@method("conversations.setTopic", _TOPIC)
def conversations_set_topic(world: World, call: Call) -> object:
    channel = _alive(_changeable(call, "topic"))
    rooms.set_topic(world, channel, call.actor, _line(call, "topic"))
    return _answer(call, channel)


@method("conversations.setPurpose", _TOPIC)
def conversations_set_purpose(world: World, call: Call) -> object:
    channel = _alive(_changeable(call, "topic"))
    rooms.set_purpose(world, channel, call.actor, _line(call, "purpose"))
    return _answer(call, channel)


@method("conversations.archive", _WRITE)
def conversations_archive(world: World, call: Call) -> object:
    channel = _changeable(call)
    if channel.is_archived:
        raise Refused("already_archived")
    if channel.is_general:
        raise Refused("cant_archive_general")
    rooms.archive(world, channel, call.actor)
    return {}


@method("conversations.unarchive", _WRITE)
def conversations_unarchive(world: World, call: Call) -> object:
    channel = _changeable(call, member=False)
    if not channel.is_archived:
        raise Refused("not_archived")
    rooms.unarchive(world, channel, call.actor)
    return {}


@method("conversations.join", "channels:join channels:write")
def conversations_join(world: World, call: Call) -> object:
    channel = access.channel_of(call)
    if channel.kind != "public_channel":
        raise Refused("method_not_supported_for_channel_type")
    _alive(channel)
    if call.actor.id not in channel.members:
        rooms.join(world, channel, call.actor)
        return _answer(call, channel)
    told = {"response_metadata": {"warnings": ["already_in_channel"]}}
    return {**_answer(call, channel), "warning": "already_in_channel", **told}


@method("conversations.leave", _WRITE)
def conversations_leave(world: World, call: Call) -> object:
    channel = _alive(_changeable(call, member=False))
    if channel.is_general:
        raise Refused("cant_leave_general")
    if call.actor.id not in channel.members:
        return {"not_in_channel": True}
    if channel.kind == "private_channel" and len(channel.members) == 1:
        raise Refused("last_member")
    rooms.leave(world, channel, call.actor)
    return {}


@method("conversations.invite", _INVITE)
def conversations_invite(world: World, call: Call) -> object:
    """One that cannot come stops it all."""
    channel = _alive(_changeable(call, "invites"))
    names = call.names("users")
    if not names:
        raise Refused("no_user")
    errors = [error for name in names if (error := _uninvitable(call, channel, name))]
    if errors:
        raise Refused(errors[0]["error"], errors=errors)
    for name in names:
        rooms.join(world, channel, call.workspace.users[name], call.actor)
    return _answer(call, channel)


def _uninvitable(call: Call, channel: Channel, name: str) -> Json | None:
    user = call.workspace.users.get(name)
    if user is None or user.deleted:
        error = "user_not_found"
    elif user is call.actor:
        error = "cant_invite_self"
    elif name in channel.members:
        error = "already_in_channel"
    else:
        return None
    return {"user": name, "ok": False, "error": error}


@method("conversations.kick", "groups:write channels:manage channels:write")
def conversations_kick(world: World, call: Call) -> object:
    channel = _changeable(call)
    user = access.user_of(call, call.required("user"))
    if user is call.actor:
        raise Refused("cant_kick_self")
    if channel.is_general:
        raise Refused("cant_kick_from_general")
    if user.id not in channel.members:
        raise Refused("not_in_channel")
    rooms.leave(world, channel, user, call.actor)
    return {}
