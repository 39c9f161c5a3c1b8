"""Chats, contacts, hits and instances as lines: ours in brackets, a stranger's words after them."""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from messengers.core.pages import ChatMessages, Hit
from messengers.mcp_server.text import Visible
from messengers.mcp_server.times import Zone
from messengers.mcp_server.transcript import Transcript, preview
from messengers.models import Chat, Contact

__all__ = ["candidate", "chat_line", "contact_line", "hits", "with_messages"]

_LINES = 1024
"""Kept ready: chats are listed far more often than they change."""


def chat_line(chat: Chat, zone: Zone, visible: Visible) -> str:
    """As in `[c1f shop dm 2026-11-20 14:05 2 unread, waiting] Anna Petrova · at five?`."""
    line, hidden = _chat_line(chat, zone)  # pyright: ignore[reportArgumentType] - a frozen model has a hash
    visible.hidden += hidden
    return line


@lru_cache(maxsize=_LINES)
def _chat_line(chat: Chat, zone: Zone) -> tuple[str, int]:
    visible = Visible()
    marks = [f"{chat.unread} unread"] if chat.unread else []
    marks += ["waiting"] if chat.waiting_for_reply else []
    marks += ["read-only"] if chat.decision == "never" else []
    marks += [f"in {chat.parent}"] if chat.parent else []
    ours = [chat.id, chat.instance, chat.kind, zone.minute(chat.last_message_at), ", ".join(marks)]
    theirs = [visible.line(chat.name), preview(chat, visible)]
    return f"[{_joined(' ', ours)}] {_joined(' · ', theirs)}".rstrip(), visible.hidden


def candidate(chat: Chat, zone: Zone) -> str:
    """One of several chats that a name fits, without any name."""
    last = zone.minute(chat.last_message_at)
    return _joined(
        " · ", [chat.id, chat.instance, chat.kind, f"last active {last}" if last else ""]
    )


def contact_line(contact: Contact, visible: Visible) -> str:
    """As in `[c1f shop] Anna Petrova · @anna · +37120000000`; the id is that of the chat."""
    ours = [contact.chat or "no chat yet", contact.instance, "bot" if contact.is_bot else ""]
    handle = f"@{visible.line(contact.username)}" if contact.username else ""
    name = visible.line(contact.display_name)
    phone = visible.line(contact.phone)
    native = "" if name or handle or phone else visible.line(contact.native_id)
    return f"[{_joined(' ', ours)}] {_joined(' · ', [name, handle, phone, native])}"


def with_messages(items: Iterable[ChatMessages], transcript: Transcript) -> list[str]:
    """Each chat's line, which alone starts with #, then the lines of its messages."""
    lines: list[str] = []
    for each in items:
        lines.append(_title(each.chat, transcript.visible))
        lines += transcript.lines(each.messages)
    return lines


def hits(items: Sequence[Hit], transcript: Transcript) -> list[str]:
    """The chats that have hits, then the hits as they were found."""
    chats = {hit.chat.id: hit.chat for hit in items}
    lines = [_title(chat, transcript.visible) for chat in chats.values()]
    for hit in items:
        lines += transcript.message(hit.message, hit.chat.id)
    return lines


def _title(chat: Chat, visible: Visible) -> str:
    return f"# [{chat.id} {chat.instance} {chat.kind}] {visible.line(chat.name)}"


def _joined(between: str, parts: Iterable[str]) -> str:
    return between.join(filter(None, parts))
