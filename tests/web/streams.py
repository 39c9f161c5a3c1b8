"""The web application on a loopback port, and clients that follow its `/events`."""

import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import httpx2
import uvicorn
from sqlalchemy import Connection

from messengers.app import App, open_app
from messengers.core.callers import OWNER
from messengers.models import IdKind, decode_id
from messengers.providers.webchat import incoming
from messengers.settings import Settings
from messengers.sockets import bind_tcp

__all__ = ["Frame", "Office", "seqs", "served"]


@dataclass(frozen=True)
class Frame:
    """One dispatched event of a stream."""

    id: str
    type: str
    data: Any

    @property
    def seq(self) -> int:
        return decode_id(IdKind.EVENT, self.id) or 0


@dataclass
class Office:
    """A served application with a chat page, and who writes there."""

    app: App
    port: int
    client: httpx2.AsyncClient
    said: int = 0

    async def instance(self, name: str = "page") -> str:
        """A chat page that is connected, with everything about it written down."""
        events = self.app.core.events
        before = await events.position()
        made = await self.app.core.instances.create(OWNER, "webchat", name)

        async def ready() -> bool | None:
            kind, instance_id = "instance.health", made.id
            found = await events.since(OWNER, before, kind=kind, instance_id=instance_id)
            return any(each.data["lifecycle"] == "connected" for _, each in found) or None

        assert await events.wait(ready, 10)
        return made.id

    async def say(self, instance_id: str, text: str, visitor: int = 1, times: int = 1) -> None:
        """Somebody writes; it is stored when this returns."""
        core = self.app.core
        before = await core.events.position()
        async with anyio.create_task_group() as tasks:
            for _ in range(times):
                self.said += 1
                key = f"{self.said:08}"
                event = incoming.said(f"v{visitor:024x}", key, text, (), "", core.clock.now())
                payload = event.model_dump_json().encode()
                place = (instance_id, incoming.event_key(event), event.visitor)
                tasks.start_soon(core.inbox.ingest, *place, "said", payload)

        async def stored() -> bool | None:
            return await core.events.position() >= before + times or None

        assert await core.events.wait(stored, 10)

    async def happen(self, instance_id: str, times: int) -> None:
        """So many events of about 2.3 kB, in one commit."""
        log = self.app.core.events
        data = {"filler": "x" * 2_150}

        def unit(conn: Connection) -> None:
            for _ in range(times):
                log.record(conn, "chat.read", instance_id=instance_id, data=data)

        await log.write(unit)

    async def key(self, name: str, *instances: str) -> dict[str, str]:
        _, secret = await self.app.core.keys.create(OWNER, name, "reader", instances=instances)
        return {"Authorization": f"Bearer {secret}"}

    @asynccontextmanager
    async def follow(
        self, cursor: str = "", key: dict[str, str] | None = None, **query: str
    ) -> AsyncGenerator[AsyncIterator[Frame]]:
        """The events of a stream that was opened; the frame that says so comes first."""
        headers = dict(key or await self.key(f"follower {self.said} {id(query)}"))
        if cursor:
            headers["Last-Event-ID"] = cursor
        async with self.client.stream("GET", "/events", params=query, headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            yield frames(answer)

    async def refusal(self, **query: str) -> tuple[int, str]:
        key = await self.key(f"refused {id(query)}")
        answer = await self.client.get("/events", params=query, headers=key)
        return answer.status_code, answer.json()["error"]["cause"]

    def silent(self, key: dict[str, str], receive_bytes: int = 2048) -> socket.socket:
        """A client that asked for the stream and reads nothing."""
        stream = socket.socket()
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        stream.connect(("127.0.0.1", self.port))
        lines = ["GET /events HTTP/1.1", f"Host: 127.0.0.1:{self.port}"]
        lines += [f"{name}: {value}" for name, value in key.items()]
        stream.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return stream

    async def followers(self, count: int, within_s: float = 5) -> None:
        """Wait until exactly so many follow."""
        with anyio.fail_after(within_s):
            while len(self.app.core.feed) != count:  # noqa: ASYNC110 - a socket's end has no event
                await anyio.sleep(0.01)


async def frames(answer: httpx2.Response) -> AsyncIterator[Frame]:
    """As an EventSource reads them: what has no data moves the id only."""
    fields: dict[str, str] = {}
    async for line in answer.aiter_lines():
        if line:
            name, _, value = line.partition(":")
            fields[name] = value.removeprefix(" ")
        elif fields:
            if "data" in fields:
                data = json.loads(fields["data"])
                yield Frame(fields.get("id", ""), fields.get("event", "message"), data)
            elif "id" in fields:
                yield Frame(fields["id"], "", None)
            fields = {}


async def seqs(stream: AsyncIterator[Frame], count: int) -> list[int]:
    """The seqs of the next events that are not about the stream itself."""
    found: list[int] = []
    with anyio.fail_after(15):
        while len(found) < count:
            frame = await anext(stream)
            if frame.type and not frame.type.startswith("stream."):
                found.append(frame.seq)
    return found


@asynccontextmanager
async def served(home: Path) -> AsyncGenerator[Office]:
    settings = Settings.load(home=home, port=0)
    async with open_app(settings) as app:
        with bind_tcp("127.0.0.1", 0, must=True) as bound:
            port = bound.getsockname()[1]
            app.core.address.listens(port)
            config = uvicorn.Config(
                app.web, log_config=None, lifespan="off", timeout_graceful_shutdown=1
            )
            server = uvicorn.Server(config)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(server.serve, [bound])
                async with httpx2.AsyncClient(
                    base_url=f"http://127.0.0.1:{port}", timeout=20
                ) as client:
                    yield Office(app, port, client)
                app.core.feed.close()
                server.should_exit = True
