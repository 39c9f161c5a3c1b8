"""Which chat a request means, and whether the bot may do there what it asks for."""

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.chats import GENERAL_TOPIC, Chat
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.world import World

__all__ = ["message_of", "readable", "require_right", "topic_of", "writable"]

_KINDS = {"group": "group chat", "supergroup": "supergroup chat", "channel": "channel chat"}
_WHAT = {
    "text": "text messages",
    "photo": "photos",
    "video": "videos",
    "animation": "animations",
    "audio": "music",
    "voice": "voice notes",
    "video_note": "video notes",
    "document": "documents",
    "sticker": "stickers",
    "poll": "polls",
}
_PERMISSIONS = {
    "photo": "can_send_photos",
    "video": "can_send_videos",
    "audio": "can_send_audios",
    "voice": "can_send_voice_notes",
    "video_note": "can_send_video_notes",
    "document": "can_send_documents",
    "poll": "can_send_polls",
    "animation": "can_send_other_messages",
    "sticker": "can_send_other_messages",
}


def readable(world: World, call: Call, name: str = "chat_id") -> Chat:
    """The chat, if the bot can know it; a private one needs no permission to be looked at."""
    text = call.text(name)
    if not text:
        raise Refused(400, f"{name} is empty")
    chat = _named(world, text[1:]) if text.startswith("@") else _numbered(world, call.bot, text)
    if chat is None:
        raise Refused(400, "chat not found")
    _check_membership(chat, call.bot, edits=False)
    return chat


def writable(world: World, call: Call, kind: str = "text") -> Chat:
    """The chat, if the bot may send a message of this kind there."""
    chat = readable(world, call)
    _check_membership(chat, call.bot, edits=True)
    if chat.type == "group" and chat.upgraded_to:
        upgraded = {"migrate_to_chat_id": chat.upgraded_to.id}
        text = "group chat was upgraded to a supergroup chat"
        raise Refused(400, text, parameters=upgraded)
    if chat.user:
        _check_person(chat)
    elif chat.type == "channel":
        if not chat.member(call.bot).may("can_post_messages"):
            raise Refused(400, "need administrator rights in the channel chat")
    else:
        _check_permission(chat, call.bot, kind)
    return chat


def _named(world: World, username: str) -> Chat | None:
    """By a public name, which people in private chats cannot be found by."""
    for chat in world.chats.values():
        if chat.username and chat.username.lower() == username.lower():
            return chat
    return None


def _numbered(world: World, bot: Bot, text: str) -> Chat | None:
    try:
        number = int(text)
    except ValueError:
        return None
    if number < 0:
        chat = world.chats.get(number)
        return chat if chat and (chat.username or bot.id in chat.members) else None
    if number in bot.private_chats:
        return bot.private_chats[number]
    user = world.known_user(bot, number)
    return user and world.private(bot, user)


def _check_membership(chat: Chat, bot: Bot, *, edits: bool) -> None:
    if chat.user:
        return
    kind, member = _KINDS[chat.type], chat.member(bot)
    matters = edits or (chat.type != "group" and not chat.username)
    if member.status == "kicked" and (matters or chat.type != "group"):
        raise Refused(403, f"bot was kicked from the {kind}")
    if not member.present and matters:
        raise Refused(403, f"bot is not a member of the {kind}")


def _check_person(chat: Chat) -> None:
    assert chat.user
    if chat.user.deactivated:
        raise Refused(403, "user is deactivated")
    if isinstance(chat.user, Bot):
        raise Refused(403, "bot can't send messages to bots")
    if chat.blocked:
        raise Refused(403, "bot was blocked by the user")
    if not chat.started:
        raise Refused(403, "bot can't initiate conversation with a user")


def _check_permission(chat: Chat, bot: Bot, kind: str) -> None:
    member = chat.member(bot)
    if member.in_charge:
        return
    allowed = member.rights if member.status == "restricted" else chat.permissions
    if _PERMISSIONS.get(kind, "can_send_messages") not in allowed:
        raise Refused(400, f"not enough rights to send {_WHAT.get(kind, kind)} to the chat")


def require_right(chat: Chat, bot: Bot, right: str, text: str = "") -> None:
    """An administrator with this right; in basic groups every administrator has it."""
    if not chat.member(bot).may(right):
        raise Refused(400, text or "not enough rights")


def topic_of(chat: Chat, call: Call) -> int:
    """The general topic has no number to send to, and chats without topics take any for none."""
    number = call.number("message_thread_id")
    if not number or not chat.is_forum:
        return 0
    if number == GENERAL_TOPIC or number not in chat.topics:
        raise Refused(400, "message thread not found")
    if chat.topics[number].closed and not chat.member(call.bot).may("can_manage_topics"):
        raise Refused(400, "TOPIC_CLOSED")
    return number


def message_of(chat: Chat, number: int, what: str) -> Message:
    """A message that is still there."""
    message = chat.messages.get(number)
    if message is None or message.deleted:
        raise Refused(400, f"{what} not found")
    return message
