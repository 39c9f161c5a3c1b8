"""What bots change about messages that stand there; how they delete and pin them."""

from typing import cast

from tests.fakes.telegram import access
from tests.fakes.telegram.attachments import attached
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.formatting import TEXT_MAX
from tests.fakes.telegram.keyboards import inline_keyboard
from tests.fakes.telegram.lengths import utf16_length
from tests.fakes.telegram.media import CAPTIONED
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.methods import method
from tests.fakes.telegram.particulars import location_of
from tests.fakes.telegram.people import Json, present
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.sending import captioned, rich
from tests.fakes.telegram.world import World

__all__: list[str] = []

_DELETABLE_FOR_S = 2 * 86400
_NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same "
    "as a current content and reply markup of the message"
)
_CAPTION = {"caption", "caption_entities", "show_caption_above_media"}


def _chat_of(world: World, call: Call) -> Chat:
    if connection_id := call.text("business_connection_id"):
        connection = world.connections.get(connection_id)
        if connection is None or connection.bot is not call.bot:
            raise Refused(400, "business connection not found")
        return connection.chat_for(call.number("chat_id"))
    if not call.text("chat_id") and call.text("inline_message_id"):
        raise NotImplementedError("the fake has no inline messages")
    return access.writable(world, call)


def _editable(world: World, call: Call) -> Message:
    chat = _chat_of(world, call)
    message = access.message_of(chat, call.number("message_id"), "message to edit")
    own = message in call.bot.history
    in_charge = chat.type == "channel" and chat.member(call.bot).may("can_edit_messages")
    keyboard_shown = message.reply_markup and "inline_keyboard" not in message.reply_markup
    if not (own or in_charge) or "forward_origin" in message.extra or keyboard_shown:
        raise Refused(400, "message can't be edited")
    return message


def _replaced(world: World, call: Call, message: Message, content: Json) -> object:
    markup = inline_keyboard(call)
    if content == message.content and markup == message.reply_markup:
        raise Refused(400, _NOT_MODIFIED)
    if content != message.content:
        message.edit_date = world.now()
    message.content, message.reply_markup = content, markup
    return message.json(call.bot)


@method("editMessageText")
def edit_message_text(world: World, call: Call) -> object:
    if not call.text("text"):
        raise Refused(400, "message text is empty")
    text, entities = rich(
        world, call, call.text("text"), call.text("parse_mode"), call.objects("entities")
    )
    message = _editable(world, call)
    if "text" not in message.content:
        raise Refused(400, "there is no text in the message to edit")
    if not text:
        raise Refused(400, "text must be non-empty")
    if utf16_length(text) > TEXT_MAX:
        raise Refused(400, "message is too long")
    options = call.object("link_preview_options")
    content = present(text=text, entities=entities, link_preview_options=options)
    return _replaced(world, call, message, content)


@method("editMessageCaption")
def edit_message_caption(world: World, call: Call) -> object:
    message = _editable(world, call)
    if not CAPTIONED & message.content.keys():
        raise Refused(400, "there is no caption in the message to edit")
    kept = {name: each for name, each in message.content.items() if name not in _CAPTION}
    return _replaced(world, call, message, {**kept, **captioned(world, call, call.params)})


@method("editMessageMedia")
def edit_message_media(world: World, call: Call) -> object:
    message = _editable(world, call)
    item = call.object("media")
    kind = str(item["type"])
    if not {*CAPTIONED, "text"} & message.content.keys():
        raise Refused(400, "message media can't be edited")
    content = attached(world, call, kind, item, call.attached(str(item["media"])))
    return _replaced(world, call, message, content)


@method("editMessageReplyMarkup")
def edit_message_reply_markup(world: World, call: Call) -> object:
    message = _editable(world, call)
    return _replaced(world, call, message, message.content)


@method("editMessageLiveLocation")
def edit_message_live_location(world: World, call: Call) -> object:
    message = _live(_editable(world, call), world.now())
    old = cast("Json", message.content["location"])
    location = {**present(live_period=old["live_period"]), **location_of(call)}
    return _replaced(world, call, message, {"location": location})


@method("stopMessageLiveLocation")
def stop_message_live_location(world: World, call: Call) -> object:
    message = _live(_editable(world, call), world.now())
    old = cast("Json", message.content["location"])
    stopped = {name: old[name] for name in ("latitude", "longitude")}
    return _replaced(world, call, message, {"location": stopped})


def _live(message: Message, now: int) -> Message:
    period = message.content.get("location", {}).get("live_period", 0)
    if not period or message.date + period < now:
        raise Refused(400, "message can't be edited")
    return message


@method("deleteMessage")
def delete_message(world: World, call: Call) -> object:
    if not call.text("chat_id"):
        raise Refused(400, "chat identifier is not specified")
    if not call.number("message_id"):
        raise Refused(400, "message identifier is not specified")
    chat = access.writable(world, call)
    message = access.message_of(chat, call.number("message_id"), "message to delete")
    _check_deletable(world, call, message)
    message.deleted = True
    return True


@method("deleteMessages")
def delete_messages(world: World, call: Call) -> object:
    """Those that are not there are passed over; one that may not be deleted stops it all."""
    numbers = call.numbers("message_ids")
    if not numbers:
        raise Refused(400, "message identifiers are not specified")
    if len(numbers) > 100:
        raise Refused(400, "too many message identifiers specified")
    chat = access.writable(world, call)
    found = [chat.messages[each] for each in numbers if each in chat.messages]
    for message in found:
        _check_deletable(world, call, message)
    for message in found:
        message.deleted = True
    return True


def _check_deletable(world: World, call: Call, message: Message) -> None:
    """TDLib's can_delete_message and can_revoke_message, for bots."""
    chat, old = message.chat, world.now() - message.date > _DELETABLE_FOR_S
    member, own = chat.member(call.bot), message in call.bot.history
    if chat.type in {"supergroup", "channel"}:
        posts = own and (chat.type != "channel" or member.may("can_post_messages"))
        if not member.may("can_delete_messages") and (not posts or old):
            raise Refused(400, "message can't be deleted")
    elif old or (chat.type == "group" and not own and not member.in_charge):
        raise Refused(400, "message can't be deleted for everyone")


@method("pinChatMessage")
def pin_chat_message(world: World, call: Call) -> object:
    chat = _pinnable(world, call)
    message = access.message_of(chat, call.number("message_id"), "message to pin")
    if message in chat.pinned:
        raise Refused(400, "CHAT_NOT_MODIFIED")
    chat.pinned.append(message)
    world.announce(world.post(chat, {"pinned_message": message}, call.bot))
    return True


@method("unpinChatMessage")
def unpin_chat_message(world: World, call: Call) -> object:
    chat = _pinnable(world, call)
    number = call.number("message_id")
    if number:
        message = access.message_of(chat, number, "message to unpin")
    elif chat.pinned:
        message = chat.pinned[-1]
    else:
        raise Refused(400, "message to unpin not found")
    if message in chat.pinned:
        chat.pinned.remove(message)
    return True


@method("unpinAllChatMessages")
def unpin_all_chat_messages(world: World, call: Call) -> object:
    _pinnable(world, call).pinned.clear()
    return True


def _pinnable(world: World, call: Call) -> Chat:
    chat = access.writable(world, call)
    right = "can_edit_messages" if chat.type == "channel" else "can_pin_messages"
    if not chat.user and not chat.member(call.bot).may(right):
        raise Refused(400, "not enough rights to manage pinned messages in the chat")
    return chat
