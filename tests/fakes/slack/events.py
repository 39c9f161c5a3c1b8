"""Events: their shapes, whom they concern, and the scopes they need.

https://docs.slack.dev/reference/events
"""

from typing import TYPE_CHECKING

from tests.fakes.slack.deliveries import Delivery
from tests.fakes.slack.people import Json, words
from tests.fakes.slack.specification import specification

if TYPE_CHECKING:
    from tests.fakes.slack.apps import App, Bot
    from tests.fakes.slack.channels import Channel
    from tests.fakes.slack.messages import Message
    from tests.fakes.slack.people import User
    from tests.fakes.slack.tokens import Token
    from tests.fakes.slack.workspaces import Workspace
    from tests.fakes.slack.world import World

__all__ = [
    "EVENT_SCOPES",
    "envelope_of",
    "message_changed",
    "message_deleted",
    "message_posted",
    "reaction",
    "tell",
]

# By the name an app subscribes to; one of the scopes is needed.
EVENT_SCOPES: dict[str, tuple[str, ...]] = {
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "app_mention": ("app_mentions:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "member_left_channel": ("channels:read", "groups:read"),
    **dict.fromkeys(words("reaction_added reaction_removed"), ("reactions:read",)),
    **dict.fromkeys(words("pin_added pin_removed"), ("pins:read",)),
    **dict.fromkeys(words("file_shared file_created file_deleted"), ("files:read",)),
    **dict.fromkeys(
        words(
            "channel_created channel_rename channel_archive channel_unarchive channel_left "
            "channel_deleted"
        ),
        ("channels:read",),
    ),
    **dict.fromkeys(
        words("group_rename group_archive group_unarchive group_left group_deleted"),
        ("groups:read",),
    ),
    **dict.fromkeys(words("user_change team_join"), ("users:read",)),
    "emoji_changed": ("emoji:read",),
    "subteam_created": ("usergroups:read",),
    **dict.fromkeys(words("app_home_opened app_uninstalled tokens_revoked"), ()),
}


def tell(
    world: "World",
    workspace: "Workspace",
    name: str,
    event: Json,
    *,
    channel: "Channel | None" = None,
    to: "Bot | None" = None,
) -> None:
    """Each app gets it once if one of its bots or users there may hear of it.

    With a channel only its members may; `to` is the only bot it concerns.
    """
    for app in world.apps.values():
        if name not in app.subscriptions or (to and to.app is not app):
            continue
        hearers = [each for each in _tokens(app, workspace) if _hears(each, name, channel)]
        if hearers:
            delivery = Delivery("events_api", envelope_of(world, app, workspace, event, hearers[0]))
            _judge(world, name, delivery.payload)
            world.lines[app.id].put(delivery)


def _tokens(app: "App", workspace: "Workspace") -> "list[Token]":
    bot = app.bots.get(workspace.id)
    users = [each for each in app.user_tokens if each.workspace is workspace]
    return [*([bot.token] if bot else []), *users]


def _hears(token: "Token", name: str, channel: "Channel | None") -> bool:
    scopes = EVENT_SCOPES[name]
    present = channel is None or (token.user is not None and token.user.id in channel.members)
    return not token.refusal and present and (not scopes or token.may(*scopes))


def _judge(world: "World", name: str, payload: Json) -> None:
    if book := specification():
        faults = book.faults_of_event(name, payload)
        world.records.errors += [AssertionError(f"own event: {each}") for each in faults]


def envelope_of(
    world: "World", app: "App", workspace: "Workspace", event: Json, hearer: "Token"
) -> Json:
    """What stands around an event, over sockets as in requests."""
    assert hearer.user
    return {
        "token": app.verification_token,
        "team_id": workspace.id,
        "context_team_id": workspace.id,
        "context_enterprise_id": None,
        "api_app_id": app.id,
        "event": event,
        "type": "event_callback",
        "event_id": world.identifiers.new("Ev"),
        "event_time": world.now(),
        "authorizations": [
            {
                "enterprise_id": None,
                "team_id": workspace.id,
                "user_id": hearer.user.id,
                "is_bot": hearer.kind == "bot",
                "is_enterprise_install": False,
            }
        ],
        "is_ext_shared_channel": False,
        "event_context": f"4-{world.identifiers.new('eyJ')}",
    }


def _message_name(channel: "Channel") -> str:
    kind = channel.type
    return f"message.{kind if channel.is_direct else kind + 's'}"


def remove(world: "World", message: "Message") -> None:
    """It is taken away; those who listen hear of it."""
    before = message.json()
    message.deleted = True
    if message in message.channel.pins:
        message.channel.pins.remove(message)
    message_deleted(world, message, before)


def message_posted(world: "World", message: "Message") -> None:
    channel = message.channel
    place = {"channel": channel.id, "event_ts": message.ts}
    event = {**message.json(), **place, "channel_type": channel.type}
    tell(world, channel.workspace, _message_name(channel), event, channel=channel)
    if not channel.is_direct and message.subtype in {"", "file_share", "thread_broadcast"}:
        _mention(world, message, place)


def _mention(world: "World", message: "Message", place: Json) -> None:
    """The same message once more, as an event of its own, for bots it names."""
    channel = message.channel
    for bot in channel.workspace.bots.values():
        if bot.user.id in message.called and bot is not message.bot:
            event = {**message.json(), "type": "app_mention", **place}
            event.pop("subtype", None)
            tell(world, channel.workspace, "app_mention", event, channel=channel, to=bot)


def _hidden(world: "World", channel: "Channel", subtype: str, **fields: object) -> None:
    ts = world.next_ts()
    event: Json = {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.type,
        **fields,
    }
    tell(world, channel.workspace, _message_name(channel), event, channel=channel)


def message_changed(world: "World", message: "Message", before: Json) -> None:
    changed = {"message": message.json(), "previous_message": before}
    _hidden(world, message.channel, "message_changed", **changed)


def message_deleted(world: "World", message: "Message", before: Json) -> None:
    """A message with replies turns into a tombstone instead."""
    if message.replies and not message.is_reply:
        message_changed(world, message, before)
        return
    gone = {"deleted_ts": message.ts, "previous_message": before}
    _hidden(world, message.channel, "message_deleted", **gone)


def reaction(world: "World", kind: str, user: "User", message: "Message", name: str) -> None:
    """`kind` is reaction_added or reaction_removed."""
    channel = message.channel
    event: Json = {
        "type": kind,
        "user": user.id,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": message.ts},
        **({"item_user": message.user.id} if message.user else {}),
        "event_ts": world.next_ts(),
    }
    tell(world, channel.workspace, kind, event, channel=channel)


def pinned(world: "World", kind: str, user: "User", message: "Message") -> None:
    """`kind` is pin_added or pin_removed."""
    channel = message.channel
    item = {
        "type": "message",
        "created": world.now(),
        "created_by": user.id,
        "channel": channel.id,
        "message": message.json(),
    }
    event: Json = {
        "type": kind,
        "user": user.id,
        "channel_id": channel.id,
        "item": item,
        **({"item_user": message.user.id} if message.user else {}),
        "event_ts": world.next_ts(),
    }
    tell(world, channel.workspace, kind, event, channel=channel)


def user_changed(world: "World", workspace: "Workspace", user: "User") -> None:
    event = {"type": "user_change", "user": user.json(), "cache_ts": world.now()}
    tell(world, workspace, "user_change", {**event, "event_ts": world.next_ts()})
