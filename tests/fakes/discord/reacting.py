"""What bots put beside messages: reactions, and that they are typing."""

from tests.fakes.discord.access import (
    check_awake,
    known_user,
    message_of,
    need,
    room_of,
)
from tests.fakes.discord.events import surroundings, tell_reaction, tell_typing
from tests.fakes.discord.messages import Emoji, Message, Reaction
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import Refused
from tests.fakes.discord.requests import Call
from tests.fakes.discord.world import Typing, World

__all__: list[str] = []

_KINDS_MAX = 20
_OF_MESSAGE = "/channels/{channel_id}/messages/{message_id}/reactions"
_OF_EMOJI = _OF_MESSAGE + "/{emoji_name}"


@operation("add_my_message_reaction", "PUT", _OF_EMOJI + "/@me")
def add_my_message_reaction(world: World, call: Call) -> None:
    message, emoji = _named(world, call)
    if call.me.id in message.author.blocked:
        raise Refused(90001)
    name = str(emoji)
    if name not in message.reactions:
        need(world, call, message.channel, Permission.ADD_REACTIONS)
        if len(message.reactions) >= _KINDS_MAX:
            raise Refused(30010)
    reaction = message.reactions.setdefault(name, Reaction(emoji))
    if call.me not in reaction.users:
        reaction.users.append(call.me)
        tell_reaction(world, "MESSAGE_REACTION_ADD", message, emoji, call.me)


def _named(world: World, call: Call) -> tuple[Message, Emoji]:
    """The message and an emoji that the bot can use."""
    channel = room_of(world, call)
    message = message_of(world, call, channel)
    check_awake(channel)
    emoji = Emoji.parse(call.path["emoji_name"])
    if emoji is None or not _is_known(world, call, emoji):
        raise Refused(10014)
    return message, emoji


def _is_known(world: World, call: Call, emoji: Emoji) -> bool:
    guilds = world.guilds_of(call.me)
    return emoji.id is None or any(emoji.id in guild.emojis for guild in guilds)


@operation("delete_my_message_reaction", "DELETE", _OF_EMOJI + "/@me")
def delete_my_message_reaction(world: World, call: Call) -> None:
    message, emoji = _named(world, call)
    _take_back(world, message, emoji, call.me)


@operation("delete_user_message_reaction", "DELETE", _OF_EMOJI + "/{user_id}")
def delete_user_message_reaction(world: World, call: Call) -> None:
    message, emoji = _named(world, call)
    need(world, call, message.channel, Permission.MANAGE_MESSAGES)
    _take_back(world, message, emoji, known_user(world, call.id("user_id")))


def _take_back(world: World, message: Message, emoji: Emoji, user: User) -> None:
    reaction = _standing(message, emoji)
    if user not in reaction.users:
        return
    reaction.users.remove(user)
    if not reaction.users:
        del message.reactions[str(emoji)]
    tell_reaction(world, "MESSAGE_REACTION_REMOVE", message, emoji, user)


def _standing(message: Message, emoji: Emoji) -> Reaction:
    reaction = message.reactions.get(str(emoji))
    if reaction is None:
        raise Refused(10014)
    return reaction


@operation("list_message_reactions_by_emoji", "GET", _OF_EMOJI)
def list_message_reactions_by_emoji(world: World, call: Call) -> list[Json]:
    limit, after = call.number("limit", 25, 1, 100), call.asked_id("after") or 0
    message, emoji = _named(world, call)
    users = sorted(_standing(message, emoji).users, key=lambda user: user.id)
    return [user.json() for user in users if user.id > after][:limit]


@operation("delete_all_message_reactions", "DELETE", _OF_MESSAGE)
def delete_all_message_reactions(world: World, call: Call) -> None:
    channel = room_of(world, call)
    message = message_of(world, call, channel)
    need(world, call, channel, Permission.MANAGE_MESSAGES)
    message.reactions.clear()
    about = {**surroundings(channel), "message_id": str(message.id)}
    world.emit("MESSAGE_REACTION_REMOVE_ALL", channel, about)


@operation("delete_all_message_reactions_by_emoji", "DELETE", _OF_EMOJI)
def delete_all_message_reactions_by_emoji(world: World, call: Call) -> None:
    message, emoji = _named(world, call)
    need(world, call, message.channel, Permission.MANAGE_MESSAGES)
    del message.reactions[str(_standing(message, emoji).emoji)]
    about = {**surroundings(message.channel), "message_id": str(message.id)}
    payload = {**about, "emoji": emoji.json()}
    world.emit("MESSAGE_REACTION_REMOVE_EMOJI", message.channel, payload)


@operation("trigger_typing_indicator", "POST", "/channels/{channel_id}/typing")
def trigger_typing_indicator(world: World, call: Call) -> None:
    channel = room_of(world, call)
    speech = Permission.SEND_MESSAGES_IN_THREADS if channel.is_thread else Permission.SEND_MESSAGES
    need(world, call, channel, speech)
    world.records.typing.append(Typing(call.me, channel))
    tell_typing(world, call.me, channel)
