"""Who and what Slack's ids mean: asked for one by one when they are met, and kept for an hour.

Never the whole list at once: workspaces have tens of thousands of people, and Slack revokes tokens
that read them all.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping

import anyio

from messengers.clock import Clock
from messengers.errors import MessengersError
from messengers.providers.slack.calls import Calls
from messengers.providers.slack.places import is_person
from messengers.providers.slack.wire import Json

__all__ = ["Directory", "name_of_person", "place_of"]

_KEPT_S, _MISSED_S = 3_600.0, 300.0
_MANY = 20_000
_MOST_ASKED = 20
"""For one event; more names than this stay ids."""
_PERSON = re.compile(r"<@([UW][A-Z0-9]{2,20})|\"([UW][A-Z0-9]{2,20})\"")
_PLACE = re.compile(r"<#([CG][A-Z0-9]{2,20})")
_GROUP = re.compile(r"<!subteam\^(S[A-Z0-9]{2,20})|\"usergroup_id\":\"(S[A-Z0-9]{2,20})\"")
_Asking = Callable[[str], Awaitable[Json | None]]


class Directory:
    """What one account may know."""

    def __init__(self, calls: Calls, clock: Clock, handle: str) -> None:
        self._calls = calls
        self._clock = clock
        self._handle = handle
        """The account's own, which stands in the names of conversations of several."""
        self._doors: dict[str, str] = {}
        """Person → direct message."""
        self._kept: dict[str, tuple[float, Json | None]] = {}

    async def person(self, user: str) -> Json | None:
        """Name, handle and whether it is a bot; None where Slack does not say."""
        return await self._known(user, self._ask_person)

    async def place(self, channel: str) -> Json | None:
        """Kind, name and, of a direct message, the other person; None where it is not shown."""
        return await self._known(channel, self._ask_place)

    async def channel_of(self, native_id: str) -> str:
        """Slack's own id of a chat: of a person the direct message, which is opened if need be."""
        if not is_person(native_id):
            return native_id
        if native_id not in self._doors:
            opened = await self._calls.ask("conversations.open", users=native_id)
            self._doors[native_id] = str(opened["channel"]["id"])
        return self._doors[native_id]

    async def group(self, group: str) -> Json | None:
        """Handle of a group of people."""
        return await self._known(group, self._ask_group)

    async def app(self, bot: str) -> Json | None:
        """Name of what writes without being a user."""
        return await self._known(bot, self._ask_app)

    def learn(self, channel: Json) -> None:
        """A conversation of a list: nobody has to ask for it."""
        self._keep(str(channel["id"]), place_of(channel, self._handle))

    def forget(self, key: str) -> None:
        """It is another now: it is asked for when it is met again."""
        self._kept.pop(key, None)

    async def named_in(
        self, text: str, channel: str, bot: str, patience_s: float, most: int = _MOST_ASKED
    ) -> Mapping[str, Mapping[str, Json]]:
        """Everything that an event's JSON names, as far as it is told in time."""
        asked: dict[str, list[str]] = {
            "users": _met(_PERSON, text),
            "places": [*dict.fromkeys([channel, *_met(_PLACE, text)] if channel else [])],
            "groups": _met(_GROUP, text),
            "apps": [bot] if bot else [],
        }
        found: dict[str, dict[str, Json]] = {kind: {} for kind in asked}
        asking = {
            "users": self.person,
            "places": self.place,
            "groups": self.group,
            "apps": self.app,
        }

        async def look(kind: str, key: str) -> None:
            known = await asking[kind](key)
            if known is not None:
                found[kind][key] = known

        with anyio.move_on_after(patience_s):
            # The place says who the other one of a direct message is.
            for key in asked["places"][:1]:
                await look("places", key)
                peer = found["places"].get(key, {}).get("peer")
                asked["users"] = [*dict.fromkeys([*([peer] if peer else []), *asked["users"]])]
            async with anyio.create_task_group() as tasks:
                for kind, keys in asked.items():
                    for key in keys[:most]:
                        tasks.start_soon(look, kind, key)
        return found

    async def _known(self, key: str, ask: _Asking) -> Json | None:
        until, known = self._kept.get(key, (0.0, None))
        if until > self._clock.monotonic_s():
            return known
        found = await ask(key)
        self._keep(key, found)
        return found

    def _keep(self, key: str, found: Json | None) -> None:
        kept_s = _MISSED_S if found is None else _KEPT_S
        self._kept[key] = self._clock.monotonic_s() + kept_s, found
        if len(self._kept) > _MANY:
            del self._kept[next(iter(self._kept))]

    async def _ask_person(self, user: str) -> Json | None:
        found = await self._calls.known("users.info", "user", user=user)
        return None if found is None else name_of_person(found)

    async def _ask_place(self, channel: str) -> Json | None:
        found = await self._calls.known("conversations.info", "channel", channel=channel)
        return None if found is None else place_of(found, self._handle)

    async def _ask_app(self, bot: str) -> Json | None:
        found = await self._calls.known("bots.info", "bot", bot=bot)
        return None if found is None else {"name": found.get("name", "")}

    async def _ask_group(self, group: str) -> Json | None:
        """Slack lists them only all at once; they are few."""
        try:
            listed = (await self._calls.ask("usergroups.list")).get("usergroups", ())
        except MessengersError:
            return None
        found: dict[str, Json] = {
            each["id"]: {"handle": each.get("handle") or each.get("name", "")} for each in listed
        }
        until = self._clock.monotonic_s() + _KEPT_S
        self._kept |= {key: (until, known) for key, known in found.items()}
        return found.get(group)


def name_of_person(user: Json) -> Json:
    """A user of Slack's JSON: what people see, the handle, and whether a program writes."""
    profile: Mapping[str, str] = user.get("profile", {})
    shown = profile.get("display_name") or profile.get("real_name") or user.get("real_name")
    handle = user.get("name", "")
    is_bot = bool(user.get("is_bot")) or user["id"] == "USLACKBOT"
    return {"name": shown or handle or user["id"], "handle": handle, "bot": is_bot}


def place_of(channel: Json, handle: str) -> Json:
    """A conversation of Slack's JSON as it is called."""
    if channel.get("is_im"):
        return {"kind": "dm", "peer": channel["user"], "here": True}
    name, here = str(channel.get("name", "")), bool(channel.get("is_member", True))
    if channel.get("is_mpim"):
        others = name.removeprefix("mpdm-").rpartition("-")[0].split("--")
        shown = ", ".join(each for each in others if each and each != handle)
        return {"kind": "group", "name": shown or name, "here": True}
    return {"kind": "group", "name": f"#{name}", "here": here}


def _met(shape: re.Pattern[str], text: str) -> list[str]:
    groups: Iterable[re.Match[str]] = shape.finditer(text)
    return [*dict.fromkeys(next(filter(None, found.groups())) for found in groups)]
