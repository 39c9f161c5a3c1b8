"""The capability of a messenger that keeps an order of chats the other side does not see."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

__all__ = ["Arrangement", "ArrangesChats"]


@dataclass(frozen=True, slots=True)
class Arrangement:
    """How a chat stands in the account's own list; None leaves it as it is."""

    archived: bool | None = None
    pinned: bool | None = None
    muted: bool | None = None
    muted_until: datetime | None = None
    """With `muted`: when it ends; None means when the owner ends it."""


@runtime_checkable
class ArrangesChats(Protocol):
    """Archives, pins and mutes chats on all devices of the account."""

    async def arrange(self, chat_native_id: str, arrangement: Arrangement) -> None: ...
