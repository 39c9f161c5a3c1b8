"""Who writes: users, and what others see of them."""

import hashlib
from dataclasses import dataclass
from typing import Any, Literal

__all__ = ["Json", "User", "present", "words"]

Json = dict[str, Any]


def present(**fields: object) -> Json:
    """The fields that say something."""
    return {name: value for name, value in fields.items() if value}


def words(text: str) -> list[str]:
    """A list of names that would fill a page one a line."""
    return text.split()


@dataclass(eq=False)
class User:
    id: str
    team_id: str
    name: str
    """The handle, unique in a workspace."""
    real_name: str
    display_name: str = ""
    email: str = ""
    title: str = ""
    phone: str = ""
    status_text: str = ""
    status_emoji: str = ""
    tz: str = "Europe/Amsterdam"
    bot_id: str = ""
    app_id: str = ""
    is_admin: bool = False
    is_restricted: bool = False
    deleted: bool = False
    presence: Literal["active", "away"] = "active"
    updated: int = 0

    @property
    def is_bot(self) -> bool:
        return bool(self.bot_id)

    @property
    def shown_name(self) -> str:
        return self.display_name or self.real_name or self.name

    def json(self, *, with_email: bool = False) -> Json:
        return {
            "id": self.id,
            "team_id": self.team_id,
            "name": self.name,
            "deleted": self.deleted,
            "color": "9f69e7",
            "real_name": self.real_name,
            "tz": self.tz,
            "tz_label": "Central European Time",
            "tz_offset": 3600,
            "profile": self.profile(with_email=with_email),
            "is_admin": self.is_admin,
            "is_owner": False,
            "is_primary_owner": False,
            "is_restricted": self.is_restricted,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "updated": self.updated,
            "is_email_confirmed": not self.is_bot,
            "who_can_share_contact_card": "EVERYONE",
        }

    def profile(self, *, with_email: bool = False) -> Json:
        first, _, last = self.real_name.partition(" ")
        avatar = hashlib.sha256(self.id.encode()).hexdigest()[:12]
        pictures = f"https://avatars.slack.example/{avatar}"
        return {
            "title": self.title,
            "phone": self.phone,
            "skype": "",
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": self.display_name,
            "display_name_normalized": self.display_name,
            "fields": {},
            "status_text": self.status_text,
            "status_emoji": self.status_emoji,
            "status_expiration": 0,
            "avatar_hash": avatar,
            "first_name": first,
            "last_name": last,
            "image_24": f"{pictures}_24.png",
            "image_72": f"{pictures}_72.png",
            "image_512": f"{pictures}_512.png",
            "team": self.team_id,
            **present(bot_id=self.bot_id, api_app_id=self.app_id),
            **(present(email=self.email) if with_email else {}),
        }
