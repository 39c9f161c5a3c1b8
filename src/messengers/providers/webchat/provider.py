"""The chat page as a messenger: it keeps the open pages and passes between them and the core.

Nothing here needs a network. What is sent is durable in the store before it comes here and pages
read their history from there, so a visitor whose page is closed misses nothing.
"""

import re
import secrets
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import anyio

from messengers.errors import InvalidInput, NotConnected, Unsupported
from messengers.models import Attachment, Health, Lifecycle, MessageRef
from messengers.providers.base import (
    Deletes,
    Edits,
    Happening,
    MarksRead,
    Part,
    ProviderContext,
    Reacts,
    Sent,
    Sink,
    Types,
)
from messengers.providers.capabilities import Capabilities
from messengers.providers.chunks import split
from messengers.providers.visitors import Front, HostsVisitors, PageFrame, Push
from messengers.providers.webchat import incoming
from messengers.providers.webchat.config import WebchatConfig
from messengers.providers.webchat.limits import CAPABILITIES, MAX_TEXT
from messengers.providers.webchat.outgoing import message_frame, native_id, part_frame

__all__ = ["WebchatProvider"]

VISITOR = re.compile(r"v[0-9a-f]{24}")
_FOREIGN = re.compile(r".+@(s\.whatsapp\.net|c\.us|g\.us|lid|broadcast)|-100\d{6,}")
_RECENT_S = 30.0
"""Longer than any commit takes that follows a send or an arrival."""


@dataclass(frozen=True, slots=True)
class _Recent:
    at_s: float
    visitor: str
    frame: PageFrame


class WebchatProvider:
    """One chat page with its visitors, one dm each."""

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.config, WebchatConfig):
            raise InvalidInput("The config is not that of a chat page.")
        self._config = context.config
        self._name = context.instance_name
        self._clock = context.clock
        self._sink: Sink | None = None
        self._pages: dict[str, dict[str, Push]] = {}
        self._recent: deque[_Recent] = deque(maxlen=512)

    async def run(self, sink: Sink) -> None:
        """Connected from the first moment: there is nobody to connect to.

        At the end the open pages are told, so that they come back to whoever runs next.
        """
        self._sink = sink
        now = self._clock.now()
        sink.report(Health(lifecycle=Lifecycle.CONNECTED, last_transport_at=now))
        try:
            await anyio.sleep_forever()
        finally:
            self._sink = None
            with anyio.CancelScope(shield=True):
                for visitor in tuple(self._pages):
                    await self._push(visitor, {"type": "closed"})
            self._pages.clear()

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return CAPABILITIES

    def parse_target(self, text: str) -> str | None:
        text = text.strip()
        if _FOREIGN.fullmatch(text):
            raise InvalidInput(
                "That is another messenger's chat id.",
                "A chat page reaches its own visitors only; list_chats names them.",
            )
        return text if VISITOR.fullmatch(text) else None

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        return incoming.translate(kind, payload)

    def render(self, markdown: str) -> Sequence[str]:
        return split(markdown, MAX_TEXT)

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        if part.media is not None and part.media.kind != "image":
            raise Unsupported("A chat page shows no files but images.", "Send the text alone.")
        native, at = native_id(key), self._clock.now()
        await self._show(chat_native_id, part_frame(part, native, at))
        return Sent(native, at)

    async def probe(self) -> None:
        self._running()

    async def edit(self, chat_native_id: str, message: MessageRef, text: str) -> None:
        await self._push(chat_native_id, {"type": "edited", "id": message.native_id, "text": text})

    async def delete(self, chat_native_id: str, message: MessageRef) -> None:
        await self._push(chat_native_id, {"type": "deleted", "id": message.native_id})

    async def react(self, chat_native_id: str, message: MessageRef, emoji: str) -> None:
        frame: PageFrame = {"type": "reaction", "id": message.native_id, "emoji": emoji}
        await self._push(chat_native_id, frame)

    async def typing(self, chat_native_id: str, active: bool) -> None:
        await self._push(chat_native_id, {"type": "typing", "active": active})

    async def mark_read(self, chat_native_id: str, messages: Sequence[MessageRef]) -> None:
        await self._push(chat_native_id, {"type": "seen", "id": messages[-1].native_id})

    def front(self) -> Front:
        config = self._config
        return Front(config.title or self._name, config.greeting, config.accent.lower())

    def join(self, visitor: str, push: Push) -> str:
        self._running()
        connection = secrets.token_hex(8)
        self._pages.setdefault(visitor, {})[connection] = push
        return connection

    def leave(self, visitor: str, connection: str) -> None:
        pages = self._pages.get(visitor, {})
        pages.pop(connection, None)
        if not pages:
            self._pages.pop(visitor, None)

    def recent(self, visitor: str) -> Sequence[PageFrame]:
        since_s = self._clock.monotonic_s() - _RECENT_S
        return [r.frame for r in self._recent if r.visitor == visitor and r.at_s >= since_s]

    async def receive(
        self, visitor: str, text: str, media: Sequence[Attachment], client_id: str, name: str = ""
    ) -> bool:
        now = self._clock.now()
        event = incoming.said(visitor, client_id, text, media, name, now)
        if not event.text and not event.media:
            raise InvalidInput("The message is empty.", "Write something or add an image.")
        if len(event.text) > MAX_TEXT:
            raise InvalidInput(f"Longer than {MAX_TEXT:,} characters.", "Send it in parts.")
        new = await self._ingest("said", event)
        if new:
            native = incoming.message_id(client_id)
            frame = message_frame(native, mine=True, text=event.text, at=now, media=media)
            await self._show(visitor, frame)
        return new

    async def rename(self, visitor: str, name: str) -> None:
        event = incoming.named(visitor, name, self._clock.now())
        await self._ingest("named", event)

    async def shown(
        self, visitor: str, native_ids: Sequence[str], state: Literal["delivered", "read"]
    ) -> None:
        event = incoming.shown(visitor, native_ids, state, self._clock.now())
        await self._ingest("shown", event)

    def typed(self, visitor: str, active: bool) -> None:
        self._running().signal(visitor, "typing", "on" if active else "off")

    def _running(self) -> Sink:
        if self._sink is None:
            raise NotConnected("This chat is closed at the moment.", "It can be reopened any time.")
        return self._sink

    async def _ingest(
        self, kind: str, event: incoming.Said | incoming.Named | incoming.Shown
    ) -> bool:
        sink = self._running()
        key = incoming.event_key(event)
        new = await sink.ingest(key, event.visitor, kind, event.model_dump_json().encode())
        now = self._clock.now()
        sink.report(Health(lifecycle=Lifecycle.CONNECTED, last_inbound_at=now))
        return new

    async def _show(self, visitor: str, frame: PageFrame) -> None:
        """Push a message, and keep it for pages that open before the store lists it."""
        self._recent.append(_Recent(self._clock.monotonic_s(), visitor, frame))
        await self._push(visitor, frame)

    async def _push(self, visitor: str, frame: PageFrame) -> None:
        for push in tuple(self._pages.get(visitor, {}).values()):
            await push(frame)


_edits: type[Edits] = WebchatProvider
_deletes: type[Deletes] = WebchatProvider
_reacts: type[Reacts] = WebchatProvider
_types: type[Types] = WebchatProvider
_marks_read: type[MarksRead] = WebchatProvider
_visitors: type[HostsVisitors] = WebchatProvider
