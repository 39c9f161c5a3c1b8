"""How apps list, open and mark conversations, and what they learn of them."""

from tests.fakes.slack import access
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.methods import method, need
from tests.fakes.slack.paging import page_of
from tests.fakes.slack.people import Json
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__: list[str] = []

_READ = "channels:read groups:read im:read mpim:read"
_WRITE = "channels:manage channels:write groups:write im:write mpim:write"
_KINDS = {
    "public_channel": "channels:read",
    "private_channel": "groups:read",
    "mpim": "mpim:read",
    "im": "im:read",
}
_MOST_IN_MPIM = 8


def _kinds(call: Call) -> list[str]:
    kinds = call.names("types") or ["public_channel"]
    if not set(kinds) <= _KINDS.keys():
        raise Refused("invalid_types")
    for kind in kinds:
        need(call, _KINDS[kind])
    return kinds


@method("conversations.list", _READ)
def conversations_list(world: World, call: Call) -> object:
    kinds = _kinds(call)
    found = [
        each
        for each in call.workspace.channels.values()
        if each.kind in kinds
        and access.sees(call.actor, each)
        and not (call.flag("exclude_archived") and each.is_archived)
    ]
    return _listed(world, call, found)


@method("users.conversations", _READ)
def users_conversations(world: World, call: Call) -> object:
    """Those somebody is in, as far as the actor sees them."""
    kinds = _kinds(call)
    member = access.user_of(call, call.text("user")) if call.text("user") else call.actor
    found = [
        each
        for each in call.workspace.channels.values()
        if each.kind in kinds
        and member.id in each.members
        and access.sees(call.actor, each)
        and not (call.flag("exclude_archived") and each.is_archived)
    ]
    return _listed(world, call, found)


def _listed(world: World, call: Call, found: list[Channel]) -> Json:
    page, metadata = page_of(world, call, found)
    channels = [each.json(call.actor, details=False) for each in page]
    for body, channel in zip(channels, page, strict=True):
        if channel.kind != "im":
            body["num_members"] = len(channel.members)
    return {"channels": channels, **metadata}


@method("conversations.info", _READ)
def conversations_info(world: World, call: Call) -> object:
    channel = access.readable(call, "read")
    body = channel.json(call.actor)
    if call.flag("include_num_members"):
        body["num_members"] = len(channel.members)
    return {"channel": body}


@method("conversations.members", _READ)
def conversations_members(world: World, call: Call) -> object:
    channel = access.readable(call, "read")
    page, metadata = page_of(world, call, list(channel.members))
    return {"members": page, **metadata}


@method("conversations.open", _WRITE)
def conversations_open(world: World, call: Call) -> object:
    if call.text("channel"):
        channel = access.channel_of(call)
        if not channel.is_direct:
            raise Refused("method_not_supported_for_channel_type")
        return _opened(call, channel, known=True)
    names = call.names("users")
    if not names:
        raise Refused("users_list_not_supplied")
    if len(names) > _MOST_IN_MPIM:
        raise Refused("too_many_users")
    need(call, "im:write" if len(names) == 1 else "mpim:write")
    people = [access.user_of(call, name) for name in names]
    if any(each.deleted for each in people):
        raise Refused("user_disabled")
    before = len(call.workspace.channels)
    channel = world.direct(call.actor, *people)
    return _opened(call, channel, known=len(call.workspace.channels) == before)


def _opened(call: Call, channel: Channel, *, known: bool) -> Json:
    need(call, f"{channel.family}:write")
    channel.closed_for.discard(call.actor.id)
    already = {"no_op": True, "already_open": True} if known else {}
    whole = call.flag("return_im")
    return {**already, "channel": channel.json(call.actor) if whole else {"id": channel.id}}


@method("conversations.close", _WRITE)
def conversations_close(world: World, call: Call) -> object:
    channel = access.manageable(call)
    if not channel.is_direct:
        raise Refused("method_not_supported_for_channel_type")
    if call.actor.id in channel.closed_for:
        return {"no_op": True, "already_closed": True}
    channel.closed_for.add(call.actor.id)
    return {}


@method("conversations.mark", _WRITE)
def conversations_mark(world: World, call: Call) -> object:
    channel = access.manageable(call)
    if call.actor.id not in channel.members:
        raise Refused("not_in_channel")
    ts = call.required("ts")
    if ts not in channel.messages:
        raise Refused("invalid_timestamp")
    channel.read[call.actor.id] = ts
    return {}
