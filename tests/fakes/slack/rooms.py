"""What happens to conversations, whoever does it: those in them and those who listen are told."""

from tests.fakes.slack import events
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.people import Json, User
from tests.fakes.slack.workspaces import Workspace
from tests.fakes.slack.world import World

__all__ = [
    "archive",
    "create",
    "delete",
    "join",
    "leave",
    "pin",
    "rename",
    "set_purpose",
    "set_topic",
    "unarchive",
    "unpin",
]


def _note(
    world: World, channel: Channel, user: User, what: str, text: str, **extra: object
) -> None:
    """Slack's own line in the conversation."""
    shown = f"<@{user.id}> {text}"
    message = world.post(channel, shown, user, subtype=f"{_word(channel)}_{what}", extra={**extra})
    world.announce(message)


def _tell(world: World, channel: Channel, what: str, event: Json) -> None:
    """channel_… to all of the workspace, group_… to those who are in it."""
    name = f"{_word(channel)}_{what}"
    told = {"type": name, **event, "event_ts": world.next_ts()}
    hearers = channel if channel.kind == "private_channel" else None
    world.tell(channel.workspace, name, told, channel=hearers)


def create(
    world: World, workspace: Workspace, name: str, creator: User, *, private: bool = False
) -> Channel:
    kind = "private_channel" if private else "public_channel"
    channel = world.new_channel(workspace, kind, name, creator)
    if not private:
        about = {"id": channel.id, "name": name, "name_normalized": name, "is_channel": True}
        body = {**about, "created": channel.created, "creator": creator.id}
        _tell(world, channel, "created", {"channel": body})
    return channel


def join(world: World, channel: Channel, user: User, inviter: User | None = None) -> None:
    channel.members[user.id] = user
    invited = {"inviter": inviter.id} if inviter else {}
    _note(world, channel, user, "join", f"has joined the {_word(channel)}", **invited)
    _member(world, channel, user, "member_joined_channel", **invited)


def _word(channel: Channel) -> str:
    return "group" if channel.kind == "private_channel" else "channel"


def _member(world: World, channel: Channel, user: User, name: str, **extra: str) -> None:
    event: Json = {
        "type": name,
        "user": user.id,
        "channel": channel.id,
        "channel_type": "C" if channel.kind == "public_channel" else "G",
        "team": channel.workspace.id,
        **extra,
        "event_ts": world.next_ts(),
    }
    world.tell(channel.workspace, name, event, channel=channel)


def leave(world: World, channel: Channel, user: User, by: User | None = None) -> None:
    """By itself or removed; a bot that is no longer there is told so."""
    _note(world, channel, user, "leave", f"has left the {_word(channel)}")
    del channel.members[user.id]
    _member(world, channel, user, "member_left_channel")
    if bot := channel.workspace.bots.get(user.bot_id):
        name = f"{_word(channel)}_left"
        told = {"type": name, "channel": channel.id, "actor_id": (by or user).id}
        world.tell(channel.workspace, name, {**told, "event_ts": world.next_ts()}, to=bot)


def rename(world: World, channel: Channel, by: User, name: str) -> None:
    old, channel.name = channel.name, name
    channel.previous_names.insert(0, old)
    text = f'has renamed the {_word(channel)} from "{old}" to "{name}"'
    _note(world, channel, by, "name", text, old_name=old, name=name)
    body = {"id": channel.id, "name": name, "name_normalized": name, "created": channel.created}
    _tell(world, channel, "rename", {"channel": {**body, "is_channel": True, "is_mpim": False}})


def set_topic(world: World, channel: Channel, by: User, topic: str) -> None:
    channel.topic = {"value": topic, "creator": by.id, "last_set": world.now()}
    _note(world, channel, by, "topic", f"set the channel topic: {topic}", topic=topic)


def set_purpose(world: World, channel: Channel, by: User, purpose: str) -> None:
    channel.purpose = {"value": purpose, "creator": by.id, "last_set": world.now()}
    _note(world, channel, by, "purpose", f"set the channel description: {purpose}", purpose=purpose)


def archive(world: World, channel: Channel, by: User) -> None:
    _note(world, channel, by, "archive", f"archived the {_word(channel)}")
    channel.is_archived = True
    _tell(world, channel, "archive", {"channel": channel.id, "user": by.id, "is_moved": 0})


def unarchive(world: World, channel: Channel, by: User) -> None:
    channel.is_archived = False
    _note(world, channel, by, "unarchive", f"un-archived the {_word(channel)}")
    _tell(world, channel, "unarchive", {"channel": channel.id, "user": by.id})


def delete(world: World, channel: Channel, by: User) -> None:
    """It is gone with all that was written there."""
    del channel.workspace.channels[channel.id]
    _tell(world, channel, "deleted", {"channel": channel.id, "actor_id": by.id})


def pin(world: World, channel: Channel, user: User, ts: str) -> None:
    message = channel.messages[ts]
    channel.pins.append(message)
    events.pinned(world, "pin_added", user, message)


def unpin(world: World, channel: Channel, user: User, ts: str) -> None:
    message = channel.messages[ts]
    channel.pins.remove(message)
    events.pinned(world, "pin_removed", user, message)
