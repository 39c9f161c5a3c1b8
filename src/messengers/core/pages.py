"""A page of a list: keyset cursors, no totals."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from messengers.errors import InvalidInput
from messengers.models import Chat, Message

__all__ = ["ChatMessages", "Hit", "Page", "check_limit"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and where to go on."""

    items: tuple[T, ...]
    cursor: str = ""
    """Opaque; empty at the end."""
    left_out: int = 0
    """How many between them access rules keep from agents."""


@dataclass(frozen=True, slots=True)
class ChatMessages:
    """A chat and some of its messages, oldest first."""

    chat: Chat
    messages: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One found message in its chat."""

    chat: Chat
    message: Message
    by_messenger: bool = False
    """The messenger's own search found it: it was not stored before."""


def check_limit(limit: int, maximum: int) -> int:
    """A limit outside 1..maximum is an error, never silently bent."""
    if not 1 <= limit <= maximum:
        raise InvalidInput(f"limit must be from 1 to {maximum}.", "Page with cursor for more.")
    return limit
