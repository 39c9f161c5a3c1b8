"""What a provider saw: the words in which `translate` tells what a stored event means.

Ids are the platform's own, opaque to the core.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from messengers.models import (
    Attachment,
    Card,
    ChatKind,
    Delivery,
    Direction,
    Location,
    Mark,
    NameSource,
    Origin,
    Poll,
    Reaction,
    Sender,
)

__all__ = [
    "ChatSeen",
    "ContactSeen",
    "Happening",
    "HistorySeen",
    "MessageDeleted",
    "MessageEdited",
    "MessageSeen",
    "PollCounted",
    "PollVoted",
    "ReactionChanged",
    "ReactionSeen",
    "ReactionTurned",
    "ReadElsewhere",
    "ReceiptSeen",
]


@dataclass(frozen=True, slots=True)
class ChatSeen:
    """A chat as the platform shows it. Empty fields leave what is stored."""

    native_id: str
    kind: ChatKind
    name: str = ""
    name_source: NameSource = "stranger"
    phone: str = ""
    username: str = ""
    parent_native_id: str = ""
    alt_ids: tuple[str, ...] = ()
    """Other native ids of the same chat: one that is stored under such an id goes on as this."""


@dataclass(frozen=True, slots=True)
class ContactSeen:
    """A counterpart as the platform shows him. Empty fields leave what is stored."""

    native_id: str
    display_name: str = ""
    name_source: NameSource = "stranger"
    username: str = ""
    phone: str = ""
    alt_ids: tuple[str, ...] = ()
    """Other native ids of the same person: who is stored under such an id goes on as this."""
    is_bot: bool = False


@dataclass(frozen=True, slots=True)
class MessageSeen:
    """A message that exists on the platform, whoever wrote it."""

    chat: ChatSeen
    native_id: str
    sender: Sender
    sent_at: datetime
    direction: Direction
    origin: Origin = "realtime"
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    reply_to_native_id: str = ""
    thread: str = ""
    album: str = ""
    mentions_me: bool = False
    location: Location | None = None
    contact: Card | None = None
    poll: Poll | None = None
    buttons: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    delivery: Delivery | None = None
    client_key: str = ""
    """The key of our own send, where the platform echoes it."""


@dataclass(frozen=True, slots=True)
class HistorySeen:
    """Older messages of one chat, in any order: they wake nobody and count as history."""

    chat: ChatSeen
    messages: Sequence[MessageSeen]
    unread: int = 0
    """How many of the chat's messages its owner has not read; of a chat that is new here."""


@dataclass(frozen=True, slots=True)
class MessageEdited:
    """The text of a message is another now."""

    chat_native_id: str
    native_id: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class MessageDeleted:
    """A message is gone for everyone."""

    chat_native_id: str
    native_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReactionSeen:
    """All reactions of a message as they stand now."""

    chat_native_id: str
    native_id: str
    reactions: tuple[Reaction, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class ReactionChanged:
    """All reactions of one sender to a message as they stand now."""

    chat_native_id: str
    native_id: str
    sender_native_id: str
    emojis: tuple[str, ...]
    at: datetime
    is_me: bool = False


@dataclass(frozen=True, slots=True)
class ReactionTurned:
    """One sender gave one emoji or took it back; what else he gave stays."""

    chat_native_id: str
    native_id: str
    sender_native_id: str
    emoji: str
    given: bool
    at: datetime
    is_me: bool = False


@dataclass(frozen=True, slots=True)
class PollVoted:
    """All votes of one voter in a poll as they stand now."""

    chat_native_id: str
    native_id: str
    voter_native_id: str
    options: tuple[str, ...]
    """Each by its name, or by the lower-case hex SHA-256 of it."""
    at: datetime


@dataclass(frozen=True, slots=True)
class PollCounted:
    """The votes of a poll as they stand now, where the platform tells no voters."""

    chat_native_id: str
    native_id: str
    votes: tuple[int, ...]
    """One number for each option, in their order."""
    at: datetime


@dataclass(frozen=True, slots=True)
class ReceiptSeen:
    """How far our messages got; states only ever advance."""

    chat_native_id: str
    native_ids: tuple[str, ...]
    delivery: Literal["sent", "delivered", "read", "failed"]
    at: datetime


@dataclass(frozen=True, slots=True)
class ReadElsewhere:
    """The owner read a chat on a device of his own."""

    chat_native_id: str
    at: datetime


Happening = (
    MessageSeen
    | HistorySeen
    | MessageEdited
    | MessageDeleted
    | ReactionSeen
    | ReactionChanged
    | ReactionTurned
    | PollCounted
    | PollVoted
    | ReceiptSeen
    | ReadElsewhere
    | ChatSeen
    | ContactSeen
)
