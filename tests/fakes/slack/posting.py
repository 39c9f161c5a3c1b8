"""How apps post: to conversations and people, at once, later, or for one person's eyes."""

from tests.fakes.slack import access
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.formatting import sanitized
from tests.fakes.slack.messages import Details, Message
from tests.fakes.slack.methods import method, need
from tests.fakes.slack.people import Json, present
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__ = [
    "author_of",
    "blocks_of",
    "check_place",
    "content_of",
    "details_of",
    "metadata_of",
    "place_of",
    "posted",
    "thread_of",
]

TEXT_MAX = 40_000
MARKDOWN_MAX = 12_000
_SECTION_MAX = 3000
_BLOCKS_MAX = 50
_ATTACHMENTS_MAX = 100
_OPTIONS = ("unfurl_links", "unfurl_media", "mrkdwn", "parse", "link_names")
_BLOCK_TYPES = {
    *("actions", "alert", "card", "carousel", "context", "context_actions", "divider", "file"),
    *("header", "image", "input", "markdown", "rich_text", "section", "table", "video"),
}


def text_of(call: Call, most: int = TEXT_MAX) -> str:
    """As it is stored."""
    if markdown := call.text("markdown_text"):
        if call.text("text") or call.params.get("blocks"):
            raise Refused("markdown_text_conflict")
        if len(markdown) > MARKDOWN_MAX:
            raise Refused("msg_too_long")
        return sanitized(markdown)
    text = call.text("text")
    if len(text) > most:
        raise Refused("msg_too_long")
    return sanitized(text)


def blocks_of(call: Call) -> list[Json]:
    blocks = call.objects("blocks", "invalid_blocks_format")
    if len(blocks) > _BLOCKS_MAX:
        raise Refused("invalid_blocks")
    for number, block in enumerate(blocks):
        if block.get("type") not in _BLOCK_TYPES:
            raise Refused("invalid_blocks")
        text = block.get("text", "")
        shown = text if isinstance(text, str) else str(text["text"])
        if len(shown) > (MARKDOWN_MAX if block["type"] == "markdown" else _SECTION_MAX):
            raise Refused("invalid_blocks")
        block.setdefault("block_id", f"b{number}")
    return blocks


def content_of(call: Call, most: int = TEXT_MAX) -> tuple[str, list[Json], list[Json]]:
    """Text, blocks and attachments; one of them must be there."""
    text, blocks = text_of(call, most), blocks_of(call)
    attachments = call.objects("attachments", "invalid_attachments")
    if len(attachments) > _ATTACHMENTS_MAX:
        raise Refused("too_many_attachments")
    if not (text.strip() or blocks or attachments):
        raise Refused("no_text")
    for number, each in enumerate(attachments, 1):
        each.setdefault("id", number)
    return text, blocks, attachments


def place_of(world: World, call: Call) -> Channel:
    """By id, by the name of a channel, or by the id of a person to write to."""
    target = call.required("channel")
    workspace, actor = call.workspace, call.actor
    if user := workspace.users.get(target):
        if user.deleted:
            raise Refused("channel_not_found")
        return world.direct(actor, user)
    channel = workspace.channels.get(target) or workspace.named(target.removeprefix("#"))
    if channel is None or not access.sees(actor, channel):
        raise Refused("channel_not_found")
    return channel


def check_place(call: Call, channel: Channel) -> None:
    """The actor may post there."""
    if channel.is_archived:
        raise Refused("is_archived")
    if call.actor.id not in channel.members and not call.token.may("chat:write.public"):
        raise Refused("not_in_channel")
    replying = bool(call.text("thread_ts"))
    match channel.posting:
        case "nobody":
            raise Refused("restricted_action_read_only_channel")
        case "admins" if not call.actor.is_admin:
            raise Refused("restricted_action")
        case "threads" if not replying:
            raise Refused("restricted_action_thread_only_channel")
        case "no_threads" if replying:
            raise Refused("restricted_action_non_threadable_channel")
        case _:
            return


def thread_of(call: Call, channel: Channel) -> str:
    """The ts of the thread's first message, even if that of a reply was given."""
    if not (ts := call.text("thread_ts")):
        return ""
    message = channel.messages.get(ts)
    if message is None:
        raise Refused("thread_not_found")
    return message.thread_ts or message.ts


def metadata_of(call: Call) -> Json:
    metadata = call.object("metadata", "invalid_metadata_format")
    if metadata and not {"event_type", "event_payload"} <= metadata.keys():
        raise Refused("invalid_metadata_schema")
    return metadata


def author_of(call: Call) -> Details:
    """Who a message is from: a bot may write under another name."""
    bot = call.bot
    if bot is None:
        return {}
    name, emoji, icon = call.text("username"), call.text("icon_emoji"), call.text("icon_url")
    if not (name or emoji or icon):
        return {"bot": bot}
    need(call, "chat:write.customize")
    icons = present(emoji=emoji, image_64=icon)
    extra: Json = {"username": name or bot.name, **present(icons=icons)}
    return {"bot": bot, "subtype": "bot_message", "extra": extra}


def details_of(call: Call, blocks: list[Json], attachments: list[Json]) -> Details:
    return {
        **author_of(call),
        "blocks": blocks,
        "attachments": attachments,
        "metadata": metadata_of(call),
        "options": {name: call.params[name] for name in _OPTIONS if name in call.params},
    }


def posted(
    world: World,
    call: Call,
    channel: Channel,
    text: str,
    blocks: list[Json],
    attachments: list[Json],
) -> Message:
    """It stands in the conversation, and those who listen hear of it."""
    thread = thread_of(call, channel)
    details = details_of(call, blocks, attachments)
    if thread and call.flag("reply_broadcast"):
        details["subtype"] = "thread_broadcast"
    message = world.post(channel, text, call.actor, thread, **details)
    world.announce(message)
    return message


@method("chat.postMessage", "chat:write")
def chat_post_message(world: World, call: Call) -> object:
    channel = place_of(world, call)
    content = content_of(call)
    check_place(call, channel)
    message = posted(world, call, channel, *content)
    return {"channel": channel.id, "ts": message.ts, "message": message.json()}
