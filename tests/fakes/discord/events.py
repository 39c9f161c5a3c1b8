"""What the gateway tells of things that people and bots both do."""

from typing import TYPE_CHECKING

from tests.fakes.discord.channels import Channel
from tests.fakes.discord.messages import Emoji, Message
from tests.fakes.discord.people import Json, User

if TYPE_CHECKING:
    from tests.fakes.discord.world import World

__all__ = ["surroundings", "tell_deleted", "tell_reaction", "tell_typing"]


def surroundings(channel: Channel) -> Json:
    """Where it happened, as events say it."""
    guild = {"guild_id": str(channel.guild.id)} if channel.guild else {}
    return {"channel_id": str(channel.id), **guild}


def tell_deleted(world: "World", messages: list[Message]) -> None:
    """Several of one channel are deleted in bulk."""
    for message in messages:
        message.deleted = True
    channel = messages[0].channel
    ids = [str(each.id) for each in messages]
    if len(ids) == 1:
        world.emit("MESSAGE_DELETE", channel, {"id": ids[0], **surroundings(channel)})
    else:
        world.emit("MESSAGE_DELETE_BULK", channel, {"ids": ids, **surroundings(channel)})


def tell_reaction(world: "World", event: str, message: Message, emoji: Emoji, user: User) -> None:
    payload: Json = {
        **surroundings(message.channel),
        "user_id": str(user.id),
        "message_id": str(message.id),
        "emoji": emoji.json(),
        "burst": False,
        "type": 0,
    }
    guild = message.channel.guild
    if event == "MESSAGE_REACTION_ADD":
        payload["message_author_id"] = str(message.author.id)
        if guild and user.id in guild.members:
            payload["member"] = guild.members[user.id].json()
    world.emit(event, message.channel, payload)


def tell_typing(world: "World", user: User, channel: Channel) -> None:
    payload: Json = {
        **surroundings(channel),
        "user_id": str(user.id),
        "timestamp": int(world.now()),
    }
    if channel.guild and user.id in channel.guild.members:
        payload["member"] = channel.guild.members[user.id].json()
    world.emit("TYPING_START", channel, payload)
