"""Where people and bots write: private chats, groups, supergroups with topics, channels."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from tests.fakes.telegram.people import Json, User, present, words

if TYPE_CHECKING:
    from tests.fakes.telegram.bots import Bot
    from tests.fakes.telegram.messages import Message

__all__ = [
    "ADMINISTRATOR_RIGHTS",
    "GENERAL_TOPIC",
    "PERMISSIONS",
    "Chat",
    "ChatKind",
    "Member",
    "Status",
    "Topic",
]

ChatKind = Literal["private", "group", "supergroup", "channel"]
Status = Literal["creator", "administrator", "member", "restricted", "left", "kicked"]

GENERAL_TOPIC = 1
# ChatPermissions and ChatAdministratorRights of the API's page.
PERMISSIONS = words(
    "can_send_messages can_send_audios can_send_documents can_send_photos can_send_videos "
    "can_send_video_notes can_send_voice_notes can_send_polls can_send_other_messages "
    "can_add_web_page_previews can_react_to_messages can_edit_tag can_change_info "
    "can_invite_users can_pin_messages can_manage_topics"
)
# can_send_welcome_messages is of Bot API 10.3, which aiogram 3.31 insists on.
ADMINISTRATOR_RIGHTS = words(
    "can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members "
    "can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories "
    "can_delete_stories can_send_welcome_messages"
)
_RIGHTS_IN_CHANNELS = words("can_post_messages can_edit_messages can_manage_direct_messages")
_RIGHTS_IN_GROUPS = words("can_pin_messages can_manage_tags")


@dataclass(eq=False)
class Member:
    user: User
    status: Status = "member"
    rights: frozenset[str] = frozenset()
    """Of an administrator what it may do, of a restricted one what is left to it."""
    title: str = ""
    until_date: int = 0
    promoted_by: User | None = None
    is_anonymous: bool = False

    @property
    def present(self) -> bool:
        return self.status not in {"left", "kicked"}

    @property
    def in_charge(self) -> bool:
        return self.status in {"creator", "administrator"}

    def may(self, right: str) -> bool:
        return self.status == "creator" or (self.status == "administrator" and right in self.rights)

    def json(self, chat: "Chat", viewer: User | None = None) -> Json:
        """As `viewer` sees it: who promoted an administrator may edit it."""
        base: Json = {"status": self.status, "user": self.user.json()}
        match self.status:
            case "creator":
                return {
                    **base,
                    "is_anonymous": self.is_anonymous,
                    **present(custom_title=self.title),
                }
            case "administrator":
                rights = {name: name in self.rights for name in rights_in(chat)}
                edited = viewer is not None and viewer is self.promoted_by
                flags = {"can_be_edited": edited, "is_anonymous": self.is_anonymous, **rights}
                return {**base, **flags, **present(custom_title=self.title)}
            case "member":
                return {**base, **present(tag=self.title, until_date=self.until_date)}
            case "restricted":
                allowed = {name: name in self.rights for name in PERMISSIONS}
                return {**base, **allowed, "is_member": True, "until_date": self.until_date}
            case "left":
                return base
            case "kicked":
                return {**base, "until_date": self.until_date}


def rights_in(chat: "Chat") -> list[str]:
    """All rights an administrator can have in such a chat."""
    if chat.type == "channel":
        return [*ADMINISTRATOR_RIGHTS, *_RIGHTS_IN_CHANNELS]
    topics = ["can_manage_topics"] if chat.type == "supergroup" else []
    return [*ADMINISTRATOR_RIGHTS, *_RIGHTS_IN_GROUPS, *topics]


@dataclass(eq=False)
class Topic:
    id: int
    name: str
    icon_color: int = 0x6FB9F0
    icon_custom_emoji_id: str = ""
    closed: bool = False
    hidden: bool = False

    def json(self) -> Json:
        return {
            "message_thread_id": self.id,
            "name": self.name,
            "icon_color": self.icon_color,
            **present(icon_custom_emoji_id=self.icon_custom_emoji_id),
        }


@dataclass(eq=False)
class Chat:
    id: int
    type: ChatKind
    title: str = ""
    username: str = ""
    description: str = ""
    is_forum: bool = False
    members: dict[int, Member] = field(default_factory=dict[int, Member])
    """By user id; whoever was never there is not in it."""
    messages: dict[int, "Message"] = field(default_factory=dict[int, "Message"])
    topics: dict[int, Topic] = field(default_factory=dict[int, Topic])
    pinned: list["Message"] = field(default_factory=list["Message"])
    photo: list[Json] = field(default_factory=list[Json])
    permissions: frozenset[str] = frozenset(PERMISSIONS) - {"can_manage_topics"}
    available_reactions: list[str] | None = None
    """Emoji; None allows all."""
    invite_links: list[Json] = field(default_factory=list[Json])
    asking: dict[int, User] = field(default_factory=dict[int, User])
    """Who wants to be let in."""
    upgraded_to: "Chat | None" = None
    last_message_id: int = 0
    user: User | None = None
    """Of a private chat: who sits on the other side of `bot`."""
    bot: "Bot | None" = None
    started: bool = False
    """The user wrote first; a bot cannot."""
    blocked: bool = False
    linked: "Chat | None" = None

    def json(self) -> Json:
        if self.user:
            return {
                "id": self.id,
                "type": self.type,
                "first_name": self.user.first_name,
                **present(last_name=self.user.last_name, username=self.user.username),
            }
        return {
            "id": self.id,
            "type": self.type,
            "title": self.title,
            **present(username=self.username, is_forum=self.is_forum),
        }

    def next_message_id(self) -> int:
        owner = self.bot or self
        owner.last_message_id += 1
        return owner.last_message_id

    def member(self, user: User) -> Member:
        """One who was never there is seen as one who left."""
        return self.members.get(user.id) or Member(user, "left")

    def has(self, user: User) -> bool:
        return user in {self.user, self.bot} or self.member(user).present

    @property
    def visible(self) -> list["Message"]:
        """What people see, oldest first."""
        return [message for message in self.messages.values() if not message.deleted]
