"""The servers and channels that a bot sees, as the gateway tells them: names, kinds, what is where.

The only cache there is, with the names of roles. Members and messages are asked for when needed.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from messengers.providers.discord.fields import Json, part, parts
from messengers.providers.discord.places import GUILD
from messengers.providers.discord.storing import read, write

if TYPE_CHECKING:
    from messengers.models import ChatKind

__all__ = ["FORUMS", "THREADS", "Guild", "Role", "Room", "Rooms"]

_FILE = "rooms.json"
_NAMED = re.compile(r"<(?:#|@&)(\d{15,20})>")
THREADS = frozenset({10, 11, 12})
FORUMS = frozenset({15, 16})
_CHATS = frozenset({0, 2, 5, 13}) | THREADS | FORUMS
"""Types of channels that hold messages: https://docs.discord.com/developers/resources/channel."""


@dataclass(slots=True)
class Guild:
    """A server."""

    id: str
    name: str
    tier: int = 0
    system_room: str = ""


@dataclass(slots=True)
class Role:
    """Of a server's members: a text can name it as it names a person."""

    id: str
    name: str
    guild: str
    bot: str = ""
    """Whom it came with, and nobody else has."""


@dataclass(slots=True)
class Room:
    """A channel or thread of a server."""

    id: str
    kind: int
    name: str
    guild: str
    parent: str = ""
    """The channel of a thread."""
    last: int = 0
    """The id of its newest message."""

    @property
    def is_chat(self) -> bool:
        return self.kind in _CHATS


class Rooms:
    """Fed with events, asked for what a chat is called."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / _FILE
        self._changed = False
        kept: Json = read(self._file) or {}
        self.guilds = {str(each["id"]): Guild(**each) for each in parts(kept, "guilds")}
        self.rooms = {str(each["id"]): Room(**each) for each in parts(kept, "rooms")}
        self.roles = {str(each["id"]): Role(**each) for each in parts(kept, "roles")}

    def keep(self) -> None:
        """Write what changed: a session that goes on tells nothing of it again."""
        if self._changed:
            known = {"guilds": self.guilds, "rooms": self.rooms, "roles": self.roles}
            write(self._file, {name: [*map(asdict, of.values())] for name, of in known.items()})
            self._changed = False

    def forget(self) -> None:
        """A new session tells everything anew."""
        self.guilds.clear()
        self.rooms.clear()
        self.roles.clear()
        self._changed = True

    def take(self, event: str, told: Json) -> None:
        """Learn from an event of servers, channels and threads; others change nothing."""
        match event:
            case "GUILD_CREATE" | "GUILD_UPDATE":
                self._guild(told)
            case "GUILD_DELETE" if not told.get("unavailable"):
                self._leave(str(told["id"]))
            case "GUILD_ROLE_CREATE" | "GUILD_ROLE_UPDATE":
                self._role(told["role"], str(told["guild_id"]))
            case "GUILD_ROLE_DELETE":
                self.roles.pop(str(told["role_id"]), None)
                self._changed = True
            case "CHANNEL_CREATE" | "CHANNEL_UPDATE" | "THREAD_CREATE" | "THREAD_UPDATE":
                self._room(told, str(told.get("guild_id", "")))
            case "THREAD_LIST_SYNC":
                for thread in told["threads"]:
                    self._room(thread, str(told["guild_id"]))
            case "CHANNEL_DELETE" | "THREAD_DELETE":
                self.rooms.pop(str(told["id"]), None)
                self._changed = True
            case _:
                pass

    def learn(self, channel: Json) -> Room | None:
        """A channel that was asked for; None for one that belongs to no server."""
        guild = str(channel.get("guild_id") or "")
        return self._room(channel, guild) if guild else None

    def _guild(self, told: Json) -> None:
        if told.get("unavailable") and "name" not in told:
            return
        id = str(told["id"])
        tier, system = int(told.get("premium_tier") or 0), str(told.get("system_channel_id") or "")
        self.guilds[id] = Guild(id, str(told["name"]), tier, system)
        self._changed = True
        for channel in (*told.get("channels", ()), *told.get("threads", ())):
            self._room(channel, id)

        for role in told.get("roles", ()):
            self._role(role, id)

    def _leave(self, guild: str) -> None:
        self.guilds.pop(guild, None)
        self.rooms = {id: each for id, each in self.rooms.items() if each.guild != guild}
        self.roles = {id: each for id, each in self.roles.items() if each.guild != guild}
        self._changed = True

    def _role(self, told: Json, guild: str) -> None:
        bot = str(part(told, "tags").get("bot_id") or "")
        self.roles[str(told["id"])] = Role(str(told["id"]), str(told["name"]), guild, bot)
        self._changed = True

    def _room(self, told: Json, guild: str) -> Room:
        room = Room(
            id=str(told["id"]),
            kind=int(told["type"]),
            name=str(told.get("name") or ""),
            guild=guild,
            parent=str(told.get("parent_id") or ""),
            last=int(told.get("last_message_id") or 0),
        )
        self.rooms[room.id] = room
        self._changed = True
        return room

    def place(self, channel: str, guild: str = "") -> Json:
        """A channel as a chat, with those above it first: what is stored beside an event of it."""
        room = self.rooms.get(channel) or Room(channel, 0, "", guild)
        above = [self._as_guild(room.guild)] if room.guild else []
        parent = self.rooms.get(room.parent) if room.kind in THREADS else None
        if parent is not None:
            above.append(self._as_chat(parent, above))
        return {**self._as_chat(room, above), "above": above}

    def places(self, guild: str) -> Iterator[Json]:
        """The chats of a server that may be written to or read, its threads after the others."""
        rooms = [each for each in self.rooms.values() if each.guild == guild and each.is_chat]
        for room in sorted(rooms, key=lambda each: (each.kind in THREADS, int(each.id))):
            yield self.place(room.id)

    def _as_guild(self, id: str) -> Json:
        guild = self.guilds.get(id)
        return {"id": GUILD + id, "kind": "group", "name": guild.name if guild else ""}

    def _as_chat(self, room: Room, above: Iterable[Json]) -> Json:
        kind: ChatKind = "thread" if room.kind in THREADS else "channel"
        own = room.name if kind == "thread" else f"#{room.name}"
        parent = [*above][-1:] if room.name else []
        name = " · ".join([*(each["name"] for each in parent if each["name"]), own])
        return {"id": room.id, "kind": kind, "name": name if room.name else ""}

    def tier_of(self, channel: str) -> int:
        """The boost tier of the server that a channel is in."""
        room = self.rooms.get(channel)
        guild = self.guilds.get(room.guild) if room else None
        return guild.tier if guild else 0

    def named_in(self, text: str) -> Mapping[str, str]:
        """What the channels and roles that a text names are called, as far as they are known."""
        found = ((id, self.rooms.get(id) or self.roles.get(id)) for id in _NAMED.findall(text))
        return {id: each.name for id, each in found if each is not None}

    def own(self, bot: str, roles: Iterable[object]) -> list[str]:
        """Which of these roles a bot came with: who names one of them names the bot."""
        known = (self.roles.get(str(id)) for id in roles)
        return [each.id for each in known if each is not None and each.bot == bot]
