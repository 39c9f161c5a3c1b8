"""Channels and guilds that bots look at, and what guilds are called."""

import hashlib

from tests.fakes.discord.access import guild_of, need_in_guild, room_of
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.permissions import Permission, in_guild
from tests.fakes.discord.refusal import InvalidForm
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import World

__all__: list[str] = []


@operation("get_channel", "GET", "/channels/{channel_id}")
def get_channel(world: World, call: Call) -> Json:
    return room_of(world, call).json(call.me)


@operation("get_guild", "GET", "/guilds/{guild_id}")
def get_guild(world: World, call: Call) -> Json:
    guild = guild_of(world, call)
    count = {"approximate_member_count": len(guild.members), "approximate_presence_count": 0}
    return {**guild.json(), **(count if call.flag("with_counts") else {})}


@operation("update_guild", "PATCH", "/guilds/{guild_id}")
def update_guild(world: World, call: Call) -> Json:
    guild, body = guild_of(world, call), call.body
    need_in_guild(guild, call, Permission.MANAGE_GUILD)
    if "name" in body:
        if not 2 <= len(str(body["name"])) <= 100:
            words = "Must be between 2 and 100 in length."
            raise InvalidForm(("name", "BASE_TYPE_BAD_LENGTH", words))
        guild.name = str(body["name"])
    guild.description = body.get("description", guild.description)
    if icon := body.get("icon"):
        guild.icon = hashlib.sha256(str(icon).encode()).hexdigest()[:32]
    world.emit("GUILD_UPDATE", guild, guild.json())
    return guild.json()


@operation("list_guild_channels", "GET", "/guilds/{guild_id}/channels")
def list_guild_channels(world: World, call: Call) -> list[Json]:
    """All rooms, hidden ones too; no threads."""
    rooms = guild_of(world, call).channels.values()
    return [each.json(call.me) for each in rooms if not each.is_thread]


@operation("list_my_guilds", "GET", "/users/@me/guilds")
def list_my_guilds(world: World, call: Call) -> list[Json]:
    limit = call.number("limit", 200, 1, 200)
    before, after = call.asked_id("before"), call.asked_id("after") or 0
    guilds = sorted(world.guilds_of(call.me), key=lambda guild: guild.id)
    found = [each for each in guilds if each.id > after and (not before or each.id < before)]
    found = found[-limit:] if before else found[:limit]
    return [
        {
            "id": str(guild.id),
            "name": guild.name,
            "icon": None,
            "banner": None,
            "owner": guild.owner is call.me,
            "permissions": str(int(in_guild(guild, call.me))),
            "features": [],
            "approximate_member_count": len(guild.members),
        }
        for guild in found
    ]
