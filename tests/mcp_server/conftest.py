"""MCP clients of a running core, in both protocol eras, with and without an owner at the form."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from mcp import Client
from mcp.client.session import ClientRequestContext
from mcp.types import CallToolResult, ElicitRequestParams, ElicitResult, TextContent

from messengers.mcp_server.server import build_server
from messengers.models import Preset, Toolset
from tests.core.conftest import House, house, open_house
from tests.mcp_server.ways import WAYS

__all__ = ["ERAS", "Connect", "Owner", "connect", "era", "house", "open_house", "text_of", "way"]


@dataclass
class Owner:
    """Somebody at the client who answers forms, and remembers what they showed."""

    answer: ElicitResult
    questions: list[str] = field(default_factory=list[str])

    async def decide(
        self, context: ClientRequestContext, params: ElicitRequestParams
    ) -> ElicitResult:
        del context
        self.questions.append(params.message)
        return self.answer

    @classmethod
    def chooses(cls, decision: str) -> "Owner":
        return cls(ElicitResult(action="accept", content={"decision": decision}))


ERAS = ("auto", "legacy")
"""2026-07-28 without a handshake, and everything before with one."""
Connect = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def era() -> str:
    """2026-07-28 without a handshake; a module may parametrize it with `ERAS`."""
    return "auto"


@pytest.fixture
def way() -> str:
    """How the client reaches the server; a module may parametrize it with `WAYS`."""
    return "memory"


@pytest.fixture
def connect(house: House, era: str, way: str, tmp_path: Path) -> Connect:
    """A client of the house; without an owner it shows no forms."""

    @asynccontextmanager
    async def connected(
        preset: Preset = "setup", owner: Owner | None = None, toolsets: Sequence[Toolset] = ()
    ) -> AsyncGenerator[Client]:
        callback = owner.decide if owner else None
        async with AsyncExitStack() as stack:
            server = (
                build_server(house.core, preset, toolsets)
                if way == "memory"
                else await stack.enter_async_context(
                    WAYS[way](house.core, preset, toolsets, tmp_path)
                )
            )
            client = Client(server, mode=era, elicitation_callback=callback)
            yield await stack.enter_async_context(client)

    return connected


def text_of(result: CallToolResult) -> str:
    """All the text of an answer."""
    return "\n".join(part.text for part in result.content if isinstance(part, TextContent))
