"""Messages that wake a client by themselves, for who asked: what Claude Code calls a channel.

A research preview of that client: the server says `experimental: {"claude/channel": {}}` and sends
`notifications/claude/channel`. Whoever may write to an account could drive the model with that, so
only chats that the owner wrote to himself, or decided *always* for, come through.
"""

from typing import Any, cast

from mcp.server.context import HandlerResult

from messengers.core.callers import Caller
from messengers.core.core import Core
from messengers.core.feed import Notice
from messengers.mcp_server.frames import Frames
from messengers.mcp_server.results import header, untrusted
from messengers.mcp_server.times import Zone
from messengers.mcp_server.transcript import Transcript
from messengers.models import Chat
from messengers.redaction import redact_answer

__all__ = ["advertised", "push"]

METHOD = "notifications/claude/channel"


def advertised(result: HandlerResult) -> HandlerResult:
    """What a client is told when it asks what the server can."""
    if not isinstance(result, dict):
        return result
    capabilities = cast("dict[str, Any]", result.get("capabilities", {}))
    experimental = cast("dict[str, object]", capabilities.get("experimental") or {})
    more: dict[str, object] = {"experimental": {**experimental, "claude/channel": {}}}
    return {**result, "capabilities": {**capabilities, **more}}


async def push(core: Core, caller: Caller, frames: Frames) -> None:
    """Send what comes in to one client, from now on, until it leaves or does not keep up."""
    selection = core.feed.select(caller, types=("message.received",))
    async with core.feed.follow(selection, await core.events.position()) as following:
        with following.scope:
            await frames.greeted()
            while True:
                for notice in await following.receive():
                    if notice.chat is not None and _is_trusted(notice.chat):
                        params = _params(core, notice, notice.chat)
                        await following.give(frames.notify(METHOD, params))


def _is_trusted(chat: Chat) -> bool:
    return chat.decision == "always" or (
        chat.owner_wrote_at is not None and chat.decision != "never"
    )


def _params(core: Core, notice: Notice, chat: Chat) -> dict[str, object]:
    """What the model reads; `meta` becomes attributes, so nothing of a stranger stands there."""
    zone = Zone(core.settings.zone, core.clock.now())
    transcript = Transcript(zone)
    lines = transcript.lines([notice.message] if notice.message else [])
    title = transcript.visible.line(chat.name)
    top = header(f"chat {chat.id}", f'{chat.provider} "{chat.instance}"', zone.name)
    text = "\n".join((top, untrusted(lines, title)))
    meta = {"chat": chat.id, "message": notice.event.message, "instance": chat.instance}
    return {"content": redact_answer(text), "meta": meta}
