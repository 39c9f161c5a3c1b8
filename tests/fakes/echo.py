"""The smallest honest provider, as a third party would write it: whatever is sent comes back.

Found by its entry point (`tests/fakes/site`), it knows nothing but the public contract.
"""

from collections import deque
from collections.abc import Sequence

import anyio
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from messengers.clock import from_ms, to_ms
from messengers.errors import InvalidInput
from messengers.models import Health, Lifecycle, Model, Sender
from messengers.providers.base import (
    ChatSeen,
    Happening,
    MessageSeen,
    Part,
    ProviderContext,
    ProviderInfo,
    Sent,
    Sink,
)
from messengers.providers.capabilities import Capabilities
from messengers.providers.chunks import split

__all__ = ["INFO", "EchoProvider"]

MAX_TEXT = 280
"""Our own choice: there is no platform behind an echo."""


class EchoConfig(BaseModel):
    """What the echo may be told."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    token: SecretStr = SecretStr("")
    """Not needed by anything; an echo has no account."""
    prefix: str = Field(default="", max_length=20)
    """What an answer begins with."""


class Heard(Model):
    """The stored form of what came back."""

    chat: str
    key: str
    text: str
    at_ms: int


class EchoProvider:
    """Answers every message with itself."""

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.config, EchoConfig):
            raise TypeError("the config is not that of an echo")
        self._prefix = context.config.prefix
        self._clock = context.clock
        self._waiting: deque[Heard] = deque()
        self._heard = anyio.Event()

    async def run(self, sink: Sink) -> None:
        sink.report(Health(lifecycle=Lifecycle.CONNECTED))
        while True:
            while self._waiting:
                heard = self._waiting[0]
                payload = heard.model_dump_json().encode()
                await sink.ingest(f"heard:{heard.key}", heard.chat, "heard", payload)
                self._waiting.popleft()
            self._heard = anyio.Event()
            await self._heard.wait()

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return INFO.capabilities

    def parse_target(self, text: str) -> str | None:
        text = text.strip()
        if text.startswith("valley:") and text.removeprefix("valley:").isalnum():
            return text
        if text.startswith(("@", "+")):
            raise InvalidInput("An echo has no handles or numbers.", "Write valley:NAME.")
        return None

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        try:
            heard = Heard.model_validate_json(payload)
        except ValueError as exc:
            raise InvalidInput("This is nothing that an echo said.") from exc
        return [
            MessageSeen(
                chat=ChatSeen(heard.chat, "dm", heard.chat.removeprefix("valley:")),
                native_id=f"echo-{heard.key}",
                sender=Sender(native_id=heard.chat),
                sent_at=from_ms(heard.at_ms),
                direction="in",
                text=heard.text,
            )
        ]

    def render(self, markdown: str) -> Sequence[str]:
        return split(markdown, MAX_TEXT)

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        at = self._clock.now()
        text = self._prefix + part.text
        self._waiting.append(Heard(chat=chat_native_id, key=key, text=text, at_ms=to_ms(at)))
        self._heard.set()
        return Sent(native_id=f"said-{key}", at=at)

    async def probe(self) -> None:
        return None


INFO = ProviderInfo(
    name="echo",
    title="Echo",
    kind="bot",
    class_path="tests.fakes.echo:EchoProvider",
    config=EchoConfig,
    summary="Answers every message with itself.",
    setup="Nothing to set up.",
    capabilities=Capabilities(max_text=MAX_TEXT, reuses_key=True),
)
