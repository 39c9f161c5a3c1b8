"""One event of Discord's into the store, whoever brought it: the gateway, a webhook, a fetch."""

import hashlib
import json
from collections.abc import Callable
from typing import Any, cast

import orjson

from messengers.clock import Clock
from messengers.providers.base import Sink
from messengers.providers.discord.echoes import Echoes
from messengers.providers.discord.fields import Json, part
from messengers.providers.discord.incoming import BESIDE, READERS
from messengers.providers.discord.memory import Memory
from messengers.providers.discord.people import name_of
from messengers.providers.discord.places import GUILD, USER
from messengers.providers.discord.rooms import Rooms
from messengers.providers.webhooks import Delivered

__all__ = ["Intake"]

_UNREADABLE = (KeyError, TypeError, ValueError, AttributeError)
_MESSAGES = frozenset({"MESSAGE_CREATE", "MESSAGE_UPDATE"})
_OF_PLACES = frozenset({"CHANNEL_CREATE", "CHANNEL_UPDATE", "THREAD_CREATE", "THREAD_UPDATE"})
_VOTES = frozenset({"MESSAGE_POLL_VOTE_ADD", "MESSAGE_POLL_VOTE_REMOVE"})


class Intake:
    """Takes events in. What `take` returned from is durable."""

    def __init__(
        self,
        sink: Sink,
        memory: Memory,
        rooms: Rooms,
        echoes: Echoes,
        clock: Clock,
        *,
        answer: Callable[[Json], None],
        voted: Callable[[str, str], None],
    ) -> None:
        self._sink = sink
        self._memory = memory
        self._rooms = rooms
        self._echoes = echoes
        self._clock = clock
        self._answer = answer
        """Called with an interaction, which waits for an answer."""
        self._voted = voted
        """Called with the channel and message of a poll that somebody voted in."""

    async def take(self, event: str, told: Any, key: str) -> None:  # noqa: ANN401 - any JSON
        """Store an event as it came, under `key` where it has no name of its own.

        One that cannot be read is kept as well, and stops nothing.
        """
        try:
            self._rooms.take(event, told)
            if event == "TYPING_START":
                self._typing(told)
                return
            if event in _VOTES:
                self._voted(str(told["channel_id"]), str(told["message_id"]))
                return
            if event not in READERS or self._is_no_news(event, told):
                return
            known = self.known(event, told, key)
        except _UNREADABLE:
            if event in READERS:
                await self._sink.ingest(key, "", event, _encoded({"told": told}))
            return
        await self._sink.ingest(known.event_key, known.chat_key, known.kind, known.payload)
        if event == "MESSAGE_CREATE":
            self._memory.stored(int(told["id"]))
        if event == "INTERACTION_CREATE":
            self._answer(told)

    def known(self, event: str, told: Json, key: str) -> Delivered:
        """An event in the words of the sink, with what is known beside it."""
        place = self._place(event, told)
        beside: dict[str, Any] = {
            "at": self._clock.now().timestamp(),
            "me": self._memory.bot,
            "place": place,
        }
        if event == "GUILD_CREATE":
            beside["places"] = [*self._rooms.places(str(told["id"]))]
        if event in _MESSAGES:
            beside["names"] = self._rooms.named_in(str(told.get("content")))
            beside["mine"] = self._rooms.own(self._memory.bot, told.get("mention_roles") or ())
        name = _name(event, told, beside) or key
        payload = _encoded({"told": _lean(event, told), BESIDE: beside})
        return Delivered(name, str(place.get("id", "")), event, payload)

    def _is_no_news(self, event: str, told: Json) -> bool:
        """A message that is just being sent: who sends it has its id from the answer."""
        mine = event == "MESSAGE_CREATE" and str(told["author"]["id"]) == self._memory.bot
        return mine and self._echoes.take(dict(told))

    def _place(self, event: str, told: Json) -> Json:
        """The chat that an event is of."""
        if event.startswith("GUILD_"):
            guild = str(told["guild_id"] if "guild_id" in told else told["id"])
            name = self._rooms.guilds[guild].name if guild in self._rooms.guilds else ""
            return {"id": GUILD + guild, "kind": "group", "name": name}
        channel = str(told["id"] if event in _OF_PLACES else told["channel_id"])
        guild = str(told.get("guild_id") or "")
        if guild or channel in self._rooms.rooms:
            return self._rooms.place(channel, guild)
        return self._direct(channel, told)

    def _direct(self, channel: str, told: Json) -> Json:
        """The chat with a person: whoever writes there, else whoever is known to."""
        writer = told.get("author") or part(told, "user")
        if writer and str(writer["id"]) != self._memory.bot and not told.get("webhook_id"):
            self._memory.meets(
                channel, str(writer["id"]), name_of(writer), str(writer.get("username") or "")
            )
        person = self._memory.person(channel)
        if person is None:
            return {"id": channel, "kind": "dm", "name": ""}
        return {
            "id": USER + person["id"],
            "kind": "dm",
            "name": person["name"],
            "username": person["username"],
        }

    def _typing(self, told: Json) -> None:
        if str(told["user_id"]) != self._memory.bot:
            self._sink.signal(str(self._place("TYPING_START", told)["id"]), "typing", "on")


def _name(event: str, told: Json, beside: Json) -> str:
    """The event's own name, whoever brings it; '' where only its place in the session tells."""
    match event:
        case "MESSAGE_CREATE":
            return f"message:{told['id']}"
        case "INTERACTION_CREATE":
            return f"interaction:{told['id']}"
        case "GUILD_CREATE":
            found = hashlib.sha256(_encoded(beside["places"])).hexdigest()[:16]
            return f"guild:{told['id']}:{found}"
        case _:
            return ""


def _lean(event: str, told: Json) -> Json:
    """Without what is never read: a server's whole description, an interaction's token."""
    if event == "GUILD_CREATE":
        return {"id": told["id"], "name": told["name"]}
    if event == "INTERACTION_CREATE":
        return {name: value for name, value in told.items() if name != "token"}
    return told


def _encoded(value: object) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # half a surrogate pair: it is kept as JSON writes it
        return json.dumps(cast("Any", value)).encode()
