"""A house that delivers to a real receiver on loopback, and a clock that a test moves."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
import orjson
from anyio.abc import ByteStream, SocketAttribute

from messengers.core.callers import OWNER
from messengers.core.core import Core, open_core
from messengers.core.webhook_views import DeliveryView
from messengers.providers.webchat import incoming
from messengers.settings import Settings
from messengers.urls import SafeUrl

__all__ = ["Delivered", "HandClock", "Mail", "Receiver", "open_mail", "receiving"]


class HandClock:
    """A clock that a test moves; it starts at the real time, by which receivers judge."""

    def __init__(self) -> None:
        self.at = datetime.now(UTC)
        self.off = timedelta()
        """By how much it was set meanwhile."""

    def now(self) -> datetime:
        return self.at

    def monotonic_s(self) -> float:
        return (self.at - self.off).timestamp()


@dataclass(frozen=True)
class Delivered:
    """A request as it came in."""

    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, object]:
        return orjson.loads(self.body)

    @property
    def text(self) -> str:
        data = orjson.loads(self.body)["data"]
        return str(data.get("message", {}).get("text", ""))


@dataclass
class Receiver:
    """A server that takes deliveries, and answers as it is told."""

    port: int = 0
    status: int = 200
    more: str = ""
    """More header lines of its answer."""
    refused: dict[str, int] = field(default_factory=dict[str, int])
    """Text → status, for some messages only."""
    got: list[Delivered] = field(default_factory=list[Delivered])
    hold: anyio.Event | None = None
    """Set, an answer waits for it."""
    news: anyio.Event = field(default_factory=anyio.Event)

    @property
    def url(self) -> SafeUrl:
        return SafeUrl.parse(f"http://127.0.0.1:{self.port}/hook?key=tricky")

    @property
    def texts(self) -> list[str]:
        return [each.text for each in self.got]

    async def serve(self, stream: ByteStream) -> None:
        async with stream:
            try:
                await self._take(stream)
            except (anyio.EndOfStream, anyio.BrokenResourceError):
                return  # who delivers was cut short

    async def _take(self, stream: ByteStream) -> None:
        raw = b""
        while b"\r\n\r\n" not in raw:
            raw += await stream.receive()
        head, _, body = raw.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, _, v in (each.partition(": ") for each in lines[1:])}
        while len(body) < int(headers["content-length"]):
            body += await stream.receive()
        assert lines[0] == "POST /hook?key=tricky HTTP/1.1"
        delivered = Delivered(headers, body)
        self.got.append(delivered)
        self.news.set()
        if self.hold is not None:
            await self.hold.wait()
        status = self.refused.get(delivered.text, self.status)
        answer = f"HTTP/1.1 {status} X\r\n{self.more}Content-Length: 0\r\n\r\n"
        await stream.send(answer.encode())

    async def until(self, count: int) -> None:
        """Wait until so many came in all."""
        with anyio.fail_after(10):
            while len(self.got) < count:
                self.news = anyio.Event()
                await self.news.wait()


@asynccontextmanager
async def receiving() -> AsyncGenerator[Receiver]:
    made = Receiver()
    async with (
        await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
        anyio.create_task_group() as tasks,
    ):
        made.port = listener.extra(SocketAttribute.local_port)  # noqa: S610 — not django's
        tasks.start_soon(listener.serve, made.serve)
        yield made
        tasks.cancel_scope.cancel()


@dataclass
class Mail:
    """A house with a chat page, whose endpoint is the receiver."""

    core: Core
    clock: HandClock
    receiver: Receiver
    said: int = 0

    async def page(self, name: str = "page") -> str:
        """A chat page that is connected, with everything about it in the log."""
        events = self.core.events
        before = await events.position()
        made = await self.core.instances.create(OWNER, "webchat", name)

        async def ready() -> bool | None:
            kind = "instance.health"
            found = await events.since(OWNER, before, kind=kind, instance_id=made.id)
            return any(each.data["lifecycle"] == "connected" for _, each in found) or None

        assert await events.wait(ready, 10)
        return made.id

    async def add(self, name: str = "crm", **filters: object) -> str:
        """An endpoint at the receiver; its secret."""
        given = {"types": ["message.received"], **filters}
        url = self.receiver.url
        return (await self.core.webhooks.add(name, url, **given))[1]  # pyright: ignore[reportArgumentType] - filters as given

    async def say(self, instance_id: str, text: str, visitor: int = 1) -> None:
        core = self.core
        before = await core.events.position()
        self.said += 1
        event = incoming.said(f"v{visitor:024x}", f"{self.said:08}", text, (), "", self.clock.now())
        payload = event.model_dump_json().encode()
        key = incoming.event_key(event)
        await core.inbox.ingest(instance_id, key, event.visitor, "said", payload)

        async def stored() -> bool | None:
            return await core.events.position() > before or None

        assert await core.events.wait(stored, 10)

    def forward(self, **span: float) -> None:
        """Let time pass, and have every worker look at the clock."""
        self.clock.at += timedelta(**span)
        for key in range(1, 5):
            self.core.dispatch.wake(key)

    def set(self, **span: float) -> None:
        """Somebody sets the clock: no time passes."""
        self.clock.off += timedelta(**span)
        self.forward(**span)

    async def log(self, name: str = "crm") -> list[DeliveryView]:
        return list(await self.core.webhooks.log(name))

    async def settled(self, *states: str, name: str = "crm", attempts: int = 0) -> None:
        """Wait until the deliveries stand like this, oldest first."""
        with anyio.fail_after(10):
            while True:
                found = list(reversed(await self.log(name)))
                done = sum(each.attempts for each in found) >= attempts
                if [each.state for each in found] == [*states] and done:
                    return
                await anyio.sleep(0.01)


@asynccontextmanager
async def open_mail(
    home: Path, receiver: Receiver, clock: HandClock | None = None
) -> AsyncGenerator[Mail]:
    clock = clock or HandClock()
    settings = Settings(home=home, timezone="UTC", private_hosts=(f"127.0.0.1:{receiver.port}",))
    async with open_core(settings, clock) as core:
        yield Mail(core, clock, receiver)
