"""What a token may see: conversations, messages, people."""

import re

from tests.fakes.slack.channels import Channel
from tests.fakes.slack.messages import Message
from tests.fakes.slack.methods import need
from tests.fakes.slack.people import User
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call

__all__ = [
    "channel_of",
    "manageable",
    "message_of",
    "moment",
    "permalink",
    "readable",
    "sees",
    "user_of",
]

_TS = re.compile(r"\d{10}\.\d{6}")


def sees(actor: User, channel: Channel) -> bool:
    return channel.kind == "public_channel" or actor.id in channel.members


def channel_of(call: Call, argument: str = "channel") -> Channel:
    """By id; what the actor cannot see is not found."""
    channel = call.workspace.channels.get(call.required(argument))
    if channel is None or not sees(call.actor, channel):
        raise Refused("channel_not_found")
    return channel


def readable(call: Call, verb: str, argument: str = "channel") -> Channel:
    """One whose kind the token's scopes cover: `verb` is read, history or write."""
    channel = channel_of(call, argument)
    need(call, f"{channel.family}:{verb}")
    return channel


def manageable(call: Call, *more: str) -> Channel:
    """One the actor is in, and whose kind the token may write; `more` are narrower scopes."""
    channel = channel_of(call)
    family = channel.family
    wide = ("channels:manage", "channels:write") if family == "channels" else (f"{family}:write",)
    need(call, *wide, *(f"{family}:write.{each}" for each in more))
    return channel


def moment(ts: str) -> tuple[int, int]:
    """To compare with others; a ts is no number."""
    seconds, _, rest = ts.partition(".")
    return int(seconds), int(rest.ljust(6, "0")[:6])


def permalink(message: Message) -> str:
    channel = message.channel
    address = f"{channel.workspace.url}archives/{channel.id}/p{message.ts.replace('.', '')}"
    if not message.is_reply:
        return address
    return f"{address}?thread_ts={message.thread_ts}&cid={channel.id}"


def message_of(
    channel: Channel, ts: str, *, error: str = "message_not_found", bad: str = "bad_timestamp"
) -> Message:
    if not _TS.fullmatch(ts):
        raise Refused(bad if ts else error)
    message = channel.messages.get(ts)
    if message is None or message.deleted:
        raise Refused(error)
    return message


def user_of(call: Call, user_id: str) -> User:
    user = call.workspace.users.get(user_id)
    if user is None:
        raise Refused("user_not_found")
    return user
