"""JSON-RPC over a stream of bytes: every line is answered or served, none is lost in silence."""

import json
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

import anyio
import pytest
from anyio.abc import SocketStream
from mcp.shared.message import SessionMessage
from mcp.types import JSONRPCNotification, JSONRPCRequest, JSONRPCResponse

from messengers.mcp_server.frames import Frames, Incoming, Outgoing

MAX_BYTES = 1_000
OpenFrames = Callable[..., AbstractAsyncContextManager["Ends"]]


class Ends:
    """Both ends of one connection: the client's bytes, the server's messages."""

    def __init__(
        self, client: SocketStream, frames: Frames, incoming: Incoming, outgoing: Outgoing
    ) -> None:
        self.client = client
        self.frames = frames
        self.incoming = incoming
        self.outgoing = outgoing
        self._buffer = b""

    async def line(self) -> dict[str, object]:
        with anyio.fail_after(5):
            while b"\n" not in self._buffer:
                self._buffer += await self.client.receive()
        line, self._buffer = self._buffer.split(b"\n", 1)
        return json.loads(line)

    async def refusal(self, sent: bytes) -> tuple[object, object]:
        """(code, id) that a line is answered with."""
        await self.client.send(sent + b"\n")
        answer = await self.line()
        assert set(answer) == {"jsonrpc", "id", "error"}
        return cast("dict[str, object]", answer["error"])["code"], answer["id"]

    async def message(self) -> SessionMessage:
        with anyio.fail_after(5):
            found = await self.incoming.receive()
        assert isinstance(found, SessionMessage)
        return found

    async def answer(self, request: int | str) -> None:
        await self.outgoing.send(
            SessionMessage(JSONRPCResponse(jsonrpc="2.0", id=request, result={}))
        )


@pytest.fixture
def open_frames() -> OpenFrames:
    @asynccontextmanager
    async def opened(first: bytes = b"") -> AsyncGenerator[Ends]:
        ours, theirs = socket.socketpair()
        client = await SocketStream.from_socket(theirs)
        async with await SocketStream.from_socket(ours) as stream, client:
            frames = Frames(stream, MAX_BYTES, first)
            async with frames.open() as (incoming, outgoing):
                yield Ends(client, frames, incoming, outgoing)

    return opened


def request(id_: object, method: str = "ping", **params: object) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": id_, "method": method, "params": params}).encode()


@pytest.mark.case("S10", "S12")
@pytest.mark.parametrize(
    "sent",
    [b"{bad", b'"\\ud800"', b"\xff\xfe", b"[" * 900, b'{"id": NaN}', b"{} {}", b"'", b"\x00"],
)
async def test_what_is_no_json_is_a_parse_error(open_frames: OpenFrames, sent: bytes) -> None:
    async with open_frames() as ends:
        assert await ends.refusal(sent) == (-32700, None)


@pytest.mark.case("S10")
@pytest.mark.parametrize(
    ("sent", "id_"),
    [
        (b"[]", None),
        (b"7", None),
        (b"[" + request(1) + b"]", None),
        (b'{"jsonrpc": "2.0", "id": 5}', 5),
        (b'{"jsonrpc": "1.0", "id": "x", "method": "ping"}', "x"),
        (b'{"jsonrpc": "2.0", "id": 5, "method": "ping", "params": [1]}', 5),
        (b'{"jsonrpc": "2.0", "id": 5, "error": "x"}', 5),
    ],
)
async def test_what_is_no_request_is_told_so_under_its_id(
    open_frames: OpenFrames, sent: bytes, id_: object
) -> None:
    async with open_frames() as ends:
        assert await ends.refusal(sent) == (-32600, id_)


@pytest.mark.case("S12")
@pytest.mark.parametrize("size", [MAX_BYTES + 1, 70_000, 300_000])
async def test_a_line_too_long_is_dropped_and_the_next_one_served(
    open_frames: OpenFrames, size: int
) -> None:
    async with open_frames() as ends, anyio.create_task_group() as tasks:
        tasks.start_soon(ends.client.send, b"x" * size + b"\n" + request(2) + b"\n")

        assert (await ends.line())["id"] is None
        served = (await ends.message()).message
        assert isinstance(served, JSONRPCRequest)
        assert served.id == 2


async def test_the_longest_line_is_served(open_frames: OpenFrames) -> None:
    padding = MAX_BYTES - len(request(1, text=""))
    async with open_frames() as ends:
        await ends.client.send(request(1, text="x" * padding) + b"\n")

        assert isinstance((await ends.message()).message, JSONRPCRequest)


async def test_a_line_too_long_may_also_be_the_last(open_frames: OpenFrames) -> None:
    async with open_frames() as ends:
        await ends.client.send(b"x" * (MAX_BYTES + 1))
        await ends.client.send_eof()

        assert (await ends.line())["id"] is None
        with pytest.raises(anyio.EndOfStream):
            await ends.incoming.receive()


async def test_what_came_before_the_stream_counts(open_frames: OpenFrames) -> None:
    async with open_frames(b"\n  \n" + request(1) + b"\n" + request(2)[:10]) as ends:
        await ends.client.send(request(2)[10:] + b"\r\n")
        first, second = await ends.message(), await ends.message()

    assert isinstance(first.message, JSONRPCRequest)
    assert isinstance(second.message, JSONRPCRequest)
    assert (first.message.id, second.message.id) == (1, 2)


async def test_answers_and_notifications_of_a_client_pass(open_frames: OpenFrames) -> None:
    async with open_frames() as ends:
        await ends.client.send(b'{"jsonrpc": "2.0", "method": "notifications/initialized"}\n')
        await ends.client.send(b'{"jsonrpc": "2.0", "id": 7, "result": {}}\n')

        assert isinstance((await ends.message()).message, JSONRPCNotification)
        assert isinstance((await ends.message()).message, JSONRPCResponse)


async def test_it_is_quiet_once_every_request_is_answered(open_frames: OpenFrames) -> None:
    async with open_frames() as ends:
        for id_ in (1, "1"):
            await ends.client.send(request(id_) + b"\n")
            await ends.message()
        await ends.answer(1)
        await ends.line()
        with anyio.move_on_after(0.1) as waiting:
            await ends.frames.answered()
        await ends.answer("1")
        with anyio.fail_after(5):
            await ends.frames.answered()

    assert waiting.cancelled_caught


async def test_what_never_ends_and_what_is_cancelled_is_not_waited_for(
    open_frames: OpenFrames,
) -> None:
    cancel = {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}
    async with open_frames() as ends:
        await ends.client.send(request(1, "subscriptions/listen") + b"\n" + request(2) + b"\n")
        await ends.client.send(json.dumps(cancel).encode() + b"\n")
        for _ in range(3):
            await ends.message()
        with anyio.fail_after(5):
            await ends.frames.answered()


async def test_a_client_that_closed_its_side_still_gets_its_answer(
    open_frames: OpenFrames,
) -> None:
    async with open_frames() as ends:
        await ends.client.send(request(1) + b"\n")
        await ends.client.send_eof()
        await ends.message()
        await ends.answer(1)

        assert (await ends.line())["id"] == 1
        with anyio.fail_after(5), pytest.raises(anyio.EndOfStream):
            await ends.incoming.receive()


async def test_a_client_that_is_gone_is_no_error(open_frames: OpenFrames) -> None:
    async with open_frames() as ends:
        await ends.client.send(request(1) + b"\n{bad\n")
        await ends.message()
        await ends.client.aclose()
        for _ in range(3):
            await ends.answer(1)

        with anyio.fail_after(5), pytest.raises(anyio.EndOfStream):
            await ends.incoming.receive()
