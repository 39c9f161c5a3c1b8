"""Who writes: users and what others see of them."""

from dataclasses import dataclass, field
from typing import Any

__all__ = ["Json", "User", "present", "words"]

Json = dict[str, Any]


def present(**fields: object) -> Json:
    """The fields that say something: Telegram leaves out what is absent, empty, false or zero."""
    return {name: value for name, value in fields.items() if value}


def words(text: str) -> list[str]:
    """A list of names that would fill a page one a line."""
    return text.split()


@dataclass(eq=False)
class User:
    id: int
    first_name: str
    last_name: str = ""
    username: str = ""
    language_code: str = ""
    is_premium: bool = False
    is_bot: bool = False
    bio: str = ""
    photos: list[list[Json]] = field(default_factory=list[list[Json]])
    """Of the profile, the newest first, each in its sizes."""
    deactivated: bool = False
    """The account is deleted."""

    @property
    def name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip()

    def json(self) -> Json:
        return {
            "id": self.id,
            "is_bot": self.is_bot,
            "first_name": self.first_name,
            **present(
                last_name=self.last_name,
                username=self.username,
                language_code=self.language_code,
                is_premium=self.is_premium,
            ),
        }
