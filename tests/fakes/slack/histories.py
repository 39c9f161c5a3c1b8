"""What was written: the messages of a conversation, of a thread, and where they are found."""

import operator
import re
from collections.abc import Sequence

from tests.fakes.slack import access
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.messages import Message
from tests.fakes.slack.methods import method
from tests.fakes.slack.paging import cursor_of, metadata_for, opened
from tests.fakes.slack.people import Json
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__: list[str] = []

_HISTORY = "channels:history groups:history im:history mpim:history"
_LIMIT_MAX = 999
_SECONDS = re.compile(r"\d+(\.\d+)?")


def _told(message: Message, call: Call) -> Json:
    """Without being asked Slack keeps an app's own data to itself."""
    body = message.json()
    if message.metadata and not message.deleted and not call.flag("include_all_metadata"):
        body["metadata"] = {"event_type": message.metadata["event_type"]}
    return body


def _moment(call: Call, name: str, default: str) -> tuple[int, int]:
    """Seconds and microseconds, never a float."""
    text = call.text(name) or default
    if not _SECONDS.fullmatch(text):
        raise Refused(f"invalid_ts_{name}")
    return access.moment(text)


def _between(call: Call, messages: list[Message]) -> list[Message]:
    """After `oldest` and before `latest`, those two themselves where asked."""
    oldest, latest = _moment(call, "oldest", "0"), _moment(call, "latest", "9999999999")
    bounds = {oldest, latest} if call.flag("inclusive") else set[tuple[int, int]]()
    return [
        each
        for each in messages
        if oldest < access.moment(each.ts) < latest or access.moment(each.ts) in bounds
    ]


def _paged(
    world: World, call: Call, messages: Sequence[Message], *, newest_first: bool
) -> tuple[Sequence[Message], str]:
    """A page of them, and the cursor of the next."""
    if place := opened(call.text("cursor"), "next_ts:"):
        seconds = f"{place[:-6]}.{place[-6:]}"
        wanted = operator.le if newest_first else operator.ge
        messages = [each for each in messages if wanted(each.ts, seconds)]
    limit = call.number("limit", 100)
    if not 1 <= limit <= _LIMIT_MAX:
        raise Refused.invalid("must be between 1 and 999 [json-pointer:/limit]")
    limit = min(limit, world.page_max or limit)
    rest = messages[limit:]
    return messages[:limit], cursor_of(f"next_ts:{rest[0].ts.replace('.', '')}") if rest else ""


def _open_to(call: Call) -> Channel:
    channel = access.readable(call, "history")
    if call.token.kind == "bot" and call.actor.id not in channel.members:
        raise Refused("not_in_channel")
    return channel


@method("conversations.history", _HISTORY)
def conversations_history(world: World, call: Call) -> object:
    channel = _open_to(call)
    there = [
        each
        for each in reversed(channel.messages.values())
        if each.in_channel and (not each.deleted or each.replies)
    ]
    found, cursor = _paged(world, call, _between(call, there), newest_first=True)
    return {
        "messages": [_told(each, call) for each in found],
        "has_more": bool(cursor),
        "pin_count": len(channel.pins),
        "channel_actions_ts": None,
        "channel_actions_count": 0,
        **(metadata_for(cursor) if cursor else {}),
    }


@method("conversations.replies", _HISTORY)
def conversations_replies(world: World, call: Call) -> object:
    """The thread's first message comes first on every page."""
    channel = _open_to(call)
    message = channel.messages.get(call.required("ts"))
    if message is None or (message.deleted and not message.replies):
        raise Refused("thread_not_found")
    root = channel.messages[message.thread_ts or message.ts]
    replies = _between(call, root.replies)
    found, cursor = _paged(world, call, replies, newest_first=False)
    return {
        "messages": [_told(each, call) for each in [root, *found]],
        "has_more": bool(cursor),
        **(metadata_for(cursor) if cursor else {}),
    }


_TERM = re.compile(r'"([^"]+)"|(\S+)')


@method("search.messages", "search:read", kinds=("user",))
def search_messages(world: World, call: Call) -> object:
    query = call.text("query")
    if not query.strip():
        raise Refused("no_query")
    found = [
        each
        for channel in call.workspace.channels.values()
        if access.sees(call.actor, channel)
        for each in channel.visible
        if each.user and _matches(each, query)
    ]
    found.sort(key=lambda each: each.ts, reverse=call.text("sort_dir") != "asc")
    count, page = min(call.number("count", 20), 100), call.number("page", 1)
    pages = -(-len(found) // count)
    start = (page - 1) * count
    shown = found[start : start + count]
    return {
        "query": query,
        "messages": {
            "total": len(found),
            "pagination": {
                "total_count": len(found),
                "page": page,
                "per_page": count,
                "page_count": pages,
                "first": start + 1,
                "last": start + len(shown),
            },
            "paging": {"count": count, "total": len(found), "page": page, "pages": pages},
            "matches": [_match(each) for each in shown],
        },
    }


def _matches(message: Message, query: str) -> bool:
    """All words are there; `in:` and `from:` narrow it."""
    text, channel, user = message.shown.lower(), message.channel, message.user
    assert user
    for quoted, word in _TERM.findall(query.lower()):
        kind, _, value = word.partition(":")
        match kind:
            case "in" if value:
                fits = value.lstrip("#") in {channel.name, channel.id.lower()}
            case "from" if value:
                fits = value.strip("<@>") in {user.name, user.id.lower()}
            case _:
                fits = (quoted or word) in text
        if not fits:
            return False
    return True


def _match(message: Message) -> Json:
    channel, user = message.channel, message.user
    assert user
    return {
        "iid": f"{message.ts}-{channel.id}",
        "team": channel.workspace.id,
        "channel": {
            "id": channel.id,
            "is_channel": channel.kind == "public_channel",
            "is_group": channel.kind == "private_channel",
            "is_im": channel.kind == "im",
            "is_mpim": channel.kind == "mpim",
            "is_private": channel.kind != "public_channel",
            "name": channel.name or user.id,
        },
        "type": "im" if channel.kind == "im" else "message",
        "user": user.id,
        "username": user.name,
        "ts": message.ts,
        "text": message.text,
        "permalink": access.permalink(message),
    }
