"""What a new message may have besides its text."""

from typing import TYPE_CHECKING, TypedDict

if TYPE_CHECKING:
    from tests.fakes.discord.files import Attachment
    from tests.fakes.discord.guilds import Role
    from tests.fakes.discord.messages import Flag, Message, MessageKind
    from tests.fakes.discord.people import Json, User
    from tests.fakes.discord.polls import Poll

__all__ = ["Details"]


class Details(TypedDict, total=False):
    kind: "MessageKind"
    tts: bool
    nonce: int | str | None
    flags: "Flag"
    embeds: list["Json"]
    components: list["Json"]
    attachments: list["Attachment"]
    stickers: list["Json"]
    mentions: list["User"]
    mentioned_roles: list["Role"]
    mentions_everyone: bool
    reference: "Message | None"
    is_forward: bool
    poll: "Poll | None"
    webhook_id: int
    application_id: int
    for_user: "User | None"
