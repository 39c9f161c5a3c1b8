"""Threads that bots begin, join, list and close."""

from collections.abc import Callable

from tests.fakes.discord.access import (
    check_awake,
    guild_of,
    known_user,
    message_of,
    need,
    need_intent,
    room_of,
)
from tests.fakes.discord.bodies import ids, part
from tests.fakes.discord.changes import begin_thread, enter, leave, tell_channel
from tests.fakes.discord.channels import Channel, Kind
from tests.fakes.discord.composing import made
from tests.fakes.discord.forms import check_message, required, too_long
from tests.fakes.discord.intents import Intent
from tests.fakes.discord.messages import MessageKind
from tests.fakes.discord.operations import Reply, operation
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import InvalidForm, Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.snowflakes import iso
from tests.fakes.discord.world import World

__all__ = ["check_name", "set_tags"]

_NAME_MAX = 100
_PEOPLE_MAX = 1000
_THREAD_OF = {Kind.TEXT: Kind.PUBLIC_THREAD, Kind.ANNOUNCEMENT: Kind.ANNOUNCEMENT_THREAD}
_MEMBERS = "/channels/{channel_id}/thread-members"


def check_name(name: object) -> None:
    if not name:
        raise InvalidForm(required("name"))
    for fault in too_long("name", str(name), _NAME_MAX):
        raise InvalidForm(fault)


def _shape(call: Call, thread: Channel) -> None:
    assert thread.thread
    thread.thread.auto_archive_minutes = call.body.get("auto_archive_duration") or 4320
    thread.slowmode_s = call.body.get("rate_limit_per_user") or 0
    thread.thread.invitable = call.body.get("invitable") is not False


@operation(
    "create_thread_from_message", "POST", "/channels/{channel_id}/messages/{message_id}/threads"
)
def create_thread_from_message(world: World, call: Call) -> Reply:
    check_name(call.body.get("name"))
    channel = room_of(world, call)
    if channel.kind not in _THREAD_OF:
        raise Refused(50024)
    message = message_of(world, call, channel)
    need(world, call, channel, Permission.CREATE_PUBLIC_THREADS)
    if message.thread:
        raise Refused(160004)
    kind, name = _THREAD_OF[channel.kind], str(call.body["name"])
    thread = begin_thread(world, channel, kind, name, call.me, starter=message)
    _shape(call, thread)
    tell_channel(world, "THREAD_CREATE", thread, newly_created=True)
    world.announce(message, "MESSAGE_UPDATE")
    return Reply(201, thread.json(call.me))


@operation("create_thread", "POST", "/channels/{channel_id}/threads")
def create_thread(world: World, call: Call) -> Reply:
    check_name(call.body.get("name"))
    channel = room_of(world, call)
    if channel.kind is Kind.FORUM:
        return _post(world, call, channel)
    if channel.kind not in _THREAD_OF:
        raise Refused(50024)
    kind = Kind(call.body.get("type") or Kind.PRIVATE_THREAD)
    if kind is not Kind.PRIVATE_THREAD and kind is not _THREAD_OF[channel.kind]:
        raise Refused(50024)
    private = kind is Kind.PRIVATE_THREAD
    needed = Permission.CREATE_PRIVATE_THREADS if private else Permission.CREATE_PUBLIC_THREADS
    need(world, call, channel, needed)
    thread = begin_thread(world, channel, kind, str(call.body["name"]), call.me)
    _shape(call, thread)
    tell_channel(world, "THREAD_CREATE", thread, newly_created=True)
    return Reply(201, thread.json(call.me))


def _post(world: World, call: Call, forum: Channel) -> Reply:
    """In a forum: the first message has the id of its thread."""
    form = part(call.body, "message")
    check_message(form)
    need(world, call, forum, Permission.SEND_MESSAGES)
    if forum.requires_tag and not call.body.get("applied_tags"):
        raise Refused(40067)
    thread = begin_thread(world, forum, Kind.PUBLIC_THREAD, str(call.body["name"]), call.me)
    _shape(call, thread)
    set_tags(world, call, thread)
    try:
        message = made(world, call.me, thread, form, call.files)
    except Refused:
        del world.channels[thread.id]
        assert thread.guild
        del thread.guild.channels[thread.id]
        raise
    world.become_first(message)
    tell_channel(world, "THREAD_CREATE", thread, newly_created=True)
    world.announce(message)
    return Reply(201, {**thread.json(call.me), "message": world.shown(message, call.me)})


def set_tags(world: World, call: Call, thread: Channel) -> None:
    assert thread.parent
    assert thread.thread
    known = {tag.id: tag for tag in thread.parent.tags}
    wanted = ids(call.body, "applied_tags")
    if any(id not in known for id in wanted):
        raise Refused(10087)
    moderated = [id for id in wanted if known[id].moderated and id not in thread.thread.tags]
    if moderated and Permission.MANAGE_THREADS not in world.may(call.me, thread):
        raise Refused(50013)
    thread.thread.tags = wanted


def _thread_of(world: World, call: Call) -> Channel:
    channel = room_of(world, call)
    if not channel.is_thread:
        raise Refused(50024)
    return channel


@operation("join_thread", "PUT", _MEMBERS + "/@me")
def join_thread(world: World, call: Call) -> None:
    thread = _thread_of(world, call)
    check_awake(thread)
    _enter(world, thread, call.me)


@operation("leave_thread", "DELETE", _MEMBERS + "/@me")
def leave_thread(world: World, call: Call) -> None:
    thread = _thread_of(world, call)
    check_awake(thread)
    _leave(world, thread, call.me)


@operation("add_thread_member", "PUT", _MEMBERS + "/{user_id}")
def add_thread_member(world: World, call: Call) -> None:
    thread = _thread_of(world, call)
    need(world, call, thread, Permission.SEND_MESSAGES_IN_THREADS)
    check_awake(thread)
    user = known_user(world, call.id("user_id"))
    assert thread.guild
    if user.id not in thread.guild.members:
        raise Refused(10007)
    if _enter(world, thread, user):
        kind = MessageKind.RECIPIENT_ADD
        world.announce(world.post(thread, call.me, kind=kind, mentions=[user]))


@operation("delete_thread_member", "DELETE", _MEMBERS + "/{user_id}")
def delete_thread_member(world: World, call: Call) -> None:
    thread = _thread_of(world, call)
    assert thread.thread
    if thread.thread.owner is not call.me or thread.kind is not Kind.PRIVATE_THREAD:
        need(world, call, thread, Permission.MANAGE_THREADS)
    check_awake(thread)
    user = known_user(world, call.id("user_id"))
    _leave(world, thread, user)
    kind = MessageKind.RECIPIENT_REMOVE
    world.announce(world.post(thread, call.me, kind=kind, mentions=[user]))


def _enter(world: World, thread: Channel, user: User) -> bool:
    assert thread.thread
    if user.id in thread.thread.members:
        return False
    if len(thread.thread.members) >= _PEOPLE_MAX:
        raise Refused(30033)
    enter(world, thread, user)
    return True


def _leave(world: World, thread: Channel, user: User) -> None:
    assert thread.thread
    if user.id not in thread.thread.members:
        raise Refused(10007)
    leave(world, thread, user)


@operation("get_thread_member", "GET", _MEMBERS + "/{user_id}")
def get_thread_member(world: World, call: Call) -> Json:
    thread = _thread_of(world, call)
    assert thread.thread
    id = call.me.id if call.path["user_id"] == "@me" else call.id("user_id")
    if id not in thread.thread.members:
        raise Refused(10007)
    return _member(call, thread, id)


@operation("list_thread_members", "GET", _MEMBERS)
def list_thread_members(world: World, call: Call) -> list[Json]:
    thread = _thread_of(world, call)
    need_intent(call, Intent.GUILD_MEMBERS)
    assert thread.thread
    limit, after = call.number("limit", 100, 1, 100), call.asked_id("after") or 0
    found = [id for id in sorted(thread.thread.members) if id > after]
    paged = found[:limit] if call.flag("with_member") else found
    return [_member(call, thread, id) for id in paged]


def _member(call: Call, thread: Channel, id: int) -> Json:
    assert thread.guild
    more = {"member": thread.guild.members[id].json()} if call.flag("with_member") else {}
    return {**thread.thread_member(id), **more}


@operation("get_active_guild_threads", "GET", "/guilds/{guild_id}/threads/active")
def get_active_guild_threads(world: World, call: Call) -> Json:
    threads = guild_of(world, call).threads
    found = [each for each in threads if each.thread and not each.thread.archived]
    return _listed(call, [each for each in found if world.sees(call.me, each)])


def _listed(call: Call, threads: list[Channel], limit: int | None = None) -> Json:
    shown = threads if limit is None else threads[:limit]
    joined = [each for each in shown if each.thread and call.me.id in each.thread.members]
    return {
        "threads": [each.json(call.me) for each in shown],
        "members": [each.thread_member(call.me.id) for each in joined],
        "has_more": len(shown) < len(threads),
    }


def _archived(world: World, call: Call, fits: Callable[[Channel], bool]) -> list[Channel]:
    """Latest archived first."""
    channel = room_of(world, call)
    need(world, call, channel, Permission.READ_MESSAGE_HISTORY)
    assert channel.guild
    found = [
        each
        for each in channel.guild.threads
        if each.parent is channel and each.thread and each.thread.archived and fits(each)
    ]
    return sorted(found, key=lambda each: -(each.thread.archived_at if each.thread else 0))


def _before(call: Call, threads: list[Channel]) -> Json:
    limit, before = call.number("limit", 50, 2, 100), call.query.get("before")
    found = [
        each
        for each in threads
        if not before or (each.thread and iso(each.thread.archived_at) < before)
    ]
    return _listed(call, found, limit)


@operation("list_public_archived_threads", "GET", "/channels/{channel_id}/threads/archived/public")
def list_public_archived_threads(world: World, call: Call) -> Json:
    found = _archived(world, call, lambda each: each.kind is not Kind.PRIVATE_THREAD)
    return _before(call, found)


@operation(
    "list_private_archived_threads", "GET", "/channels/{channel_id}/threads/archived/private"
)
def list_private_archived_threads(world: World, call: Call) -> Json:
    need(world, call, room_of(world, call), Permission.MANAGE_THREADS)
    return _before(call, _archived(world, call, lambda each: each.kind is Kind.PRIVATE_THREAD))


@operation(
    "list_my_private_archived_threads",
    "GET",
    "/channels/{channel_id}/users/@me/threads/archived/private",
)
def list_my_private_archived_threads(world: World, call: Call) -> Json:
    limit, before = call.number("limit", 50, 2, 100), call.asked_id("before")

    def is_own(each: Channel) -> bool:
        joined = each.thread and call.me.id in each.thread.members
        earlier = before is None or each.id < before
        return bool(joined) and each.kind is Kind.PRIVATE_THREAD and earlier

    found = sorted(_archived(world, call, is_own), key=lambda each: -each.id)
    return _listed(call, found, limit)
