"""The servers and channels that a bot sees, as the gateway tells them: names, kinds, what is where.

The only cache there is. Members, roles and messages are asked for when they are needed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from messengers.providers.discord.fields import Json, parts
from messengers.providers.discord.places import GUILD
from messengers.providers.discord.storing import read, write

if TYPE_CHECKING:
    from messengers.models import ChatKind

__all__ = ["FORUMS", "THREADS", "Guild", "Room", "Rooms"]

_FILE = "rooms.json"
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

    def keep(self) -> None:
        """Write what changed: a session that goes on tells nothing of it again."""
        if self._changed:
            guilds, rooms = self.guilds.values(), self.rooms.values()
            write(self._file, {"guilds": [*map(asdict, guilds)], "rooms": [*map(asdict, rooms)]})
            self._changed = False

    def forget(self) -> None:
        """A new session tells everything anew."""
        self.guilds.clear()
        self.rooms.clear()
        self._changed = True

    def take(self, event: str, told: Json) -> None:
        """Learn from an event of servers, channels and threads; others change nothing."""
        match event:
            case "GUILD_CREATE" | "GUILD_UPDATE":
                self._guild(told)
            case "GUILD_DELETE" if not told.get("unavailable"):
                self.guilds.pop(str(told["id"]), None)
                gone = [each.id for each in self.rooms.values() if each.guild == str(told["id"])]
                for id in gone:
                    del self.rooms[id]
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

    def named(self, ids: Iterable[str]) -> Mapping[str, str]:
        """What those of these channels that are known are called."""
        return {id: self.rooms[id].name for id in ids if id in self.rooms}
