"""Whom a text notifies, and what `allowed_mentions` takes back of that."""

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.discord.bodies import ids, words
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.guilds import Role
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import InvalidForm

if TYPE_CHECKING:
    from tests.fakes.discord.world import World

__all__ = ["Notified", "notified"]

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(everyone|here)\b")
_CODE = re.compile(r"```.*?```|`[^`]*`", re.DOTALL)


@dataclass
class Notified:
    users: list[User] = field(default_factory=list[User])
    roles: list[Role] = field(default_factory=list[Role])
    everyone: bool = False


def notified(
    world: "World",
    channel: Channel,
    author: User,
    content: str,
    allowed: Json | None = None,
    answered: User | None = None,
) -> Notified:
    """Without `allowed` everybody who is named is; the author of what is answered too."""
    _check(allowed)
    text = _CODE.sub("", content)
    found = Notified()
    for id in dict.fromkeys(int(id) for id in _USER.findall(text)):
        if id in world.users and _passes(allowed, "users", id):
            found.users.append(world.users[id])
    is_heard = allowed is None or bool(allowed.get("replied_user"))
    if is_heard and answered and answered not in found.users and answered is not author:
        found.users.append(answered)
    if channel.guild is None:
        return found
    may_all = Permission.MENTION_EVERYONE in world.may(author, channel)
    for id in dict.fromkeys(int(id) for id in _ROLE.findall(text)):
        role = channel.guild.roles.get(id)
        if role and (may_all or role.mentionable) and _passes(allowed, "roles", id):
            found.roles.append(role)
    named = bool(_EVERYONE.search(text))
    found.everyone = named and may_all and (allowed is None or "everyone" in _kinds(allowed))
    return found


def _kinds(allowed: Json) -> list[str]:
    return words(allowed, "parse")


def _passes(allowed: Json | None, kind: str, id: int) -> bool:
    if allowed is None or kind in _kinds(allowed):
        return True
    return id in ids(allowed, kind)


def _check(allowed: Json | None) -> None:
    for kind in ("users", "roles"):
        if allowed and kind in _kinds(allowed) and allowed.get(kind):
            fault = f'parse:["{kind}"] and {kind}: [ids...] are mutually exclusive.'
            code = "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"
            raise InvalidForm(("allowed_mentions", code, fault))
