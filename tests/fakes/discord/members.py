"""Members of guilds, and who is banned."""

from datetime import datetime

from tests.fakes.discord.access import (
    guild_of,
    known_user,
    member_of,
    need_in_guild,
    need_intent,
)
from tests.fakes.discord.bodies import ids
from tests.fakes.discord.changes import tell_member
from tests.fakes.discord.departures import ban, depart, unban
from tests.fakes.discord.guilds import Guild, Member
from tests.fakes.discord.intents import Intent
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import InvalidForm, Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__: list[str] = []

_MEMBER = "/guilds/{guild_id}/members/{user_id}"


@operation("list_guild_members", "GET", "/guilds/{guild_id}/members")
def list_guild_members(world: World, call: Call) -> list[Json]:
    """In the order of their ids."""
    limit, after = call.number("limit", 1, 1, 1000), call.asked_id("after") or 0
    guild = guild_of(world, call)
    need_intent(call, Intent.GUILD_MEMBERS)
    found = [guild.members[id] for id in sorted(guild.members) if id > after]
    return [member.json() for member in found[:limit]]


@operation("search_guild_members", "GET", "/guilds/{guild_id}/members/search")
def search_guild_members(world: World, call: Call) -> list[Json]:
    limit = call.number("limit", 1, 1, 1000)
    query = call.query.get("query", "").lower()
    if not query:
        raise InvalidForm(("query", "BASE_TYPE_REQUIRED", "This field is required"))
    guild = guild_of(world, call)
    found = [
        each
        for each in guild.members.values()
        if (each.nick or "").lower().startswith(query)
        or each.user.username.lower().startswith(query)
        or (each.user.global_name or "").lower().startswith(query)
    ]
    return [member.json() for member in found[:limit]]


@operation("get_guild_member", "GET", _MEMBER)
def get_guild_member(world: World, call: Call) -> Json:
    return member_of(world, call, guild_of(world, call)).json()


@operation("update_guild_member", "PATCH", _MEMBER)
def update_guild_member(world: World, call: Call) -> Json:
    guild = guild_of(world, call)
    member = member_of(world, call, guild)
    body = call.body
    if "nick" in body:
        need_in_guild(guild, call, Permission.MANAGE_NICKNAMES)
        member.nick = body["nick"] or None
    if "roles" in body:
        need_in_guild(guild, call, Permission.MANAGE_ROLES)
        wanted = ids(body, "roles")
        if any(id not in guild.roles for id in wanted):
            raise Refused(10011)
        member.roles = [guild.roles[id] for id in wanted]
    if "communication_disabled_until" in body:
        need_in_guild(guild, call, Permission.MODERATE_MEMBERS)
        _check_rank(guild, call, member)
        until = body["communication_disabled_until"]
        member.timeout_until = datetime.fromisoformat(until).timestamp() if until else 0
    tell_member(world, guild, member, "GUILD_MEMBER_UPDATE")
    return member.json()


@operation("update_my_guild_member", "PATCH", "/guilds/{guild_id}/members/@me")
def update_my_guild_member(world: World, call: Call) -> Json:
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.CHANGE_NICKNAME)
    member = guild.members[call.me.id]
    member.nick = call.body.get("nick") or None
    tell_member(world, guild, member, "GUILD_MEMBER_UPDATE")
    return member.json()


def _check_rank(guild: Guild, call: Call, member: Member) -> None:
    """Nobody acts on the owner or on whoever stands as high as oneself."""
    own = guild.members[call.me.id]
    if member.user is guild.owner or member.rank >= own.rank:
        raise Refused(50013)


@operation("delete_guild_member", "DELETE", _MEMBER)
def delete_guild_member(world: World, call: Call) -> None:
    guild = guild_of(world, call)
    member = member_of(world, call, guild)
    need_in_guild(guild, call, Permission.KICK_MEMBERS)
    _check_rank(guild, call, member)
    depart(world, guild, member.user)


@operation("leave_guild", "DELETE", "/users/@me/guilds/{guild_id}")
def leave_guild(world: World, call: Call) -> None:
    depart(world, guild_of(world, call), call.me)


@operation("list_guild_bans", "GET", "/guilds/{guild_id}/bans")
def list_guild_bans(world: World, call: Call) -> list[Json]:
    limit, after = call.number("limit", 1000, 1, 1000), call.asked_id("after") or 0
    before = call.asked_id("before")
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.BAN_MEMBERS)
    found = [id for id in sorted(guild.bans) if id > after and (not before or id < before)]
    return [_banned(world, guild, id) for id in found[:limit]]


def _banned(world: World, guild: Guild, id: int) -> Json:
    return {"user": world.users[id].json(), "reason": guild.bans[id]}


@operation("get_guild_ban", "GET", "/guilds/{guild_id}/bans/{user_id}")
def get_guild_ban(world: World, call: Call) -> Json:
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.BAN_MEMBERS)
    if call.id("user_id") not in guild.bans:
        raise Refused(10026)
    return _banned(world, guild, call.id("user_id"))


@operation("ban_user_from_guild", "PUT", "/guilds/{guild_id}/bans/{user_id}")
def ban_user_from_guild(world: World, call: Call) -> None:
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.BAN_MEMBERS)
    user = known_user(world, call.id("user_id"))
    if member := guild.members.get(user.id):
        _check_rank(guild, call, member)
    asked = call.query.get("delete_message_seconds") or call.body.get("delete_message_seconds")
    ban(world, guild, user, call.reason, delete_s=int(asked or 0))


@operation("unban_user_from_guild", "DELETE", "/guilds/{guild_id}/bans/{user_id}")
def unban_user_from_guild(world: World, call: Call) -> None:
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.BAN_MEMBERS)
    user = known_user(world, call.id("user_id"))
    if user.id not in guild.bans:
        raise Refused(10026)
    unban(world, guild, user)
