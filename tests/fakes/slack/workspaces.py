"""A workspace: its people, its conversations, its emoji and groups."""

from dataclasses import dataclass, field

from tests.fakes.slack.apps import Bot
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.people import Json, User

__all__ = ["Workspace"]


@dataclass(eq=False)
class Workspace:
    id: str
    name: str
    domain: str
    users: dict[str, User] = field(default_factory=dict[str, User])
    channels: dict[str, Channel] = field(default_factory=dict[str, Channel])
    bots: dict[str, Bot] = field(default_factory=dict[str, Bot])
    """By the bot's id."""
    emoji: dict[str, str] = field(default_factory=dict[str, str])
    """Custom ones: an address, or `alias:` of another."""
    usergroups: list[Json] = field(default_factory=list[Json])

    @property
    def url(self) -> str:
        return f"https://{self.domain}.slack.com/"

    def named(self, name: str) -> Channel | None:
        """The public or private channel of this name."""
        return next((each for each in self.channels.values() if each.name == name), None)
