"""How the owner sees what is to leave, and where it would go."""

from collections.abc import Sequence

from messengers.core.acts import Shown
from messengers.core.rich import Rich
from messengers.core.words import counted
from messengers.models import Button, Chat, Draft
from messengers.providers.base import MediaBytes
from messengers.urls import SafeUrl

__all__ = ["recipient", "said", "shown", "told"]


def said(draft: Draft, buttons: Sequence[Button]) -> str:
    """The text with what can be pressed under it."""
    lines = [f"[{button.text}] {button.url}".rstrip() for button in buttons]
    return "\n".join([draft.text, *lines])


def told(rich: Rich | None) -> str:
    """A place, contact or poll in words."""
    return rich.plan.source if rich and rich.plan else ""


def shown(chat: Chat, text: str, files: Sequence[MediaBytes | SafeUrl], why: str) -> Shown:
    """What the owner sees of a send."""
    return Shown(
        title="Send a message",
        recipient=recipient(chat),
        text=text,
        attachments=tuple(map(_file, files)),
        why=why,
    )


def _file(file: MediaBytes | SafeUrl) -> str:
    if isinstance(file, SafeUrl):
        return f"what stands at {file}"
    return f"{file.kind} {file.name} ({counted(len(file.data), 'byte')})"


def recipient(chat: Chat) -> str:
    """How the owner recognises where something would go."""
    known = chat.phone or (f"@{chat.username}" if chat.username else chat.native_id)
    return f"{chat.name} · {known} · {chat.kind} {chat.id} · {chat.provider} “{chat.instance}”"
