"""Messengers in processes of its own, whose workers talk to a fake WhatsApp."""

import json
import sqlite3
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from mcp import Client, StdioServerParameters
from mcp.types import CallToolResult

from messengers.home import child_environment
from tests.fakes.whatsapp_web import FakeWhatsApp
from tests.fakes.whatsapp_web.devices import Account, Companion
from tests.mcp_server.conftest import Owner, text_of
from tests.process.conftest import control_of
from tests.providers.whatsapp_web.conftest import MODULE

__all__ = ["House", "act"]

PLANTED = {"OPENAI_API_KEY": "sk-of-another-program", "MESSENGERS_TIMEZONE": "Europe/Riga"}
"""What the environment of a daemon holds and that of a worker must not."""
_STARTER = """
import json, sys
from messengers.providers.whatsapp_web import process
process.COMMAND = json.loads(sys.argv.pop(1))
from messengers.__main__ import main
main()
"""
_START_S = 30


@dataclass
class House:
    """A data directory, and what its owner does there."""

    folder: Path
    wa: FakeWhatsApp

    @property
    def home(self) -> Path:
        return self.folder / "home"

    @property
    def environment(self) -> dict[str, str]:
        """Whatever is connected to is reached through the fake's proxy, or not at all."""
        kept = child_environment().items()
        ours = {name: value for name, value in kept if not name.startswith(("XDG_", "MESSENGERS_"))}
        return {**ours, **PLANTED, "HOME": str(self.folder), "HTTPS_PROXY": self.wa.proxy_url}

    def command(self, *arguments: str) -> list[str]:
        """`messengers …` whose workers trust the fake."""
        workers = json.dumps(self.wa.command(MODULE))
        return [sys.executable, "-c", _STARTER, workers, *arguments, "--home", str(self.home)]

    @asynccontextmanager
    async def daemon(self) -> AsyncGenerator[Process]:
        """One that is ready; it is stopped at the end if it still runs."""
        command = self.command("serve", "--port", "0")
        async with await anyio.open_process(command, env=self.environment) as process:
            try:
                assert process.stdout is not None
                with anyio.fail_after(_START_S):
                    ready = await process.stdout.receive()
                assert ready.startswith(b"Messengers is ready: http://")
                yield process
            finally:
                with suppress(ProcessLookupError):
                    process.terminate()

    @asynccontextmanager
    async def client(self, *options: str) -> AsyncGenerator[Client]:
        """An MCP client over stdio, whose user agrees to everything."""
        line = ["-m", "messengers", "stdio", "--preset", "admin", "--home", str(self.home)]
        server = StdioServerParameters(
            command=sys.executable, args=[*line, *options], env=self.environment
        )
        agreeing = Owner.chooses("once")
        async with Client(server, elicitation_callback=agreeing.decide) as client:
            yield client

    async def link(self, account: Account) -> Companion:
        """An instance without pauses, linked by a phone."""
        body: dict[str, object] = {"provider": "whatsapp_web", "name": "wa", "confirm": "never"}
        async with control_of(self.home) as control:
            made = await control.post("/instances", json={**body, "wait_s": 0})
            assert made.is_success, made.text
            await control.patch("/instances/wa", json={"pacing": "off"})
            step = (await control.post("/instances/wa/login", json={})).json()
            companion = await self.wa.scan_qr(step["text"], account)
            await control.post("/instances/wa/connect", json={"wait_s": 20})
        return companion

    def stored(self, query: str) -> list[tuple[Any, ...]]:
        """What the store of this data directory holds, seen from outside."""
        place = f"file:{self.home / 'messengers.db'}?mode=ro"
        with closing(sqlite3.connect(place, uri=True, timeout=5)) as connection:
            return connection.execute(query).fetchall()


async def act(client: Client, tool: str, **arguments: object) -> CallToolResult:
    """A call that must succeed."""
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, text_of(result)
    return result
