"""Users and chats of Telegram's JSON in the words of the contract."""

from collections.abc import Mapping
from typing import Any

from messengers.models import ChatKind, Sender
from messengers.providers.base import ChatSeen
from messengers.providers.telegram.places import Place

__all__ = ["Json", "chats_seen", "name_of", "place_of", "sender_of", "title_of"]

Json = Mapping[str, Any]
_GENERAL = 1
"""The topic of a forum that is the chat itself: Telegram takes no messages under its id."""
_KINDS: Mapping[str, ChatKind] = {
    "private": "dm",
    "group": "group",
    "supergroup": "group",
    "channel": "channel",
}


def name_of(user: Json) -> str:
    """What a user or bot calls himself."""
    parts = (user.get("first_name", ""), user.get("last_name", ""))
    return " ".join(part for part in parts if part) or user.get("username", "") or "someone"


def title_of(chat: Json) -> str:
    """What a chat is called: its title, or the name of the person in it."""
    return chat.get("title") or name_of(chat)


def sender_of(message: Json, me: int) -> Sender:
    """Who wrote a message: a chat where one speaks as itself, else a user."""
    chat = message.get("sender_chat")
    if chat is not None or "from" not in message:
        chat = chat or message["chat"]
        signed = message.get("author_signature", "")
        name = f"{title_of(chat)} ({signed})" if signed else title_of(chat)
        return Sender(
            native_id=str(chat["id"]), display_name=name, username=chat.get("username", "")
        )
    return user_as_sender(message["from"], me)


def user_as_sender(user: Json, me: int) -> Sender:
    """A user, or the account itself."""
    if user["id"] == me:
        return Sender(native_id="", is_me=True, is_bot=True)
    return Sender(
        native_id=str(user["id"]),
        display_name=name_of(user),
        username=user.get("username", ""),
        is_bot=bool(user.get("is_bot")),
    )


def place_of(message: Json) -> Place:
    """Where a message stands."""
    topic = message.get("message_thread_id", 0) if message.get("is_topic_message") else 0
    topic = 0 if topic == _GENERAL else topic
    direct = message.get("direct_messages_topic", {}).get("topic_id", 0)
    return Place(
        chat_id=_whole(message["chat"]["id"]),
        topic=topic,
        direct=direct,
        business=message.get("business_connection_id", ""),
    )


def chats_seen(message: Json) -> list[ChatSeen]:
    """The chat of a message; where it stands in a topic, the whole chat before it."""
    chat, place = message["chat"], place_of(message)
    kind = _KINDS[chat["type"]]
    whole = Place(place.chat_id, business=place.business)
    seen = ChatSeen(
        native_id=whole.native_id,
        kind=kind,
        name=title_of(chat),
        name_source="stranger" if kind == "dm" else "platform",
        username=chat.get("username", ""),
    )
    if whole == place:
        return [seen]
    return [seen, _topic(message, seen, place)]


def _topic(message: Json, whole: ChatSeen, place: Place) -> ChatSeen:
    """A topic of a forum is a thread; where one person talks with the account it is a dm."""
    person: Json = message.get("direct_messages_topic", {}).get("user", {})
    name = name_of(person) if person else _topic_name(message)
    return ChatSeen(
        native_id=place.native_id,
        kind="dm" if place.direct or whole.kind == "dm" else "thread",
        name=f"{whole.name} · {name}" if name else "",
        name_source="stranger" if place.direct or whole.kind == "dm" else "platform",
        username=person.get("username", ""),
        parent_native_id=whole.native_id,
    )


def _topic_name(message: Json) -> str:
    """Every message of a topic that quotes nothing answers the one that made the topic."""
    for event in (
        message.get("forum_topic_edited"),
        message.get("forum_topic_created"),
        message.get("reply_to_message", {}).get("forum_topic_created"),
    ):
        if event and event.get("name"):
            return str(event["name"])
    return ""


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError("an id that is no number")
    return value
