"""Invites to guilds."""

import secrets
from dataclasses import dataclass

from tests.fakes.discord.access import guild_of, need, need_in_guild, room_of
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.events import surroundings
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.snowflakes import iso
from tests.fakes.discord.world import World

__all__ = ["Invite"]


@dataclass(eq=False)
class Invite:
    code: str
    channel: Channel
    maker: User
    made_at: float
    life_s: int
    uses_max: int
    uses: int = 0

    def json(self) -> Json:
        guild = self.channel.guild
        assert guild
        full = guild.json()
        shown = [
            "id",
            "name",
            "splash",
            "banner",
            "description",
            "icon",
            "features",
            "verification_level",
            "vanity_url_code",
            "nsfw_level",
            "nsfw",
            "premium_subscription_count",
        ]
        return {
            "type": 0,
            "code": self.code,
            "guild_id": str(guild.id),
            "guild": {name: full[name] for name in shown},
            "channel": {
                "id": str(self.channel.id),
                "type": int(self.channel.kind),
                "name": self.channel.name,
            },
            "inviter": self.maker.json(),
            "expires_at": iso(self.made_at + self.life_s) if self.life_s else None,
            "created_at": iso(self.made_at),
            "max_age": self.life_s,
            "max_uses": self.uses_max,
            "uses": self.uses,
            "temporary": False,
        }


@operation("create_channel_invite", "POST", "/channels/{channel_id}/invites")
def create_channel_invite(world: World, call: Call) -> Json:
    channel = room_of(world, call)
    if channel.guild is None:
        raise Refused(50003)
    need(world, call, channel, Permission.CREATE_INSTANT_INVITE)
    life, uses = call.body.get("max_age", 86400), call.body.get("max_uses", 0)
    invite = Invite(
        secrets.token_urlsafe(6), channel, call.me, world.now(), int(life or 0), int(uses or 0)
    )
    world.invites[invite.code] = invite
    about = {**surroundings(channel), **invite.json()}
    world.emit("INVITE_CREATE", channel, about)
    return invite.json()


@operation("list_channel_invites", "GET", "/channels/{channel_id}/invites")
def list_channel_invites(world: World, call: Call) -> list[Json]:
    channel = room_of(world, call)
    need(world, call, channel, Permission.MANAGE_CHANNELS)
    return [each.json() for each in world.invites.values() if each.channel is channel]


@operation("list_guild_invites", "GET", "/guilds/{guild_id}/invites")
def list_guild_invites(world: World, call: Call) -> list[Json]:
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.MANAGE_GUILD)
    return [each.json() for each in world.invites.values() if each.channel.guild is guild]


@operation("invite_resolve", "GET", "/invites/{code}")
def invite_resolve(world: World, call: Call) -> Json:
    return _known(world, call).json()


@operation("invite_revoke", "DELETE", "/invites/{code}")
def invite_revoke(world: World, call: Call) -> Json:
    invite = _known(world, call)
    need(world, call, invite.channel, Permission.MANAGE_CHANNELS)
    del world.invites[invite.code]
    about = {**surroundings(invite.channel), "code": invite.code}
    world.emit("INVITE_DELETE", invite.channel, about)
    return invite.json()


def _known(world: World, call: Call) -> Invite:
    invite = world.invites.get(call.path["code"])
    over = invite and invite.life_s and invite.made_at + invite.life_s < world.now()
    if invite is None or over:
        raise Refused(10006)
    return invite
