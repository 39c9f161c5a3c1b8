"""A webhook: an address by which anybody who knows it writes in a channel."""

from dataclasses import dataclass

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.people import Json, User

__all__ = ["Webhook"]


@dataclass(eq=False)
class Webhook:
    id: int
    token: str
    name: str
    channel: Channel
    maker: User
    base_url: str

    @property
    def url(self) -> str:
        return f"{self.base_url}/api/webhooks/{self.id}/{self.token}"

    def author(self, name: str | None) -> User:
        """Who is seen to have written by it."""
        return User(self.id, name or self.name, is_bot=True)

    def json(self, *, with_maker: bool = True) -> Json:
        guild = self.channel.guild
        own = isinstance(self.maker, Bot)
        return {
            "id": str(self.id),
            "type": 1,
            "name": self.name,
            "avatar": None,
            "channel_id": str(self.channel.id),
            "guild_id": str(guild.id) if guild else None,
            "application_id": str(self.maker.id) if own else None,
            "token": self.token,
            "url": self.url,
            **({"user": self.maker.json()} if with_maker else {}),
        }
