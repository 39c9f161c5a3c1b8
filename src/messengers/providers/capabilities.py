"""What an instance can do, as data."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Literal

from messengers.models import MediaKind, Model
from messengers.providers.chunks import Unit

__all__ = ["Capabilities", "Level", "MediaLimit", "Rate"]


class Level(StrEnum):
    """How well a provider does something; `fallback` says what is sent instead."""

    REJECT = "reject"
    DROP = "drop"
    FALLBACK = "fallback"
    PARTIAL = "partial"
    FULL = "full"


class MediaLimit(Model):
    """What one kind of attachment may be."""

    max_bytes: int
    mimes: tuple[str, ...]
    max_caption: int = 0
    """In the provider's text unit; 0 = no captions, the text goes as its own message."""


class Rate(Model):
    """So many messages within any such time, at once if need be."""

    of: Literal["instance", "chat", "person", "group", "new_contact"]
    """What counts by itself: the whole instance, each chat, each chat with one person, each other
    chat; or the first messages to people with whom nothing was exchanged yet."""
    count: int
    period_s: float


class Capabilities(Model):
    """What an instance can do, as data; the numbers' sources stand in each provider's limits.py."""

    text: Level = Level.FULL
    max_text: int
    text_unit: Unit = "chars"
    media: Mapping[MediaKind, MediaLimit] = {}
    edit: Level = Level.REJECT
    delete: Level = Level.REJECT
    react: Level = Level.REJECT
    named_reactions: bool = False
    """Reactions also by names as `:name:`, for emojis of one's own."""
    typing: Level = Level.REJECT
    mark_read: Level = Level.REJECT
    reply: Level = Level.REJECT
    silent: Level = Level.DROP
    list_chats: Level = Level.REJECT
    list_contacts: Level = Level.REJECT
    fetch_history: Level = Level.REJECT
    search_history: Level = Level.REJECT
    download_media: Level = Level.REJECT
    webhooks: Level = Level.REJECT
    groups: Level = Level.REJECT
    arrange: Level = Level.REJECT
    block: Level = Level.REJECT
    portraits: Level = Level.REJECT
    """Pictures that people and groups have of themselves."""
    pin: Level = Level.REJECT
    """Messages at the top of a chat, for everyone there."""
    rich: Level = Level.REJECT
    """Locations and contacts in a part."""
    max_poll_options: int = 0
    """Of one poll; 0: the messenger has no polls."""
    max_buttons: int = 0
    """With one message; 0: the messenger has none."""
    templates: Level = Level.REJECT
    profile: Level = Level.REJECT
    visitors: Level = Level.REJECT
    edit_window_s: int | None = None
    """None: no limit known."""
    delete_window_s: int | None = None
    rates: tuple[Rate, ...] = ()
    """All of them hold at once; none: the messenger gives no figures."""
    messaging_window_s: int | None = None
    """How long after the counterpart's last message free text may be sent; None: no window."""
    login: Literal["none", "token", "qr"] = "none"
    reuses_key: bool = False
    """Sending again under the same key is the same message: a crash leaves no doubt."""
