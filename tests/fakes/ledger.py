"""The provider of the messenger that keeps a ledger, for a daemon of its own process.

Three kinds differ in what is known after a crash: `keyed` takes our key and never the same twice,
`plain` knows nothing of keys, `noted` too, but its provider notes what it begins before it sends.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import anyio
import httpx2
import orjson
from pydantic import BaseModel, ConfigDict

from messengers.errors import Uncertain, Unreachable
from messengers.models import Health, Lifecycle, Sender
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

__all__ = ["KEYED", "NOTED", "PLAIN", "Kind", "Point"]

Kind = Literal["keyed", "plain", "noted"]
Point = Literal["first", "noted", "called", "answered", "ingested"]
"""Where a call or a delivery can be held: before it is noted and after that, when the messenger has
taken it and when it has said so; and once an event is stored, but not acknowledged."""
_EPOCH = datetime(2026, 11, 20, 12, tzinfo=UTC)


class LedgerConfig(BaseModel):
    """Nothing to know."""

    model_config = ConfigDict(extra="forbid")


class LedgerProvider:
    """Sends and polls over HTTP; what it heard is kept by its number."""

    kind: Kind = "plain"

    def __init__(self, context: ProviderContext) -> None:
        self._clock = context.clock
        self._client = httpx2.AsyncClient(base_url=context.endpoints["api"], timeout=30)
        self._directory = context.directory

    async def run(self, sink: Sink) -> None:
        heard = self._directory / "heard"
        place = anyio.Path(heard)
        number = int(await place.read_text("ascii")) if heard.exists() else 0
        sink.report(Health(lifecycle=Lifecycle.CONNECTED))
        if self.kind != "keyed":
            await anyio.sleep_forever()  # one account hears what people write
        await anyio.Path(self._directory).mkdir(parents=True, exist_ok=True)
        while True:
            answer = await self._client.get("/events", params={"from": number})
            for event in answer.json()["events"]:
                await sink.ingest(event["id"], event["chat"], "message", orjson.dumps(event))
                await self._at("ingested", event["text"])
                number += 1
            part = anyio.Path(f"{heard}.part")
            await part.write_text(str(number), "ascii")
            await part.replace(heard)

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return _INFOS[self.kind].capabilities

    def parse_target(self, text: str) -> str | None:
        return text.removeprefix("to:") if text.startswith("to:") else None

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        event: dict[str, Any] = orjson.loads(payload)
        chat = ChatSeen(native_id=event["chat"], kind="dm", name=event["chat"])
        sender = Sender(native_id=event["chat"], display_name=event["chat"])
        at = _EPOCH + timedelta(seconds=int(event["id"][1:]))
        return [MessageSeen(chat, event["id"], sender, at, "in", text=event["text"])]

    def render(self, markdown: str) -> Sequence[str]:
        return [markdown]

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        await self._at("first", part.text)
        await self._note(key)
        await self._at("noted", part.text)
        body = {"kind": self.kind, "chat": chat_native_id, "text": part.text, "key": key}
        try:
            answer = await self._client.post("/send", json=body)
        except httpx2.ConnectError as exc:
            raise Unreachable("The ledger is closed.") from exc
        except httpx2.TransportError as exc:
            raise Uncertain("The ledger did not answer.") from exc
        await self._at("answered", part.text)
        return Sent(native_id=answer.json()["id"], at=self._clock.now())

    async def _note(self, key: str) -> None:
        """What a platform's engine may know of what it began; most know nothing."""

    async def _at(self, point: Point, text: str) -> None:
        """Where a test may want this process to stand still, to kill it there."""
        if text.startswith("hold"):
            await self._client.get("/hold", params={"point": point})

    async def probe(self) -> None:
        return None


class KeyedProvider(LedgerProvider):
    kind = "keyed"


class NotedProvider(LedgerProvider):
    """Like WhatsApp Web's engine: what it began stands in its own directory before it leaves."""

    kind = "noted"

    async def _note(self, key: str) -> None:
        await anyio.Path(self._directory).mkdir(parents=True, exist_ok=True)
        await anyio.Path(self._directory / key).touch()

    async def begun(self, key: str) -> str | None:
        return f"s-{key}" if await anyio.Path(self._directory / key).exists() else None


PLAIN = ProviderInfo(
    name="ledger_plain",
    title="Ledger without keys",
    kind="bot",
    class_path="tests.fakes.ledger:LedgerProvider",
    config=LedgerConfig,
    summary="A messenger that writes down everything.",
    setup="Nothing to do.",
    capabilities=Capabilities(max_text=1_000),
    endpoints=("api",),
)
KEYED = replace(
    PLAIN,
    name="ledger_keyed",
    class_path="tests.fakes.ledger:KeyedProvider",
    capabilities=Capabilities(max_text=1_000, reuses_key=True),
)
NOTED = replace(PLAIN, name="ledger_noted", class_path="tests.fakes.ledger:NotedProvider")
_INFOS: dict[Kind, ProviderInfo] = {"keyed": KEYED, "plain": PLAIN, "noted": NOTED}
