"""Conversations: public and private channels, direct messages of two or more."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.fakes.slack.messages import Message
from tests.fakes.slack.people import Json, User

if TYPE_CHECKING:
    from tests.fakes.slack.workspaces import Workspace

__all__ = ["Channel", "ChannelKind"]

ChannelKind = Literal["public_channel", "private_channel", "im", "mpim"]
_TYPES = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
_FAMILIES = {
    "public_channel": "channels",
    "private_channel": "groups",
    "im": "im",
    "mpim": "mpim",
}


@dataclass(eq=False)
class Channel:
    id: str
    kind: ChannelKind
    workspace: "Workspace"
    name: str
    creator: User | None
    created: int
    members: dict[str, User] = field(default_factory=dict[str, User])
    messages: dict[str, Message] = field(default_factory=dict[str, Message])
    """By their ts, in the order they came."""
    topic: Json = field(default_factory=dict[str, object])
    purpose: Json = field(default_factory=dict[str, object])
    previous_names: list[str] = field(default_factory=list[str])
    is_archived: bool = False
    is_general: bool = False
    posting: Literal["all", "admins", "nobody", "threads", "no_threads"] = "all"
    """Who may post: only administrators, nobody, only replies, or no replies."""
    pins: list[Message] = field(default_factory=list[Message])
    bookmarks: list[Json] = field(default_factory=list[Json])
    read: dict[str, str] = field(default_factory=dict[str, str])
    """By the member's id: the ts up to which it is read."""
    closed_for: set[str] = field(default_factory=set[str])
    """Members who closed the direct message; it opens with the next one."""

    @property
    def is_direct(self) -> bool:
        return self.kind in {"im", "mpim"}

    @property
    def type(self) -> str:
        """As `channel_type` of events: channel, group, im or mpim."""
        return _TYPES[self.kind]

    @property
    def family(self) -> str:
        """As scopes name it: channels, groups, im or mpim."""
        return _FAMILIES[self.kind]

    @property
    def visible(self) -> list[Message]:
        """What people see, oldest first."""
        return [each for each in self.messages.values() if not each.deleted]

    def partner(self, user: User) -> User:
        """The other of a direct message; oneself in notes to self."""
        others = [each for each in self.members.values() if each is not user]
        return others[0] if others else user

    def json(self, viewer: User, *, details: bool = True) -> Json:
        """As this one sees it; lists leave out what is only known of one conversation."""
        if self.kind == "im":
            return self._direct_json(viewer, details=details)
        body: Json = {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind == "public_channel",
            "is_group": self.kind == "private_channel",
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.kind != "public_channel",
            "created": self.created,
            "creator": self.creator.id if self.creator else "",
            "is_archived": self.is_archived,
            "is_general": self.is_general,
            "unlinked": 0,
            "is_shared": False,
            "is_ext_shared": False,
            "is_org_shared": False,
            "is_pending_ext_shared": False,
            "pending_shared": [],
            "shared_team_ids": [self.workspace.id],
            "context_team_id": self.workspace.id,
            "is_member": viewer.id in self.members,
            "topic": self.topic or {"value": "", "creator": "", "last_set": 0},
            "purpose": self.purpose or {"value": "", "creator": "", "last_set": 0},
            "previous_names": self.previous_names,
        }
        if details and viewer.id in self.members:
            body["last_read"] = self.read.get(viewer.id, "0000000000.000000")
        return body

    def _direct_json(self, viewer: User, *, details: bool) -> Json:
        partner = self.partner(viewer)
        body: Json = {
            "id": self.id,
            "created": self.created,
            "is_archived": self.is_archived,
            "is_im": True,
            "is_org_shared": False,
            "context_team_id": self.workspace.id,
            "user": partner.id,
            "is_user_deleted": partner.deleted,
            "priority": 0,
        }
        if details:
            body["last_read"] = self.read.get(viewer.id, "0000000000.000000")
            body["is_open"] = viewer.id not in self.closed_for
        return body
