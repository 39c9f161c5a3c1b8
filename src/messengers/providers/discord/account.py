"""The bot itself, as Discord tells it: who it is, what it may hear, where its presses go."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from discord import Intents

from messengers.providers.discord.wire import Wire

__all__ = ["Account", "account_of", "choose"]

_READS = 1 << 18 | 1 << 19
_MEMBERS = 1 << 14 | 1 << 15
"""Flags of an application: the intent is on, for many servers or for few."""


@dataclass(frozen=True, slots=True)
class Account:
    """Of `/users/@me` and `/oauth2/applications/@me`."""

    id: str
    name: str
    reads: bool
    """What people write in servers is told to it."""
    members: bool
    public_key: str
    presses_to: str
    """The address that Discord delivers interactions to; empty: they come over the gateway."""

    def presses_go_elsewhere(self, webhook_url: str) -> str:
        """The host that gets its interactions where that is not this daemon, else ''."""
        if self.presses_to in ("", webhook_url):
            return ""
        return urlsplit(self.presses_to).hostname or "an address"


async def account_of(wire: Wire) -> Account:
    """Raises Refused or Unanswered."""
    about: dict[str, Any] = await wire.ask("GET", "/oauth2/applications/@me")
    flags = int(about.get("flags") or 0)
    return Account(
        id=str(wire.user["id"]),
        name=str(wire.user.get("username") or ""),
        reads=bool(flags & _READS),
        members=bool(flags & _MEMBERS),
        public_key=str(about.get("verify_key") or ""),
        presses_to=str(about.get("interactions_endpoint_url") or ""),
    )


def choose(intents: Intents, account: Account) -> int:
    """Ask for what is read here and is allowed; the number that stands for it."""
    intents.guilds = intents.messages = intents.reactions = intents.typing = intents.polls = True
    intents.message_content, intents.members = account.reads, account.members
    return intents.value
