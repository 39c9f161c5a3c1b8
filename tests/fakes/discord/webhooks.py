"""Webhooks that bots make, and what is written by them."""

import secrets

from tests.fakes.discord.access import guild_of, known_channel, need, need_in_guild, room_of
from tests.fakes.discord.changes import begin_thread, tell_channel
from tests.fakes.discord.channels import Channel, Kind
from tests.fakes.discord.composing import made
from tests.fakes.discord.editing import change
from tests.fakes.discord.events import surroundings, tell_deleted
from tests.fakes.discord.forms import check_message, required
from tests.fakes.discord.interaction import Interaction
from tests.fakes.discord.messages import Message
from tests.fakes.discord.operations import operation
from tests.fakes.discord.people import Json
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.refusal import InvalidForm, Refused
from tests.fakes.discord.replies import follow_up, of_interaction
from tests.fakes.discord.requests import Call
from tests.fakes.discord.webhook import Webhook
from tests.fakes.discord.world import World

__all__: list[str] = []

_MOST = 15
_BY_TOKEN = "/webhooks/{webhook_id}/{webhook_token}"
_MESSAGE = _BY_TOKEN + "/messages/{message_id}"
_ORIGINAL = _BY_TOKEN + "/messages/@original"


@operation("create_webhook", "POST", "/channels/{channel_id}/webhooks")
def create_webhook(world: World, call: Call) -> Json:
    if not (name := call.body.get("name")):
        raise InvalidForm(required("name"))
    channel = _managed(world, call)
    if len(_of(world, channel)) >= _MOST:
        raise Refused(30007)
    token, id = secrets.token_urlsafe(51), world.clock.new_id()
    webhook = Webhook(id, token, str(name), channel, call.me, world.library.base_url)
    world.webhooks[webhook.id] = webhook
    _tell(world, channel)
    return webhook.json()


def _managed(world: World, call: Call) -> Channel:
    channel = room_of(world, call)
    if channel.guild is None:
        raise Refused(50003)
    need(world, call, channel, Permission.MANAGE_WEBHOOKS)
    return channel


def _of(world: World, channel: Channel) -> list[Webhook]:
    return [each for each in world.webhooks.values() if each.channel is channel]


def _tell(world: World, channel: Channel) -> None:
    world.emit("WEBHOOKS_UPDATE", channel, surroundings(channel))


@operation("list_channel_webhooks", "GET", "/channels/{channel_id}/webhooks")
def list_channel_webhooks(world: World, call: Call) -> list[Json]:
    return [each.json() for each in _of(world, _managed(world, call))]


@operation("get_guild_webhooks", "GET", "/guilds/{guild_id}/webhooks")
def get_guild_webhooks(world: World, call: Call) -> list[Json]:
    guild = guild_of(world, call)
    need_in_guild(guild, call, Permission.MANAGE_WEBHOOKS)
    return [each.json() for each in world.webhooks.values() if each.channel.guild is guild]


@operation("get_webhook", "GET", "/webhooks/{webhook_id}")
def get_webhook(world: World, call: Call) -> Json:
    return _own(world, call).json()


@operation("update_webhook", "PATCH", "/webhooks/{webhook_id}")
def update_webhook(world: World, call: Call) -> Json:
    webhook = _own(world, call)
    webhook.name = call.body.get("name") or webhook.name
    if id := call.given_id("channel_id"):
        webhook.channel = known_channel(world, id)
    _tell(world, webhook.channel)
    return webhook.json()


@operation("delete_webhook", "DELETE", "/webhooks/{webhook_id}")
def delete_webhook(world: World, call: Call) -> None:
    webhook = _own(world, call)
    del world.webhooks[webhook.id]
    _tell(world, webhook.channel)


def _own(world: World, call: Call) -> Webhook:
    webhook = world.webhooks.get(call.id("webhook_id"))
    if webhook is None:
        raise Refused(10015)
    need(world, call, webhook.channel, Permission.MANAGE_WEBHOOKS)
    return webhook


@operation("get_webhook_by_token", "GET", _BY_TOKEN, is_open=True)
def get_webhook_by_token(world: World, call: Call) -> Json:
    return _known(world, call).json(with_maker=False)


@operation("delete_webhook_by_token", "DELETE", _BY_TOKEN, is_open=True)
def delete_webhook_by_token(world: World, call: Call) -> None:
    webhook = _known(world, call)
    del world.webhooks[webhook.id]
    _tell(world, webhook.channel)


def _known(world: World, call: Call) -> Webhook:
    webhook = world.webhooks.get(call.id("webhook_id"))
    if webhook is None:
        raise Refused(10015)
    if webhook.token != call.path["webhook_token"]:
        raise Refused(50027)
    return webhook


@operation("execute_webhook", "POST", _BY_TOKEN, is_open=True)
def execute_webhook(world: World, call: Call) -> Json | None:
    """Interactions are answered by it, too: their application's id stands in the path."""
    check_message(call.body)
    if interaction := of_interaction(world, call):
        message = follow_up(world, call, interaction)
        return world.shown(message, interaction.bot)
    message = _written(world, call, _known(world, call))
    return _shown(world, message) if call.flag("wait") else None


def _written(world: World, call: Call, webhook: Webhook) -> Message:
    author = webhook.author(call.body.get("username"))
    channel, title = _place(world, call, webhook), call.body.get("thread_name")
    if channel.kind is Kind.FORUM:
        thread = begin_thread(world, channel, Kind.PUBLIC_THREAD, str(title), author)
        message = made(world, author, thread, call.body, call.files, webhook_id=webhook.id)
        world.become_first(message)
        tell_channel(world, "THREAD_CREATE", thread, newly_created=True)
    else:
        message = made(world, author, channel, call.body, call.files, webhook_id=webhook.id)
    world.announce(message)
    return message


def _place(world: World, call: Call, webhook: Webhook) -> Channel:
    thread, title = call.asked_id("thread_id"), call.body.get("thread_name")
    if thread:
        if title:
            raise Refused(220002)
        channel = known_channel(world, thread)
        if channel.parent is not webhook.channel:
            raise Refused(10003)
        return channel
    if webhook.channel.kind is Kind.FORUM and not title:
        raise Refused(220001)
    if title and webhook.channel.kind is not Kind.FORUM:
        raise Refused(220003)
    return webhook.channel


def _shown(world: World, message: Message) -> Json:
    """To whoever holds the webhook: it is its author."""
    return message.json(world.library, message.author, with_content=True)


def _message(world: World, call: Call) -> tuple[Message, Interaction | None]:
    if interaction := of_interaction(world, call):
        return interaction.message_at(call.path.get("message_id", "@original")), interaction
    webhook = _known(world, call)
    if "message_id" not in call.path:
        raise Refused(10015)
    id = call.id("message_id")
    channel = _place(world, call, webhook) if "thread_id" in call.query else webhook.channel
    message = channel.messages.get(id)
    if message is None or message.deleted or message.webhook_id != webhook.id:
        raise Refused(10008)
    return message, None


@operation("get_webhook_message", "GET", _MESSAGE, is_open=True)
@operation("get_original_webhook_message", "GET", _ORIGINAL, is_open=True)
def get_webhook_message(world: World, call: Call) -> Json:
    message, interaction = _message(world, call)
    return world.shown(message, interaction.bot) if interaction else _shown(world, message)


@operation("update_webhook_message", "PATCH", _MESSAGE, is_open=True)
@operation("update_original_webhook_message", "PATCH", _ORIGINAL, is_open=True)
def update_webhook_message(world: World, call: Call) -> Json:
    check_message(call.body)
    message, interaction = _message(world, call)
    change(world, call, message)
    if not message.for_user:
        world.announce(message, "MESSAGE_UPDATE")
    return world.shown(message, interaction.bot) if interaction else _shown(world, message)


@operation("delete_webhook_message", "DELETE", _MESSAGE, is_open=True)
@operation("delete_original_webhook_message", "DELETE", _ORIGINAL, is_open=True)
def delete_webhook_message(world: World, call: Call) -> None:
    message, _ = _message(world, call)
    if message.for_user:
        message.deleted = True
    else:
        tell_deleted(world, [message])


@operation("follow_channel", "POST", "/channels/{channel_id}/followers")
def follow_channel(world: World, call: Call) -> Json:
    source = room_of(world, call)
    if source.kind is not Kind.ANNOUNCEMENT:
        raise Refused(50024)
    target = known_channel(world, call.given_id("webhook_channel_id") or 0)
    need(world, call, target, Permission.MANAGE_WEBHOOKS)
    source.followers.append(target)
    _tell(world, target)
    return {"channel_id": str(source.id), "webhook_id": str(world.clock.new_id())}
