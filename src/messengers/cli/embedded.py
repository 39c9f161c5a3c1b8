"""`messengers stdio --embedded`: daemon and client in one process, under the same lock."""

import os
from collections.abc import Callable, Mapping
from typing import Any

import anyio
from anyio import to_thread
from anyio.abc import ByteStream

from messengers.cli.running import run_daemon
from messengers.settings import Settings

__all__ = ["StandardStream", "serve_embedded"]


def serve_embedded(options: Mapping[str, str]) -> int:
    """Serve MCP on standard input and output until the client closes them."""
    return run_daemon(
        lambda: Settings.load(
            home=options.get("--home"),
            preset=options.get("--preset"),
            toolsets=options.get("--toolsets"),
        ),
        by_client=True,
        stream=StandardStream(),
    )


class StandardStream(ByteStream):
    """This process's standard input and output as one stream.

    Descriptor 1 is kept for the protocol and pointed at stderr for everybody else: what a library
    or a child process prints must not stand between two messages.
    """

    def __init__(self) -> None:
        self._in = os.dup(0)
        self._out = os.dup(1)
        os.dup2(2, 1)

    async def receive(self, max_bytes: int = 65_536) -> bytes:
        """Raises EndOfStream when the client closed its side."""
        # In a thread, because standard input may be a file, which no event loop can wait for.
        data = await to_thread.run_sync(os.read, self._in, max_bytes, abandon_on_cancel=True)
        if not data:
            raise anyio.EndOfStream
        return data

    async def send(self, item: bytes) -> None:
        """Raises BrokenResourceError when the client no longer reads."""
        await to_thread.run_sync(self._write, item)

    async def send_eof(self) -> None:
        """The client sees the end when the process ends."""

    async def aclose(self) -> None:
        """Nothing: the descriptors live as long as the process."""

    @property
    def extra_attributes(self) -> Mapping[Any, Callable[[], Any]]:
        return {}

    def _write(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._out, data) :]
        except OSError as exc:
            raise anyio.BrokenResourceError from exc
