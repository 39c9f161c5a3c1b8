"""The canary over the whole suite: whatever is a secret in a test stands in nothing it leaves.

Secrets are those the product itself registers while a test runs (credentials, keys, the local
key), and the ones planted in the environment for the whole session. Searched after each test: the
log, every answer over HTTP and MCP, and every file below its directories but the two key files.
"""

import io
import logging
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp.server import ServerRequestContext
from mcp.server.context import CallNext, HandlerResult

from messengers import redaction
from messengers.logs import configure
from messengers.mcp_server import gate, server
from messengers.mcp_server.transports import Surface

__all__ = ["Canary", "canary"]

PLANTED = {
    "OPENAI_API_KEY": "sk-canary-7fQ2xV9bK4mT8wZ1",
    "CANARY_TOKEN": "canary-5tR8yU3iO6pA1sD4",
    "AWS_SECRET_ACCESS_KEY": "canary/9gH2jK5lZ8xC1vB4+nM7",
}
KEY_FILES = {"local.key", "secret.key"}
SHORTEST = 12
_MAX_FILE_BYTES = 64 * 1024 * 1024


@dataclass
class Canary:
    """What one test gave away."""

    known: frozenset[str]
    """What was registered before it began."""
    log: io.StringIO
    answers: list[str] = field(default_factory=list[str])

    def secrets(self) -> list[bytes]:
        """This test's own and the planted ones."""
        new = redaction._registered._forms - self.known  # pyright: ignore[reportPrivateUsage] - a test looks inside
        return [each.encode() for each in (*new, *PLANTED.values()) if len(each) >= SHORTEST]

    def found(self, directory: Path | None) -> list[str]:
        """Where a secret stands; nothing of it is repeated."""
        places: dict[str, bytes] = {
            "the log": self.log.getvalue().encode("utf-8", "replace"),
            "an answer": "\n".join(self.answers).encode("utf-8", "replace"),
        }
        for file in sorted(directory.rglob("*")) if directory else ():
            if file.name not in KEY_FILES and file.is_file() and not file.is_symlink():
                with file.open("rb") as stream:
                    places[file.name] = stream.read(_MAX_FILE_BYTES)
        secrets = self.secrets()
        return [place for place, data in places.items() if any(each in data for each in secrets)]


@pytest.fixture(autouse=True)
def canary(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Canary]:
    """Watches a test; a secret that got out fails it."""
    log = io.StringIO()
    configure("debug", stream=log)
    known = frozenset(redaction._registered._forms)  # pyright: ignore[reportPrivateUsage] - a test looks inside
    watching = Canary(known, log)
    for name, value in PLANTED.items():
        monkeypatch.setenv(name, value)
    for owner, name in ((sys, "excepthook"), (sys, "unraisablehook"), (threading, "excepthook")):
        # What the product sets for its process must not outlive a test.
        monkeypatch.setattr(owner, name, getattr(owner, name))
    _listen(watching, monkeypatch)
    yield watching
    configure("warning", stream=None)
    logging.captureWarnings(capture=False)
    directory: object = request.node.funcargs.get("tmp_path")
    found = watching.found(directory if isinstance(directory, Path) else None)
    # What the product registers for its process would slow down each test after it.
    redaction._registered._forms = set(known)  # pyright: ignore[reportPrivateUsage] - a test looks inside
    assert not found, f"A secret of this test stands in {', '.join(found)}."


def _listen(watching: Canary, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep what servers answer. The control socket is the owner's, who is shown a new key there."""
    async_read, read = httpx2.Response.aread, httpx2.Response.read

    def keep(response: httpx2.Response, content: bytes) -> bytes:
        request: httpx2.Request | None = getattr(response, "_request", None)
        if request is None or request.url.host != "messengers":
            watching.answers.append(f"{response.headers!r} {content.decode('utf-8', 'replace')}")
        return content

    async def heard_async(response: httpx2.Response) -> bytes:
        return keep(response, await async_read(response))

    def heard(response: httpx2.Response) -> bytes:
        return keep(response, read(response))

    async def answered(
        ctx: ServerRequestContext[Surface, Any], call_next: CallNext
    ) -> HandlerResult:
        result = await gate.shape(ctx, call_next)
        watching.answers.append(repr(result))
        return result

    monkeypatch.setattr(httpx2.Response, "aread", heard_async)
    monkeypatch.setattr(httpx2.Response, "read", heard)
    monkeypatch.setattr(server, "shape", answered)
