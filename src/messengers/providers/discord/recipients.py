"""Whom a recipient means: numbers do not tell whether they are a channel's or a person's."""

from collections.abc import Sequence

from messengers.providers.discord.calls import Calls
from messengers.providers.discord.failures import told
from messengers.providers.discord.fields import Json
from messengers.providers.discord.places import GUILD, USER, guild_of, user_of
from messengers.providers.discord.wire import Refused

__all__ = ["found"]

_DIRECT = 1
_SERVERS = 20
"""That are searched for a name."""


async def found(calls: Calls, target: str) -> Sequence[str]:
    """The native ids behind what `parse_target` gave, as far as this bot may see."""
    if target.startswith("@"):
        return await _named(calls, target.removeprefix("@"))
    if target.startswith(GUILD):
        return (target,) if guild_of(target) in calls.rooms.guilds else ()
    if not user_of(target):
        channel = await _known(calls, "/channels/{id}", target)
        if channel is not None and channel["type"] == _DIRECT:
            return (f"{USER}{channel['recipients'][0]['id']}",)
        if channel is not None:
            calls.rooms.learn(channel)
            return (target,)
    number = user_of(target) or target
    return (USER + number,) if await _known(calls, "/users/{id}", number) else ()


async def _known(calls: Calls, path: str, id: str) -> Json | None:
    """The answer to a question; None where Discord knows no such thing, or hides it."""
    with told(changes=False):
        try:
            return await calls.wire.ask("GET", path, id=id)
        except Refused as exc:
            if exc.status in (400, 403, 404):
                return None
            raise


async def _named(calls: Calls, username: str) -> Sequence[str]:
    """Who goes by this name in a server of the bot's. A name in Discord is one person's."""
    for guild in [*calls.rooms.guilds][:_SERVERS]:
        members: list[Json] = await calls.ask(
            "GET",
            "/guilds/{guild_id}/members/search",
            params={"query": username, "limit": 10},
            guild_id=guild,
            changes=False,
        )
        for member in members:
            if str(member["user"].get("username")).lower() == username:
                return (f"{USER}{member['user']['id']}",)
    return ()
