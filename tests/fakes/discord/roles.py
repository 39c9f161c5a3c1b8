"""Roles that bots make, change, give and take."""

from tests.fakes.discord.access import guild_of, member_of, need_in_guild, role_of
from tests.fakes.discord.changes import tell_member, tell_role
from tests.fakes.discord.guilds import Guild, Role
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__: list[str] = []

_ROLES_MAX = 250
_OF_MEMBER = "/guilds/{guild_id}/members/{user_id}/roles/{role_id}"


@operation("list_guild_roles", "GET", "/guilds/{guild_id}/roles")
def list_guild_roles(world: World, call: Call) -> list[Json]:
    return [role.json() for role in guild_of(world, call).roles.values()]


@operation("get_guild_role", "GET", "/guilds/{guild_id}/roles/{role_id}")
def get_guild_role(world: World, call: Call) -> Json:
    return role_of(guild_of(world, call), call).json()


@operation("create_guild_role", "POST", "/guilds/{guild_id}/roles")
def create_guild_role(world: World, call: Call) -> Json:
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.MANAGE_ROLES)
    if len(guild.roles) >= _ROLES_MAX:
        raise Refused(30005)
    role = Role(world.clock.new_id(), "new role", guild.everyone.permissions, 1)
    _shape(call, role)
    guild.roles[role.id] = role
    tell_role(world, guild, role, "GUILD_ROLE_CREATE")
    return role.json()


def _shape(call: Call, role: Role) -> None:
    role.name = call.body.get("name") or role.name
    if (permissions := call.body.get("permissions")) is not None:
        role.permissions = Permission(int(permissions))
    role.color = call.body.get("color") or role.color
    role.mentionable = bool(call.body.get("mentionable", role.mentionable))


@operation("update_guild_role", "PATCH", "/guilds/{guild_id}/roles/{role_id}")
def update_guild_role(world: World, call: Call) -> Json:
    guild, role = _lower(world, call)
    _shape(call, role)
    tell_role(world, guild, role, "GUILD_ROLE_UPDATE")
    return role.json()


@operation("delete_guild_role", "DELETE", "/guilds/{guild_id}/roles/{role_id}")
def delete_guild_role(world: World, call: Call) -> None:
    guild, role = _lower(world, call)
    if role.bot_id or role is guild.everyone:
        raise Refused(50028)
    del guild.roles[role.id]
    for member in guild.members.values():
        member.roles = [each for each in member.roles if each is not role]
    tell_role(world, guild, role, "GUILD_ROLE_DELETE")


@operation("add_guild_member_role", "PUT", _OF_MEMBER)
def add_guild_member_role(world: World, call: Call) -> None:
    guild, role = _lower(world, call)
    member = member_of(world, call, guild)
    if role not in member.roles:
        member.roles.append(role)
        tell_member(world, guild, member, "GUILD_MEMBER_UPDATE")


@operation("delete_guild_member_role", "DELETE", _OF_MEMBER)
def delete_guild_member_role(world: World, call: Call) -> None:
    guild, role = _lower(world, call)
    member = member_of(world, call, guild)
    if role in member.roles:
        member.roles.remove(role)
        tell_member(world, guild, member, "GUILD_MEMBER_UPDATE")


def _lower(world: World, call: Call) -> tuple[Guild, Role]:
    """The role of the path, which stands below the bot's own."""
    guild = guild_of(world, call)
    role = role_of(guild, call)
    need_in_guild(guild, call, Permission.MANAGE_ROLES)
    if role.position >= guild.members[call.me.id].rank:
        raise Refused(50013)
    return guild, role
