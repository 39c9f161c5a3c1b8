"""A message: what the API tells of it, and what people see."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict, cast

from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.people import Json, User, present, words

if TYPE_CHECKING:
    from tests.fakes.telegram.bots import Bot

__all__ = ["MEDIA", "Details", "Message", "for_bot", "marks", "origin_of"]

MEDIA = words("animation audio document live_photo photo sticker video video_note voice")

SERVICE = frozenset(
    words(
        "new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo "
        "group_chat_created supergroup_chat_created channel_chat_created migrate_to_chat_id "
        "migrate_from_chat_id pinned_message forum_topic_created forum_topic_edited "
        "forum_topic_closed forum_topic_reopened general_forum_topic_hidden "
        "general_forum_topic_unhidden message_auto_delete_timer_changed video_chat_started "
        "video_chat_ended successful_payment boost_added write_access_allowed users_shared"
    )
)


class Details(TypedDict, total=False):
    """What a message may have besides sender and content."""

    sender_chat: Chat | None
    reply_to: "Message | None"
    thread: int
    reply_markup: Json | None
    extra: Json
    business: str
    business_bot: "Bot | None"
    silent: bool


def for_bot(value: Json, bot: "Bot") -> Json:
    """The same with this bot's own file ids: another bot's are good for nothing."""
    return cast("Json", _for_bot(value, bot))


def _for_bot(value: object, bot: "Bot") -> object:
    if isinstance(value, list):
        return [_for_bot(each, bot) for each in cast("list[object]", value)]
    if not isinstance(value, dict):
        return value
    copy: Json = {name: _for_bot(each, bot) for name, each in cast("Json", value).items()}
    if "file_id" in copy:
        copy["file_id"] = f"{copy['file_id']}-{bot.id}"
    return copy


def marks(text: str, entities: list[Json]) -> list[tuple[str, str]]:
    """What is formatted, as (kind, text); offsets count UTF-16 units."""
    wide = text.encode("utf-16-le")
    ends = [(each["type"], each["offset"], each["offset"] + each["length"]) for each in entities]
    return [(kind, wide[2 * start : 2 * end].decode("utf-16-le")) for kind, start, end in ends]


@dataclass(eq=False)
class Message:
    id: int
    chat: Chat
    date: int
    content: Json
    """The fields of its kind: text and entities, photo and caption, new_chat_members …

    A poll and a pinned message stand in it as they are.
    """
    sender: User | None = None
    sender_chat: Chat | None = None
    reply_to: "Message | None" = None
    thread: int = 0
    """Its topic; in a supergroup without topics the first message of a chain of replies."""
    edit_date: int = 0
    reply_markup: Json | None = None
    """An inline keyboard, or what shows or hides a keyboard under the text box."""
    extra: Json = field(default_factory=dict[str, object])
    """What else the API tells: quote, media_group_id, forward_origin, external_reply …"""
    business: str = ""
    """The id of the business connection it came through."""
    business_bot: "Bot | None" = None
    silent: bool = False
    deleted: bool = False
    reactions: dict[int, list[Json]] = field(default_factory=dict[int, list[Json]])
    """By the id of the user or chat that reacted."""

    def json(self, bot: "Bot", *, nested: bool = False) -> Json:
        """As `bot` is told of it; a message inside another does not tell its own reply."""
        inline = self.reply_markup if "inline_keyboard" in (self.reply_markup or {}) else None
        business_bot = self.business_bot and self.business_bot.json()
        body: Json = {
            "message_id": self.id,
            **present(
                business_connection_id=self.business,
                sender_business_bot=business_bot,
                **{"from": self.sender and self.sender.json()},
                sender_chat=self.sender_chat and self.sender_chat.json(),
            ),
            "chat": self.chat.json(),
            "date": self.date,
            **present(
                edit_date=self.edit_date,
                message_thread_id=self.thread,
                is_topic_message=bool(self.thread) and self.chat.is_forum,
            ),
            **self.extra,
            **self.content,
            **present(reply_markup=inline),
        }
        if "poll" in body:
            body["poll"] = body["poll"].json()
        if "pinned_message" in body:
            body["pinned_message"] = body["pinned_message"].json(bot, nested=True)
        if self.reply_to and not self.reply_to.deleted and not nested:
            body["reply_to_message"] = self.reply_to.json(bot, nested=True)
        return for_bot(body, bot)

    def inaccessible(self) -> Json:
        """What is left of one that was deleted."""
        return {"chat": self.chat.json(), "message_id": self.id, "date": 0}

    @property
    def is_service(self) -> bool:
        """It tells what happened; nobody wrote it."""
        return bool(SERVICE & self.content.keys())

    @property
    def text(self) -> str:
        """What can be read: text or caption."""
        return str(self.content.get("text", self.content.get("caption", "")))

    @property
    def entities(self) -> list[Json]:
        return self.content.get("entities", self.content.get("caption_entities", []))

    @property
    def marks(self) -> list[tuple[str, str]]:
        """What is formatted, such as ("bold", "now")."""
        return marks(self.text, self.entities)

    @property
    def kind(self) -> str:
        """The first field of its content, such as text, photo or new_chat_title."""
        return next(iter(self.content))

    @property
    def file_id(self) -> str:
        """Of its file, or of a photo's largest size; without any bot's suffix."""
        if sizes := self.content.get("photo"):
            return str(sizes[-1]["file_id"])
        kind = next(kind for kind in MEDIA if kind in self.content)
        return str(self.content[kind]["file_id"])

    @property
    def buttons(self) -> list[list[Json]]:
        """Rows of the inline keyboard under it."""
        return (self.reply_markup or {}).get("inline_keyboard", [])

    @property
    def reply_id(self) -> int | None:
        return self.reply_to.id if self.reply_to else None


def origin_of(message: Message) -> Json:
    """Who wrote it first; people can hide behind their name."""
    if first := message.extra.get("forward_origin"):
        return cast("Json", first)
    date: Json = {"date": message.date}
    if message.chat.type == "channel":
        chat = message.chat.json()
        return {"type": "channel", **date, "chat": chat, "message_id": message.id}
    if message.sender_chat:
        return {"type": "chat", **date, "sender_chat": message.sender_chat.json()}
    assert message.sender
    return {"type": "user", **date, "sender_user": message.sender.json()}
