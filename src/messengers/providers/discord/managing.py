"""Servers as groups: who is there, what they are called, who is put out. Roles stay the owner's."""

import base64
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from messengers.errors import (
    MessengersError,
    PlatformRefused,
    Unreachable,
    Unsupported,
)
from messengers.providers.discord.calls import Calls
from messengers.providers.discord.fields import Json, part
from messengers.providers.discord.memory import Memory
from messengers.providers.discord.people import name_of
from messengers.providers.discord.places import GUILD, USER, guild_of, user_of
from messengers.providers.groups import (
    GroupMember,
    GroupRole,
    GroupSeen,
    GroupUpdate,
    MemberChange,
    MemberOutcome,
)

__all__ = ["Managing"]

_ADMIN = 1 << 3 | 1 << 5
"""ADMINISTRATOR or MANAGE_GUILD: who runs a server."""
_MAY_ACT = _ADMIN | 1 << 1 | 1 << 2
"""Kicking and banning are rights of their own."""
_PAGE, _MOST = 1000, 5000
_TEXT_ROOMS = (0, 5)
_SIGNATURES = ((b"\x89PNG", "image/png"), (b"\xff\xd8", "image/jpeg"), (b"RIFF", "image/webp"))
_RUNS = "Manage Server"
_CANNOT_ADD = "A bot cannot add people; send them the invite link."
_ROLES = "Discord has roles instead of admins; give one in the server's settings."


class Managing:
    """The part of the provider that runs servers."""

    _memory: Memory

    def calls(self) -> Calls:
        """The running bot's calls. Raises NotConnected while there are none."""
        raise NotImplementedError

    async def groups(self) -> Sequence[GroupSeen]:
        """The servers that the bot is in."""
        guilds = self.calls().rooms.guilds.values()
        return [GroupSeen(native_id=GUILD + each.id, name=each.name) for each in guilds]

    async def group(self, chat_native_id: str) -> GroupSeen:
        """One with its members; without the members' intent with its owner and the bot only."""
        calls, guild = self.calls(), guild_of(chat_native_id)
        about: Json = await calls.ask(
            "GET",
            "/guilds/{guild_id}",
            params={"with_counts": "true"},
            guild_id=guild,
            changes=False,
        )
        members, partial = await self._members(calls, about)
        rights = {str(role["id"]): int(role["permissions"]) for role in about["roles"]}
        nobody: Json = {}
        mine = next((e for e in members if str(e["user"]["id"]) == self._memory.bot), nobody)
        return GroupSeen(
            native_id=chat_native_id,
            name=str(about["name"]),
            description=str(about.get("description") or ""),
            owner_native_id=f"{USER}{about['owner_id']}",
            i_am_admin=bool(_rights(mine, about, rights) & _MAY_ACT),
            members=tuple(_member(each, about, rights) for each in members),
            size=int(about.get("approximate_member_count") or 0),
            partial=partial,
        )

    async def _members(self, calls: Calls, about: Json) -> tuple[list[Json], bool]:
        """The members as Discord lists them, and whether some are left out."""
        guild, found, after = str(about["id"]), list[Json](), "0"
        while calls.wire.intents.members and len(found) < _MOST:
            page: list[Json] = await calls.ask(
                "GET",
                "/guilds/{guild_id}/members",
                params={"limit": _PAGE, "after": after},
                guild_id=guild,
                changes=False,
            )
            found += page
            if len(page) < _PAGE:
                return found, False
            after = str(page[-1]["user"]["id"])
        if found:
            return found, True
        for user in {self._memory.bot, str(about["owner_id"])}:
            found.append(
                await calls.ask(
                    "GET",
                    "/guilds/{guild_id}/members/{user_id}",
                    guild_id=guild,
                    user_id=user,
                    changes=False,
                )
            )
        return found, True

    async def create_group(self, name: str, members: Sequence[str]) -> GroupSeen:
        """Nothing that bots can do."""
        del name, members
        raise Unsupported(
            "A Discord bot cannot make servers.", "Make it in Discord and invite the bot."
        )

    async def change_members(
        self, chat_native_id: str, change: MemberChange, members: Sequence[str]
    ) -> Sequence[MemberOutcome]:
        """One change for several, one after the other."""
        calls, guild = self.calls(), guild_of(chat_native_id)
        if change in ("add", "promote", "demote"):
            why = _CANNOT_ADD if change == "add" else _ROLES
            return [MemberOutcome(member, done=False, why=why) for member in members]

        async def put_out(user: str) -> None:
            if change == "ban":
                path, method, right = "/guilds/{guild_id}/bans/{user_id}", "PUT", "Ban Members"
            else:
                path, method = "/guilds/{guild_id}/members/{user_id}", "DELETE"
                right = "Kick Members"
            needs = f"{right} and a role above that member's"
            await calls.ask(method, path, needs=needs, guild_id=guild, user_id=user)

        return [await _outcome(member, put_out) for member in members]

    async def update_group(self, chat_native_id: str, update: GroupUpdate) -> None:
        """All in one call."""
        calls, guild = self.calls(), guild_of(chat_native_id)
        if update.announcements is not None:
            raise Unsupported(
                "In Discord each channel says who may write.", "Change it in the server's settings."
            )
        body: dict[str, Any] = {}
        if update.name is not None:
            body["name"] = update.name
        if update.description is not None:
            body["description"] = update.description or None
        if update.picture is not None:
            body["icon"] = _data_uri(update.picture)
        await calls.ask("PATCH", "/guilds/{guild_id}", needs=_RUNS, json=body, guild_id=guild)

    async def invite_link(self, chat_native_id: str, renew: bool = False) -> str:
        """A link of the bot's that does not end; renewing ends those that it made before."""
        calls, guild = self.calls(), guild_of(chat_native_id)
        room = _entrance(calls, guild)
        if renew:
            made: list[Json] = await calls.ask(
                "GET", "/guilds/{guild_id}/invites", needs=_RUNS, guild_id=guild, changes=False
            )
            for each in made:
                if str(part(each, "inviter").get("id")) == self._memory.bot:
                    await calls.ask("DELETE", "/invites/{code}", code=str(each["code"]))
        invite: Json = await calls.ask(
            "POST",
            "/channels/{channel_id}/invites",
            json={"max_age": 0, "max_uses": 0, "unique": renew},
            needs="Create Invite",
            channel_id=room,
        )
        return f"https://discord.gg/{invite['code']}"

    async def leave_group(self, chat_native_id: str) -> None:
        """Only somebody who runs the server can bring the bot back."""
        guild = guild_of(chat_native_id)
        await self.calls().ask("DELETE", "/users/@me/guilds/{guild_id}", guild_id=guild)


def _rights(member: Json, about: Json, rights: dict[str, int]) -> int:
    """What a member may do in the whole server."""
    if member and str(member["user"]["id"]) == str(about["owner_id"]):
        return _MAY_ACT
    found = rights.get(str(about["id"]), 0)
    for role in member.get("roles", ()):
        found |= rights.get(str(role), 0)
    return found


def _member(member: Json, about: Json, rights: dict[str, int]) -> GroupMember:
    user: Json = member["user"]
    role: GroupRole = "admin" if _rights(member, about, rights) & _ADMIN else "member"
    if str(user["id"]) == str(about["owner_id"]):
        role = "owner"
    return GroupMember(f"{USER}{user['id']}", name_of(user, member), role=role)


def _entrance(calls: Calls, guild: str) -> str:
    """The channel that an invite leads to."""
    known = calls.rooms.guilds.get(guild)
    if known is not None and known.system_room:
        return known.system_room
    rooms = (each for each in calls.rooms.rooms.values() if each.guild == guild)
    texts = sorted(int(each.id) for each in rooms if each.kind in _TEXT_ROOMS)
    if not texts:
        raise PlatformRefused("That server has no text channel.", "Make one there.")
    return str(texts[0])


def _data_uri(picture: bytes) -> str:
    mime = next((mime for start, mime in _SIGNATURES if picture.startswith(start)), "image/png")
    return f"data:{mime};base64,{base64.b64encode(picture).decode()}"


async def _outcome(member: str, put_out: Callable[[str], Awaitable[None]]) -> MemberOutcome:
    user = user_of(member)
    if not user:
        return MemberOutcome(member, done=False, why="That is no person.")
    try:
        await put_out(user)
    except Unreachable:
        raise  # what became of the others is not known either
    except MessengersError as exc:
        return MemberOutcome(member, done=False, why=exc.cause)
    return MemberOutcome(member, done=True)
