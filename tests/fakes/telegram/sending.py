"""Messages of bots: text, and what every kind has in common."""

from dataclasses import dataclass, field

from tests.fakes.telegram import access
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.formatting import CAPTION_MAX, TEXT_MAX, formatted
from tests.fakes.telegram.keyboards import keyboard
from tests.fakes.telegram.lengths import utf16_length
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.methods import method
from tests.fakes.telegram.people import Json, present, words
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.world import Action, World

__all__ = ["Place", "captioned", "place_of", "put", "rich"]

ACTIONS = frozenset(
    words(
        "typing upload_photo record_video upload_video record_voice upload_voice upload_document "
        "choose_sticker find_location record_video_note upload_video_note"
    )
)


@dataclass(frozen=True)
class Place:
    """Where a message goes, and what it answers."""

    chat: Chat
    reply_to: Message | None = None
    thread: int = 0
    extra: Json = field(default_factory=dict[str, object])
    business: str = ""


def rich(
    world: World, call: Call, source: str, mode: str, entities: list[Json]
) -> tuple[str, list[Json]]:
    return formatted(source, mode, entities, lambda id: world.known_user(call.bot, id))


def place_of(world: World, call: Call, kind: str) -> Place:
    """Checked: the bot may write there, and what it answers exists."""
    if connection_id := call.text("business_connection_id"):
        connection = world.connections.get(connection_id)
        if connection is None or connection.bot is not call.bot:
            raise Refused(400, "business connection not found")
        chat = connection.chat_for(call.number("chat_id"))
    else:
        chat = access.writable(world, call, kind)
    place = Place(chat, thread=access.topic_of(chat, call), business=connection_id)
    return _with_reply(world, call, place)


def _with_reply(world: World, call: Call, place: Place) -> Place:
    asked = call.object("reply_parameters")
    if not asked:
        return place
    chat = place.chat
    if str(asked.get("chat_id", chat.id)) not in {str(chat.id), f"@{chat.username}"}:
        elsewhere = Call(call.bot, call.method, {"chat_id": str(asked["chat_id"])}, {})
        chat = access.readable(world, elsewhere)
    try:
        target = access.message_of(chat, int(asked["message_id"]), "message to be replied")
    except Refused:
        if asked.get("allow_sending_without_reply"):
            return place
        raise
    quote = _quote(target, asked)
    if chat is not place.chat:
        extra = {**quote, "external_reply": _external(target)}
        return Place(place.chat, None, place.thread, extra, place.business)
    thread = place.thread or (target.thread if chat.is_forum else 0)
    return Place(chat, target, thread, quote, place.business)


def _quote(target: Message, asked: Json) -> Json:
    if not (text := asked.get("quote")):
        return {}
    if text not in target.text:
        raise Refused(400, "QUOTE_TEXT_INVALID")
    position = utf16_length(target.text[: target.text.index(text)])
    return {"quote": {"text": text, "position": position, "is_manual": True}}


def _external(target: Message) -> Json:
    sender = target.sender
    origin: Json = {"date": target.date}
    if target.chat.type == "channel":
        origin |= {"type": "channel", "chat": target.chat.json(), "message_id": target.id}
    elif sender:
        origin |= {"type": "user", "sender_user": sender.json()}
    return {"origin": origin, "chat": target.chat.json(), "message_id": target.id}


def put(
    world: World, call: Call, place: Place, content: Json, extra: Json | None = None
) -> Message:
    """The message stands in the chat; other bots there never see it."""
    in_channel = place.chat.type == "channel"
    business = place.business and world.connections[place.business]
    message = world.post(
        place.chat,
        content,
        (business.user if business else None) if in_channel or business else call.bot,
        sender_chat=place.chat if in_channel else None,
        reply_to=place.reply_to,
        thread=place.thread,
        reply_markup=keyboard(call),
        extra={
            **place.extra,
            **present(
                has_protected_content=call.flag("protect_content"),
                effect_id=call.text("message_effect_id"),
            ),
            **(extra or {}),
        },
        business=place.business,
        business_bot=call.bot if business else None,
        silent=call.flag("disable_notification"),
    )
    call.bot.history.append(message)
    world.discuss(message)
    if business and world.business_echo:
        world.emit(call.bot, "business_message", message.json(call.bot))
    return message


@method("sendMessage")
def send_message(world: World, call: Call) -> object:
    if not call.text("text"):
        raise Refused(400, "message text is empty")
    text, entities = rich(
        world, call, call.text("text"), call.text("parse_mode"), call.objects("entities")
    )
    place = place_of(world, call, "text")
    if not text:
        raise Refused(400, "text must be non-empty")
    if utf16_length(text) > TEXT_MAX:
        raise Refused(400, "message is too long")
    options = call.object("link_preview_options")
    content = present(text=text, entities=entities, link_preview_options=options)
    return put(world, call, place, content).json(call.bot)


def captioned(world: World, call: Call, described: Json) -> Json:
    """Caption fields of a request or of an item of an album."""
    text, entities = rich(
        world,
        call,
        str(described.get("caption", "")),
        str(described.get("parse_mode", "")),
        described.get("caption_entities") or [],
    )
    if utf16_length(text) > CAPTION_MAX:
        raise Refused(400, "message caption is too long")
    return present(
        caption=text,
        caption_entities=entities,
        show_caption_above_media=_said(described, "show_caption_above_media"),
        has_media_spoiler=_said(described, "has_spoiler"),
    )


def _said(described: Json, name: str) -> bool:
    return str(described.get(name, "")).lower() == "true"


@method("sendChatAction")
def send_chat_action(world: World, call: Call) -> object:
    kind = call.text("action")
    if kind not in ACTIONS:
        raise Refused(400, "wrong parameter action in request")
    place = place_of(world, call, "text")
    world.records.actions.append(Action(call.bot, place.chat, kind, place.thread))
    return True
