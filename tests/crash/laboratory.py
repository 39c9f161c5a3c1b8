"""The crash laboratory: a real daemon, killed for real, and a messenger that keeps a ledger."""

import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio
import httpx2
from anyio.abc import Process

from messengers.lock import recorded
from tests.crash.daemon import FUSE
from tests.fakes.ledger import Kind
from tests.fakes.ledger_book import Ledger
from tests.programs import ROOT

__all__ = ["KINDS", "Lab"]

KINDS: tuple[Kind, ...] = ("keyed", "plain", "noted")
_PATHS = (ROOT / "tests" / "crash" / "site", ROOT)
_META: dict[str, object] = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": dict[str, object](),
}
_PATIENCE_S = 60.0
_GLANCE_S = 0.05


@dataclass
class Lab:
    """A home, its daemon, and the accounts in it."""

    home: Path
    book: Ledger
    client: httpx2.AsyncClient
    process: Process | None = None
    kills: int = 0
    calls: int = 0
    up: anyio.Event = field(default_factory=anyio.Event)

    @property
    def fuse(self) -> Path:
        """What the daemon dies of; see `tests/crash/daemon.py`."""
        return self.home.with_name("fuse")

    async def start(self) -> float:
        """A daemon of its own process; the moment it was ready."""
        inherited = {
            name: value
            for name, value in os.environ.items()  # noqa: TID251 - to run programs as from a shell
            if not name.startswith(("MESSENGERS_", "XDG_"))
        }
        path = os.pathsep.join(map(str, _PATHS))
        own = {"HOME": str(self.home.parent), "PYTHONPATH": path, FUSE: str(self.fuse)}
        serve = ["serve", "--home", str(self.home), "--port", "0"]
        self.process = await anyio.open_process(
            [sys.executable, "-m", "tests.crash.daemon", *serve],
            env={**inherited, **own},
            stderr=None,
        )
        assert self.process.stdout is not None
        with anyio.fail_after(_PATIENCE_S):
            assert b"ready" in await self.process.stdout.receive()
        self.up.set()
        return anyio.current_time()

    async def kill(self) -> None:
        """SIGKILL, by its id."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        await self.dead()

    async def dead(self) -> None:
        """Wait until it is no more."""
        assert self.process is not None
        with anyio.fail_after(_PATIENCE_S):
            assert await self.process.wait() == -signal.SIGKILL
        self.up = anyio.Event()
        await self.process.aclose()
        self.process = None
        self.kills += 1

    async def stop(self) -> None:
        """As its owner does, if it runs."""
        if self.process is not None:
            self.process.terminate()
            assert await self.process.wait() == 0
            await self.process.aclose()
            self.process = None

    async def ask(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """A question of the owner's."""
        transport = httpx2.AsyncHTTPTransport(uds=str(recorded(self.home)["control"]))
        async with httpx2.AsyncClient(transport=transport, base_url="http://messengers") as client:
            answer = await client.request(method, path, json=body, timeout=_PATIENCE_S)
        assert answer.is_success, answer.text
        return answer.json()

    async def connect(self, *kinds: Kind) -> None:
        """An account of each kind, in which an agent may write to anybody."""
        for kind in kinds:
            body = {"provider": f"ledger_{kind}", "name": kind, "confirm": "never"}
            await self.ask("POST", "/instances", {**body, "endpoints": {"api": self.book.url}})

    async def call(self, tool: str, **arguments: object) -> dict[str, Any]:
        """The result of a tool over HTTP. Raises TransportError when the daemon is gone."""
        key = (self.home / "local.key").read_text("ascii").strip()
        headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "tools/call",
            "Mcp-Name": tool,
        }
        self.calls += 1
        params = {"name": tool, "arguments": arguments, "_meta": _META}
        body = {"jsonrpc": "2.0", "id": self.calls, "method": "tools/call", "params": params}
        url = f"{recorded(self.home)['url']}/mcp"
        answer = await self.client.post(url, json=body, headers=headers)
        lines = answer.text.splitlines()
        found = [line.removeprefix("data: ") for line in lines if line.startswith(("data: {", "{"))]
        return json.loads(found[-1])["result"]

    async def insist(self, kind: Kind, chat: str, text: str) -> dict[str, Any]:
        """Send under a key of its own, and repeat the call until it is answered."""
        arguments = {"chat": f"to:{chat}", "instance": kind, "text": text, "wait_s": 0}
        while True:
            await self.up.wait()
            try:
                result = await self.call("send_message", client_ref=f"{kind} {text}", **arguments)
            except (httpx2.TransportError, KeyError, IndexError, FileNotFoundError):
                await anyio.sleep(_GLANCE_S)  # killed meanwhile
                continue
            if result.get("isError"):
                told = result["content"][0]["text"]
                assert "Nothing was sent." in told, told
                await anyio.sleep(_GLANCE_S)  # its account is not connected yet
                continue
            return result["structuredContent"]

    def rows(self, sql: str, *values: str) -> Sequence[tuple[Any, ...]]:
        """What the database says."""
        uri = f"{(self.home / 'messengers.db').as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=10)) as connection:
            return connection.execute(sql, values).fetchall()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Look until it is so: the process that knows it is another one."""
        with anyio.fail_after(_PATIENCE_S):
            while True:
                if is_so():
                    return
                await anyio.sleep(_GLANCE_S)

    def count(self, what: str) -> int:
        """How many rows of the database are so."""
        return int(self.rows(f"SELECT count(*) FROM {what}")[0][0])  # noqa: S608 - our own words

    async def settled(self) -> None:
        """Wait until nothing is to be sent or understood any more."""
        await self.until(lambda: not self.count("outbox WHERE state IN ('queued', 'claimed')"))
        await self.until(lambda: self.book.offset >= len(self.book.said))
        await self.until(lambda: not self.count("inbound WHERE state = 'new'"))

    def states(self, kind: Kind) -> dict[str, str]:
        """Text to the state of its outbox row, for one account."""
        found = self.rows(
            "SELECT m.text, o.state FROM outbox o JOIN message m ON m.id = o.message_id"
            " JOIN instance i ON i.id = o.instance_id WHERE i.name = ?",
            kind,
        )
        assert len(found) == len({text for text, _ in found})
        return dict(found)

    def check(self) -> None:
        """I5 and I6: a whole database, and of what people wrote all, and each once."""
        assert self.rows("PRAGMA integrity_check") == [("ok",)]
        stored = self.rows("SELECT native_id, text FROM message WHERE direction = 'in'")
        assert sorted(stored) == sorted((each["id"], each["text"]) for each in self.book.said)
        assert self.book.gaps == 0
