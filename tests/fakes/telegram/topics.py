"""Forum topics, as bots make and change them."""

from tests.fakes.telegram import access
from tests.fakes.telegram.chats import GENERAL_TOPIC, Chat, Topic
from tests.fakes.telegram.methods import method
from tests.fakes.telegram.people import Json, User, present
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.world import World

__all__ = ["close_topic", "edit_topic", "new_topic"]

_COLORS = frozenset({0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F})


def new_topic(
    world: World, chat: Chat, name: str, by: User, color: int = 0, icon: str = ""
) -> Topic:
    """It has the number of the service message that tells of it."""
    topic = Topic(0, name, color or min(_COLORS), icon)
    described = {name: each for name, each in topic.json().items() if name != "message_thread_id"}
    message = world.post(chat, {"forum_topic_created": described}, by)
    topic.id = message.thread = message.id
    chat.topics[topic.id] = topic
    world.announce(message)
    return topic


def edit_topic(world: World, chat: Chat, topic: Topic, by: User, changed: Json) -> None:
    topic.name = changed.get("name", topic.name)
    topic.icon_custom_emoji_id = changed.get("icon_custom_emoji_id", topic.icon_custom_emoji_id)
    _tell(world, chat, topic, by, {"forum_topic_edited": changed})


def close_topic(world: World, chat: Chat, topic: Topic, by: User, *, closed: bool = True) -> None:
    topic.closed = closed
    _tell(world, chat, topic, by, {f"forum_topic_{'closed' if closed else 'reopened'}": {}})


def _tell(world: World, chat: Chat, topic: Topic, by: User, content: Json) -> None:
    thread = 0 if topic.id == GENERAL_TOPIC else topic.id
    world.announce(world.post(chat, content, by, thread=thread))


def _forum(world: World, call: Call, what: str) -> Chat:
    chat = access.writable(world, call)
    if not chat.is_forum:
        raise Refused(400, "the chat is not a forum")
    access.require_right(chat, call.bot, "can_manage_topics", f"not enough rights to {what}")
    return chat


def _topic(chat: Chat, call: Call) -> Topic:
    number = call.number("message_thread_id")
    if number not in chat.topics:
        raise Refused(400, "TOPIC_ID_INVALID")
    return chat.topics[number]


def _icon(call: Call) -> Json:
    return present(icon_custom_emoji_id=call.text("icon_custom_emoji_id"))


@method("createForumTopic")
def create_forum_topic(world: World, call: Call) -> object:
    chat = _forum(world, call, "create a topic")
    color = call.number("icon_color")
    if color and color not in _COLORS:
        raise Refused(400, "TOPIC_ICON_COLOR_INVALID")
    name = call.required("name")
    if len(name) > 128:
        raise Refused(400, "TOPIC_TITLE_TOO_LONG")
    icon = call.text("icon_custom_emoji_id")
    return new_topic(world, chat, name, call.bot, color, icon).json()


@method("editForumTopic")
def edit_forum_topic(world: World, call: Call) -> object:
    chat = _forum(world, call, "edit the topic")
    changed = {**present(name=call.text("name")), **_icon(call)}
    edit_topic(world, chat, _topic(chat, call), call.bot, changed)
    return True


def _set_closed(world: World, call: Call, topic: Topic, chat: Chat, *, closed: bool) -> bool:
    if topic.closed == closed:
        raise Refused(400, "TOPIC_NOT_MODIFIED")
    close_topic(world, chat, topic, call.bot, closed=closed)
    return True


@method("closeForumTopic")
def close_forum_topic(world: World, call: Call) -> object:
    chat = _forum(world, call, "close or open the topic")
    return _set_closed(world, call, _topic(chat, call), chat, closed=True)


@method("reopenForumTopic")
def reopen_forum_topic(world: World, call: Call) -> object:
    chat = _forum(world, call, "close or open the topic")
    return _set_closed(world, call, _topic(chat, call), chat, closed=False)


@method("editGeneralForumTopic")
def edit_general_forum_topic(world: World, call: Call) -> object:
    chat = _forum(world, call, "edit the topic")
    changed: Json = {"name": call.required("name")}
    edit_topic(world, chat, chat.topics[GENERAL_TOPIC], call.bot, changed)
    return True


@method("closeGeneralForumTopic")
def close_general_forum_topic(world: World, call: Call) -> object:
    chat = _forum(world, call, "close or open the topic")
    return _set_closed(world, call, chat.topics[GENERAL_TOPIC], chat, closed=True)


@method("reopenGeneralForumTopic")
def reopen_general_forum_topic(world: World, call: Call) -> object:
    chat = _forum(world, call, "close or open the topic")
    return _set_closed(world, call, chat.topics[GENERAL_TOPIC], chat, closed=False)


@method("deleteForumTopic")
def delete_forum_topic(world: World, call: Call) -> object:
    """With all that was said there."""
    chat = _forum(world, call, "delete the topic")
    topic = _topic(chat, call)
    for message in chat.messages.values():
        message.deleted = message.deleted or message.thread == topic.id
    del chat.topics[topic.id]
    return True


@method("unpinAllForumTopicMessages")
def unpin_all_forum_topic_messages(world: World, call: Call) -> object:
    chat = _forum(world, call, "manage pinned messages in the chat")
    topic = _topic(chat, call)
    chat.pinned = [message for message in chat.pinned if message.thread != topic.id]
    return True
