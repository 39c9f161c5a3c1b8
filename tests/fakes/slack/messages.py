"""A message as it stands in a conversation."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from tests.fakes.slack.files import File
from tests.fakes.slack.formatting import called, rich_text, shown
from tests.fakes.slack.people import Json, User, present

if TYPE_CHECKING:
    from tests.fakes.slack.apps import Bot
    from tests.fakes.slack.channels import Channel

__all__ = ["Details", "Message"]


class Details(TypedDict, total=False):
    """What a message may have besides its text."""

    bot: "Bot | None"
    subtype: str
    blocks: list[Json]
    attachments: list[Json]
    files: list[File]
    metadata: Json
    client_msg_id: str
    extra: Json
    options: Json


@dataclass(eq=False)
class Message:
    ts: str
    channel: "Channel"
    text: str
    user: User | None
    thread_ts: str = ""
    bot: "Bot | None" = None
    subtype: str = ""
    blocks: list[Json] = field(default_factory=list[Json])
    attachments: list[Json] = field(default_factory=list[Json])
    files: list[File] = field(default_factory=list[File])
    metadata: Json = field(default_factory=dict[str, object])
    client_msg_id: str = ""
    ephemeral_to: User | None = None
    extra: Json = field(default_factory=dict[str, object])
    """Fields of its subtype."""
    options: Json = field(default_factory=dict[str, object])
    """How it was asked for: unfurl_links, unfurl_media, mrkdwn, parse, link_names."""
    reactions: dict[str, list[User]] = field(default_factory=dict[str, list[User]])
    edited: Json = field(default_factory=dict[str, object])
    deleted: bool = False

    @property
    def shown(self) -> str:
        """The text as people read it."""
        return shown(self.text, self.channel.workspace)

    @property
    def called(self) -> set[str]:
        """Whom its text notifies: ids, or here, channel, everyone."""
        return called(self.text)

    @property
    def buttons(self) -> list[Json]:
        """Of its blocks, in the order they stand."""
        elements: list[Json] = []
        for block in self.blocks:
            elements += [*block.get("elements", []), block.get("accessory", {})]
        return [each for each in elements if each.get("type") == "button"]

    @property
    def is_reply(self) -> bool:
        return self.thread_ts not in {"", self.ts}

    @property
    def broadcast(self) -> bool:
        """A reply that stands in the channel too."""
        return self.subtype == "thread_broadcast"

    @property
    def in_channel(self) -> bool:
        """It stands in the conversation itself and not only in a thread."""
        return not self.is_reply or self.broadcast

    @property
    def replies(self) -> "list[Message]":
        messages = self.channel.messages.values()
        return [
            each
            for each in messages
            if each.is_reply and each.thread_ts == self.ts and not each.deleted
        ]

    def json(self) -> Json:
        """As history and events tell it, without the conversation."""
        if self.deleted:
            return self._tombstone()
        body: Json = {
            "type": "message",
            **present(subtype=self.subtype),
            **({"user": self.user.id} if self.user else {}),
            "ts": self.ts,
            **present(client_msg_id=self.client_msg_id),
            **(self._author() if self.bot else {}),
            "text": self.text,
            "team": self.channel.workspace.id,
            **present(
                attachments=self.attachments,
                files=[each.json() for each in self.files],
                metadata=self.metadata,
                edited=self.edited,
                reactions=self.reaction_list(),
            ),
            **({"blocks": blocks} if (blocks := self.shown_blocks) else {}),
            **self.extra,
            **self._thread(),
        }
        if self.files:
            body |= {"upload": False, "display_as_bot": False}
        if self.channel.pins and self in self.channel.pins:
            body["pinned_to"] = [self.channel.id]
        return body

    @property
    def shown_blocks(self) -> list[Json]:
        """Those that were sent, or what Slack makes of the text."""
        made = self.text and self.subtype in {"", "file_share", "thread_broadcast"}
        return self.blocks or (rich_text(self.text) if made else [])

    def _author(self) -> Json:
        assert self.bot
        author = {"bot_id": self.bot.id, "app_id": self.bot.app.id}
        return (
            author if self.subtype == "bot_message" else author | {"bot_profile": self.bot.json()}
        )

    def reaction_list(self) -> list[Json]:
        return [
            {"name": name, "users": [each.id for each in users], "count": len(users)}
            for name, users in self.reactions.items()
        ]

    def _thread(self) -> Json:
        if self.is_reply:
            root = self.channel.messages.get(self.thread_ts)
            parent = present(parent_user_id=root and root.user and root.user.id)
            broadcast = {"root": root.json()} if self.broadcast and root else {}
            return {"thread_ts": self.thread_ts, **parent, **broadcast}
        if not (replies := self.replies):
            return {"thread_ts": self.ts} if self.thread_ts else {}
        repliers = list(dict.fromkeys(each.user.id for each in replies if each.user))
        return {
            "thread_ts": self.ts,
            "reply_count": len(replies),
            "reply_users_count": len(repliers),
            "latest_reply": replies[-1].ts,
            "reply_users": repliers[:5],
            "is_locked": False,
            "subscribed": False,
        }

    def _tombstone(self) -> Json:
        """What is left of a deleted message with replies."""
        return {
            "type": "message",
            "subtype": "tombstone",
            "user": "USLACKBOT",
            "hidden": True,
            "text": "This message was deleted.",
            "ts": self.ts,
            **self._thread(),
        }
