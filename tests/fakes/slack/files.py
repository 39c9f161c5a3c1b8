"""Files: what was uploaded, where it is shared, and where it is downloaded."""

import mimetypes
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.fakes.slack.people import Json, User, present

if TYPE_CHECKING:
    from tests.fakes.slack.messages import Message

__all__ = ["File"]

_NAMES = {"jpg": "JPEG", "pdf": "PDF", "txt": "Plain Text"}


@dataclass(eq=False)
class File:
    id: str
    name: str
    user: User
    created: int
    home: str
    """Where it is downloaded."""
    length: int
    """Announced before the upload; may say more than `data` has, for what people upload."""
    data: bytes | None = field(default=None, repr=False)
    title: str = ""
    mime: str = ""
    alt_text: str = ""
    shared: "list[Message]" = field(default_factory=list["Message"])
    completed: bool = False
    deleted: bool = False
    about: Json = field(default_factory=dict[str, object])
    """More of its fields: original_w, duration_ms, subtype and the like."""

    @property
    def kind(self) -> str:
        return self.name.rpartition(".")[2].lower() if "." in self.name else "binary"

    @property
    def mimetype(self) -> str:
        return self.mime or mimetypes.guess_type(self.name)[0] or "application/octet-stream"

    def json(self) -> Json:
        """As messages and files.info tell it."""
        if self.deleted:
            return {"id": self.id, "mode": "tombstone"}
        return {
            "id": self.id,
            "created": self.created,
            "timestamp": self.created,
            "name": self.name,
            "title": self.title or self.name,
            "mimetype": self.mimetype,
            "filetype": self.kind,
            "pretty_type": _NAMES.get(self.kind, self.kind.upper()),
            "user": self.user.id,
            "user_team": self.user.team_id,
            "editable": False,
            "size": self.length,
            "mode": "hosted",
            "is_external": False,
            "external_type": "",
            "is_public": any(each.channel.kind == "public_channel" for each in self.shared),
            "public_url_shared": False,
            "display_as_bot": False,
            "username": "",
            "url_private": f"{self.home}/{self.name}",
            "url_private_download": f"{self.home}/download/{self.name}",
            "permalink": f"https://files.slack.example/{self.id}/{self.name}",
            "has_rich_preview": False,
            "file_access": "visible",
            **present(alt_txt=self.alt_text),
            **self.about,
        }

    def details(self) -> Json:
        """As files.info tells it: where it is shared, too."""
        shares: Json = {}
        for message in self.shared:
            public = message.channel.kind == "public_channel"
            places = shares.setdefault("public" if public else "private", {})
            places.setdefault(message.channel.id, []).append(_share(message))
        places = {each.channel.id: each.channel for each in self.shared}.values()
        return {
            **self.json(),
            "shares": shares,
            "channels": [each.id for each in places if each.kind == "public_channel"],
            "groups": [each.id for each in places if each.kind in {"private_channel", "mpim"}],
            "ims": [each.id for each in places if each.kind == "im"],
            "comments_count": 0,
            "is_starred": False,
        }


def _share(message: "Message") -> Json:
    return {
        "reply_users": [],
        "reply_users_count": 0,
        "reply_count": 0,
        "ts": message.ts,
        **present(thread_ts=message.thread_ts),
        "channel_name": message.channel.name,
        "team_id": message.channel.workspace.id,
        "share_user_id": message.user.id if message.user else "",
        "source": "UNKNOWN",
    }
