"""How bots answer what people did: reactions, pressed buttons, business accounts' messages."""

from tests.fakes.telegram import access
from tests.fakes.telegram.business import Connection
from tests.fakes.telegram.methods import method
from tests.fakes.telegram.people import Json, present, words
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call
from tests.fakes.telegram.world import World

__all__ = ["REACTIONS"]

# ReactionTypeEmoji of the API's page.
REACTIONS = frozenset(
    words(
        "❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 "
        "🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 "
        "😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 "
        "🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡"
    )
)
_PRESS_LIVES_S = 60 * 60


@method("setMessageReaction")
def set_message_reaction(world: World, call: Call) -> object:
    chat = access.readable(world, call)
    message = access.message_of(chat, call.number("message_id"), "message to react")
    chosen = call.objects("reaction")
    if message.is_service:
        raise Refused(400, "REACTION_INVALID")
    for each in chosen:
        _check_reaction(each, chat.available_reactions)
    if len(chosen) > 1:
        raise Refused(400, "REACTIONS_TOO_MANY")
    message.reactions[call.bot.id] = chosen
    return True


def _check_reaction(reaction: Json, available: list[str] | None) -> None:
    match reaction.get("type"):
        case "emoji":
            emoji = reaction["emoji"]
            if emoji not in REACTIONS or (available is not None and emoji not in available):
                raise Refused(400, "REACTION_INVALID")
        case "custom_emoji":
            raise Refused(400, "REACTION_INVALID")
        case _:
            raise Refused(400, "can't parse ReactionType: invalid reaction type specified")


@method("answerCallbackQuery")
def answer_callback_query(world: World, call: Call) -> object:
    press = world.presses.get(call.text("callback_query_id"))
    if press is None or press.bot is not call.bot or world.now() - press.date > _PRESS_LIVES_S:
        text = "query is too old and response timeout expired or query ID is invalid"
        raise Refused(400, text)
    if len(call.text("text")) > 200:
        raise Refused(400, "MESSAGE_TOO_LONG")
    press.answer = present(
        text=call.text("text"), show_alert=call.flag("show_alert"), url=call.text("url")
    )
    return True


def _connection(world: World, call: Call) -> Connection:
    connection = world.connections.get(call.text("business_connection_id"))
    if connection is None or connection.bot is not call.bot:
        raise Refused(400, "business connection not found")
    return connection


@method("getBusinessConnection")
def get_business_connection(world: World, call: Call) -> object:
    return _connection(world, call).json()


@method("readBusinessMessage")
def read_business_message(world: World, call: Call) -> object:
    connection = _connection(world, call)
    if not connection.rights.get("can_read_messages"):
        raise Refused(400, "BOT_ACCESS_FORBIDDEN")
    chat = connection.chat_for(call.number("chat_id"))
    message = access.message_of(chat, call.number("message_id"), "message")
    connection.read.append(message)
    return True


@method("deleteBusinessMessages")
def delete_business_messages(world: World, call: Call) -> object:
    connection = _connection(world, call)
    numbers = call.numbers("message_ids")
    found = [
        chat.messages[number]
        for chat in connection.chats.values()
        for number in numbers
        if number in chat.messages
    ]
    for message in found:
        own = message.business_bot is call.bot
        if not connection.rights.get(
            "can_delete_sent_messages" if own else "can_delete_all_messages"
        ):
            raise Refused(400, "BOT_ACCESS_FORBIDDEN")
        message.deleted = True
    return True
