"""The capabilities of a messenger that keeps an order of chats, and a list of blocked people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, runtime_checkable

__all__ = ["Arrangement", "ArrangesChats", "BlocksPeople"]


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


@runtime_checkable
class BlocksPeople(Protocol):
    """Keeps people from writing to the account."""

    async def blocked(self) -> Sequence[str]:
        """The native ids of the chats with everybody who is blocked."""
        ...

    async def block(self, chat_native_id: str, blocked: bool) -> None: ...
