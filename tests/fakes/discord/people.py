"""Who writes: users, and what everybody can see of them."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Json", "User"]

Json = dict[str, Any]


@dataclass(eq=False, repr=False)
class User:
    id: int
    username: str
    global_name: str | None = None
    is_bot: bool = False
    avatar: str | None = None
    closed_dms: bool = False
    """Takes no direct messages of people and bots that are no friends."""
    blocked: set[int] = field(default_factory=set[int])

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.username} {self.id}>"

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    @property
    def name(self) -> str:
        return self.global_name or self.username

    def json(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.username,
            "global_name": self.global_name,
            "discriminator": "0000" if self.is_bot else "0",
            "avatar": self.avatar,
            "avatar_decoration_data": None,
            "collectibles": None,
            "primary_guild": None,
            "public_flags": 0,
            "flags": 0,
            **({"bot": True} if self.is_bot else {}),
        }
