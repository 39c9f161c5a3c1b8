"""What apps do with messages that stand there: change, delete, link to them."""

from tests.fakes.slack import access, events
from tests.fakes.slack.messages import Message
from tests.fakes.slack.methods import method
from tests.fakes.slack.posting import content_of, metadata_of
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__: list[str] = []

_EDIT_MAX = 4000


def _own(call: Call, error: str) -> Message:
    """A message of the token's own, by app or person."""
    channel = access.channel_of(call)
    message = access.message_of(channel, call.required("ts"), bad="message_not_found")
    if message.user is not call.actor or (call.bot and message.bot is not call.bot):
        raise Refused(error)
    return message


@method("chat.update", "chat:write")
def chat_update(world: World, call: Call) -> object:
    """What is not given stays, but a new text takes the old blocks away."""
    message = _own(call, "cant_update_message")
    if message.channel.is_archived:
        raise Refused("is_inactive")
    if message.subtype not in {"", "bot_message", "thread_broadcast", "file_share"}:
        raise Refused("cant_update_message")
    if world.edit_window_s is not None and _age(world, message) > world.edit_window_s:
        raise Refused("edit_window_closed")
    before = message.json()
    message.text, message.blocks, attachments = content_of(call, _EDIT_MAX)
    if "attachments" in call.params:
        message.attachments = attachments
    if "metadata" in call.params:
        message.metadata = metadata_of(call)
    message.edited = {"user": call.actor.id, "ts": world.next_ts()}
    events.message_changed(world, message, before)
    answer = {"channel": message.channel.id, "ts": message.ts, "text": message.text}
    return {**answer, "message": message.json()}


def _age(world: World, message: Message) -> float:
    return world.now() - access.moment(message.ts)[0]


@method("chat.delete", "chat:write")
def chat_delete(world: World, call: Call) -> object:
    """Administrators delete what others wrote, too."""
    channel = access.channel_of(call)
    message = access.message_of(channel, call.required("ts"), bad="message_not_found")
    own = message.user is call.actor and not (call.bot and message.bot is not call.bot)
    if not own and not (call.token.kind == "user" and call.actor.is_admin):
        raise Refused("cant_delete_message")
    events.remove(world, message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink")
def chat_get_permalink(world: World, call: Call) -> object:
    channel = access.channel_of(call)
    message = access.message_of(channel, call.required("message_ts"), bad="message_not_found")
    return {"channel": channel.id, "permalink": access.permalink(message)}


@method("chat.unfurl", "links:write")
def chat_unfurl(world: World, call: Call) -> object:
    channel = access.channel_of(call)
    message = access.message_of(channel, call.required("ts"), error="cannot_unfurl_message")
    if not (unfurls := call.object("unfurls", "missing_unfurls")):
        raise Refused("missing_unfurls")
    before = message.json()
    message.attachments = [
        {**each, "id": number, "from_url": url}
        for number, (url, each) in enumerate(unfurls.items(), 1)
    ]
    events.message_changed(world, message, before)
    return {}
