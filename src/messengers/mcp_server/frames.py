"""MCP over a stream of bytes: one JSON-RPC message a line, read strictly.

The SDK's own reader gives no answer at all to broken JSON, batches, invalid UTF-8 or deep nesting,
and takes lines of any length. This one answers each with an error.
"""

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import anyio
from anyio.abc import ByteStream
from mcp.shared._context_streams import (
    ContextReceiveStream,
    ContextSendStream,
    create_context_streams,
)
from mcp.shared.message import SessionMessage
from mcp.types import (
    JSONRPCError,
    JSONRPCNotification,
    JSONRPCRequest,
    JSONRPCResponse,
    RequestId,
    jsonrpc_message_adapter,
)
from pydantic import ValidationError

from messengers.errors import InvalidInput
from messengers.wire import INVALID_REQUEST, PARSE_ERROR, fault, parse, request_fault

__all__ = ["Frames", "Incoming", "Outgoing"]

_CHUNK = 65_536
_ENDLESS = "subscriptions/listen"
_CANCELLED = "notifications/cancelled"
_GRACE_S = 1.0
"""How long a client that closed its side is still given the answers it asked for."""

Incoming = ContextReceiveStream[SessionMessage | Exception]
Outgoing = ContextSendStream[SessionMessage]


class Frames:
    """The messages of one connection, both ways."""

    def __init__(self, stream: ByteStream, max_line_bytes: int, first: bytes = b"") -> None:
        self._stream = stream
        self._buffer = bytearray(first)
        self._max_line_bytes = max_line_bytes
        self._sending = anyio.Lock()
        self._unanswered: set[RequestId] = set()
        self._quiet = anyio.Event()
        self._quiet.set()
        self._greeted = anyio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[tuple[Incoming, Outgoing]]:
        """The streams that the SDK's loop drives; ends with it."""
        to_server, incoming = create_context_streams[SessionMessage | Exception](0)
        outgoing, from_server = create_context_streams[SessionMessage](0)
        async with incoming, outgoing, anyio.create_task_group() as tasks:
            tasks.start_soon(self._receive, to_server)
            tasks.start_soon(self._send, from_server)
            yield incoming, outgoing
            tasks.cancel_scope.cancel()

    async def greeted(self) -> None:
        """Wait until the client was given its first answer: before, nothing may be sent to it."""
        await self._greeted.wait()

    async def notify(self, method: str, params: Mapping[str, object]) -> None:
        """Send a notification that the SDK has no face for."""
        message = JSONRPCNotification(jsonrpc="2.0", method=method, params=dict(params))
        await self._write(message.model_dump_json(by_alias=True, exclude_unset=True).encode())

    async def answered(self) -> None:
        """Wait until every request that has an end got its answer."""
        await self._quiet.wait()

    async def _receive(self, to_server: "ContextSendStream[SessionMessage | Exception]") -> None:
        async with to_server:
            try:
                while (line := await self._line()) is not None:
                    message = await self._understood(line)
                    if message is not None:
                        self._expect(message)
                        await to_server.send(message)
                with anyio.move_on_after(_GRACE_S):
                    await self.answered()
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                # The connection or the loop is gone, and with it everyone who could be told.
                return

    async def _send(self, from_server: "ContextReceiveStream[SessionMessage]") -> None:
        async with from_server:
            async for item in from_server:
                message = item.message
                text = message.model_dump_json(by_alias=True, exclude_unset=True)
                await self._write(text.encode())
                if isinstance(message, JSONRPCResponse | JSONRPCError):
                    self._greeted.set()
                    self._settle(message.id)

    async def _line(self) -> bytes | None:
        """The next line that is not longer than allowed; None at the end of the stream."""
        while True:
            end = self._buffer.find(b"\n")
            if end > self._max_line_bytes or (end < 0 and len(self._buffer) > self._max_line_bytes):
                await self._skip()
                limit = f"A message may have {self._max_line_bytes} bytes."
                await self._write(fault(INVALID_REQUEST, limit))
            elif end >= 0:
                line = bytes(self._buffer[:end])
                del self._buffer[: end + 1]
                if line.strip():
                    return line
            elif not await self._fill():
                return None

    async def _skip(self) -> None:
        """Drop the rest of a line without keeping it."""
        while (end := self._buffer.find(b"\n")) < 0:
            self._buffer.clear()
            if not await self._fill():
                return
        del self._buffer[: end + 1]

    async def _fill(self) -> bool:
        try:
            self._buffer += await self._stream.receive(_CHUNK)
        except anyio.EndOfStream:
            return False
        return True

    async def _understood(self, line: bytes) -> SessionMessage | None:
        try:
            value = parse(line)
        except InvalidInput as exc:
            await self._write(fault(PARSE_ERROR, exc.cause))
            return None
        why = request_fault(value)
        try:
            if not why:
                return SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
        except ValidationError:
            why = "This is no JSON-RPC message."
        await self._write(fault(INVALID_REQUEST, why, value))
        return None

    def _expect(self, item: SessionMessage) -> None:
        message = item.message
        if isinstance(message, JSONRPCRequest) and message.method != _ENDLESS:
            self._unanswered.add(message.id)
            if self._quiet.is_set():
                self._quiet = anyio.Event()
        elif isinstance(message, JSONRPCNotification) and message.method == _CANCELLED:
            # What a client cancelled is never answered.
            self._settle((message.params or {}).get("requestId"))

    def _settle(self, request: object) -> None:
        if isinstance(request, str | int):
            self._unanswered.discard(request)
        if not self._unanswered:
            self._quiet.set()

    async def _write(self, data: bytes) -> None:
        # One line at a time: both the loop's answers and our own refusals end up here.
        async with self._sending:
            try:
                await self._stream.send(data + b"\n")
            except (anyio.BrokenResourceError, anyio.ClosedResourceError):
                # The client left; reading finds out and ends the session.
                return
