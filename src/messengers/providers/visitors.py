"""The capability of a messenger whose other end is a page of ours.

The page speaks to `web/chat.py`, that to `core.visitors`, that to the provider through this
protocol. A frame is a small mapping with a `type`; what the types hold stands in `PageFrame`.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from messengers.models import Attachment
from messengers.providers.capabilities import Capabilities

__all__ = ["Front", "HostsVisitors", "PageFrame", "Push"]

PageFrame = Mapping[str, object]
"""What happens on a page:

- message: id, mine (written by the visitor), text, at (ISO 8601), media, reply_to
- edited: id, text · deleted: id · reaction: id, emoji (empty: removed)
- typing: active · seen: id (read up to here by our side)
- closed: the instance stopped; the page may come back later

`id` is the message's native id, `media` a list of attachments as JSON.
"""

Push = Callable[[PageFrame], Awaitable[None]]
"""Hands a frame to one open page. Never waits for the page: a slow one is cut."""


@dataclass(frozen=True, slots=True)
class Front:
    """What a visitor sees before he writes."""

    title: str
    greeting: str
    accent: str
    """A colour as `#rrggbb`."""


@runtime_checkable
class HostsVisitors(Protocol):
    """Serves people through a page of ours."""

    def capabilities(self, chat_native_id: str = "") -> Capabilities: ...

    def front(self) -> Front: ...

    def join(self, visitor: str, push: Push) -> str:
        """A page opened. Returns a connection token for `leave`; NotConnected when stopped."""
        ...

    def leave(self, visitor: str, connection: str) -> None: ...

    def recent(self, visitor: str) -> Sequence[PageFrame]:
        """Messages of the last seconds: the store may not list them yet."""
        ...

    async def receive(
        self, visitor: str, text: str, media: Sequence[Attachment], client_id: str, name: str = ""
    ) -> bool:
        """A visitor wrote, calling himself `name` if he likes.

        Returns once it is durable, False for a duplicate `client_id`.
        """
        ...

    async def rename(self, visitor: str, name: str) -> None:
        """A visitor gave himself a name; durable when it returns."""
        ...

    async def shown(
        self, visitor: str, native_ids: Sequence[str], state: Literal["delivered", "read"]
    ) -> None:
        """A page showed our messages, or its visitor looked at them."""
        ...

    def typed(self, visitor: str, active: bool) -> None:
        """A visitor is writing, or stopped."""
        ...
