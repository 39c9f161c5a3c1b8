"""Many clients, mutated frames, abrupt ends: everybody gets his own answer, and nothing stays."""

import asyncio
import gc
import json
import os
import random
from collections.abc import Callable
from typing import cast

import anyio
import httpx2
import pytest
from anyio.abc import ByteStream

from messengers import __version__
from tests.process.conftest import INITIALIZE, INITIALIZED, Daemon, tool_call

Answer = dict[str, object]
META: Answer = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": Answer(),
}
LIST = {"jsonrpc": "2.0", "id": 4, "method": "tools/list", "params": {"_meta": META}}
SEEDS = (
    json.dumps(INITIALIZE).encode(),
    json.dumps(INITIALIZED).encode(),
    json.dumps(tool_call("list_chats", 2, limit=5)).encode(),
    json.dumps(tool_call("send_message", 3, chat="c1", text="ж🔥", dry_run=True)).encode(),
    json.dumps(
        {"jsonrpc": "2.0", "id": 4, "method": "tools/list", "params": {"_meta": META}}
    ).encode(),
    b'{"jsonrpc": "2.0", "id": 5, "method": "resources/read", "params": {"uri": "x"}}',
)
TOLD = {-32700, -32600, -32601, -32602, -32603, -32020, -32021, -32022, 0}
Scaled = Callable[[int, int], int]


def mutated(chance: random.Random) -> bytes:
    """A frame as a broken or malicious client might send it: still one line."""
    frame = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(frame))
        match chance.randrange(5):
            case 0:
                frame[at] = chance.randrange(256)
            case 1:
                del frame[at : at + chance.randint(1, 20)]
            case 2:
                frame[at:at] = frame[: chance.randint(1, 30)]
            case 3:
                frame[at:at] = chance.choice((b'"', b"{", b"]", b"\\u0000", b"\\ud800", b"1e999"))
            case _:
                frame[at:at] = bytes(chance.randrange(256) for _ in range(4))
        frame = frame or bytearray(b"{")
    return bytes(frame).replace(b"\n", b"").replace(b"\r", b"")


async def opened(daemon: Daemon) -> ByteStream:
    """A connection past its hello."""
    stream = await anyio.connect_unix(str(daemon.home / "daemon.sock"))
    await stream.send(json.dumps({"messengers": 1, "version": __version__}).encode() + b"\n")
    assert b'"ok":true' in await stream.receive()
    return stream


async def exchanged(stream: ByteStream, sent: bytes, until: str | int) -> list[Answer]:
    """What is answered meanwhile, up to that id or that many. Each line must be JSON."""
    found: list[Answer] = []
    buffer = b""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(stream.send, sent)
        while len(found) != until and not (found and found[-1].get("id") == until):
            buffer += await stream.receive()
            *whole, buffer = buffer.split(b"\n")
            found += [json.loads(line) for line in whole]
    return found


def code_of(answer: Answer) -> object:
    return cast("Answer", answer.get("error", {})).get("code", 0)


class Traces:
    """What a daemon in this process holds: tasks and descriptors."""

    def __init__(self, before: tuple[int, int]) -> None:
        self.before = before

    @classmethod
    async def of(cls, daemon: Daemon) -> "Traces":
        """Counted once it has opened what it opens on first use."""
        async with anyio.create_task_group() as tasks:
            for _ in range(8):
                tasks.start_soon(daemon.ask, "GET", "/status")
        async with await opened(daemon):
            return cls(cls.now())

    @staticmethod
    def now() -> tuple[int, int]:
        return len(asyncio.all_tasks()), len(os.listdir("/proc/self/fd"))

    async def gone(self) -> None:
        """Wait until nothing is left of what came since."""
        gc.collect()
        with anyio.fail_after(10):
            while any(now > then for now, then in zip(self.now(), self.before, strict=True)):
                await anyio.lowlevel.checkpoint()


@pytest.mark.case("S10")
@pytest.mark.timeout(60)
async def test_mutated_frames_over_a_stream_are_answered_and_leave_nothing(
    daemon: Daemon, scaled: Scaled
) -> None:
    traces = await Traces.of(daemon)
    end = json.dumps({"jsonrpc": "2.0", "id": "end", "method": "no/such"}).encode() + b"\n"
    for seed in range(scaled(20, 40)):
        chance = random.Random(seed)
        async with await opened(daemon) as stream:
            frames = [mutated(chance) for _ in range(scaled(100, 250))]
            with anyio.fail_after(20):
                answers = await exchanged(stream, b"\n".join(frames) + b"\n" + end, "end")
        assert {code_of(answer) for answer in answers} <= TOLD, f"seed {seed}"
    await traces.gone()


@pytest.mark.case("S10")
@pytest.mark.timeout(60)
async def test_mutated_bodies_over_http_are_refused_and_leave_nothing(
    daemon: Daemon, scaled: Scaled
) -> None:
    headers = {
        "Authorization": f"Bearer {await daemon.key()}",
        "Content-Type": "application/json",
        "Accept": "application/json, text/event-stream",
    }
    modern = {**headers, "MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/list"}
    chance = random.Random(7)
    statuses: set[int] = set()
    async with httpx2.AsyncClient(base_url=daemon.url, timeout=20) as client:
        for _ in range(scaled(300, 2_500)):
            body = mutated(chance)
            for sent in (headers, modern):
                async with client.stream("POST", "/mcp", content=body, headers=sent) as answer:
                    statuses.add(answer.status_code)
        assert (await client.get("/health")).status_code == 200

    assert statuses <= {200, 202, 400, 404, 405, 406, 415}


@pytest.mark.case("S10")
@pytest.mark.timeout(60)
async def test_abrupt_ends_leave_nothing(daemon: Daemon, scaled: Scaled) -> None:
    key = await daemon.key()
    traces = await Traces.of(daemon)
    head = f"POST /mcp HTTP/1.1\r\nHost: {daemon.url[7:]}\r\nAuthorization: Bearer {key}\r\n"
    body = json.dumps(INITIALIZE)
    request = (
        f"{head}Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
    chance = random.Random(11)
    host, port = daemon.url[7:].split(":")
    for _ in range(scaled(100, 500)):
        async with await anyio.connect_tcp(host, int(port)) as stream:
            await stream.send(request[: chance.randrange(1, len(request))])
        async with await opened(daemon) as stream:
            await stream.send(json.dumps(INITIALIZE).encode()[: chance.randrange(1, 120)])
    await traces.gone()
    async with httpx2.AsyncClient(base_url=daemon.url, timeout=20) as client:
        assert (await client.get("/health")).status_code == 200


@pytest.mark.case("S09")
@pytest.mark.timeout(60)
async def test_equal_request_ids_of_many_streams_do_not_mix(daemon: Daemon, scaled: Scaled) -> None:
    clients, calls = scaled(20, 50), scaled(40, 200)
    wrong: list[object] = []

    async def one(client: int) -> None:
        async with await opened(daemon) as stream:
            sent = b"".join(
                json.dumps(echo(number, f"client/{client}/{number}")).encode() + b"\n"
                for number in range(calls)
            )
            found = await exchanged(stream, sent, calls)
            wrong.extend(
                answer for answer in found if said(answer) != f"client/{client}/{answer['id']}"
            )

    async with anyio.create_task_group() as all_of_them:
        for client in range(clients):
            all_of_them.start_soon(one, client)

    assert wrong == []


@pytest.mark.case("S09")
@pytest.mark.timeout(60)
async def test_equal_request_ids_of_many_sessions_do_not_mix(
    daemon: Daemon, scaled: Scaled
) -> None:
    clients, calls = scaled(8, 50), scaled(15, 200)
    key = await daemon.key()
    wrong: list[object] = []

    async def one(client: int) -> None:
        headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json, text/event-stream",
        }
        async with httpx2.AsyncClient(base_url=daemon.url, headers=headers, timeout=30) as http:
            first = await http.post("/mcp", json=INITIALIZE)
            session = {"Mcp-Session-Id": first.headers["mcp-session-id"]}
            assert len(session["Mcp-Session-Id"]) >= 32
            await http.post("/mcp", json=INITIALIZED, headers=session)
            for number in range(calls):
                nonce = f"client/{client}/{number}"
                answer = await http.post("/mcp", json=echo(number, nonce), headers=session)
                if nonce not in answer.text:
                    wrong.append(answer.text)

    async with anyio.create_task_group() as all_of_them:
        for client in range(clients):
            all_of_them.start_soon(one, client)

    assert wrong == []


def echo(number: int, nonce: str) -> Answer:
    """An unknown method: its name is all that an answer repeats."""
    return {"jsonrpc": "2.0", "id": number, "method": nonce}


def said(answer: Answer) -> object:
    return cast("Answer", answer.get("error", {})).get("data")


@pytest.mark.case("S11")
async def test_headers_that_contradict_the_body_stop_the_call(daemon: Daemon) -> None:
    call = tool_call("send_message", 1, chat="c1", text="x")
    modern = {**call, "params": {**cast("Answer", call["params"]), "_meta": META}}
    base = {
        "Authorization": f"Bearer {await daemon.key()}",
        "Accept": "application/json, text/event-stream",
    }
    version = {"MCP-Protocol-Version": "2026-07-28"}
    right = {"Mcp-Method": "tools/call", "Mcp-Name": "send_message"}
    cases: list[tuple[Answer, dict[str, str]]] = [
        (modern, {**version, **right, "Mcp-Name": "list_chats"}),
        (modern, {**version, **right, "Mcp-Method": "tools/list"}),
        (modern, {**version, "Mcp-Method": "tools/call"}),
        (modern, {**version, "Mcp-Name": "send_message"}),
        (modern, version),
        (call, {"Mcp-Name": "list_chats"}),
        (call, {"Mcp-Method": "tools/list"}),
        (call, {**right, "Mcp-Name": "=?base64?bGlzdF9jaGF0cw==?="}),
    ]
    async with httpx2.AsyncClient(base_url=daemon.url, headers=base) as client:
        for body, headers in cases:
            answer = await client.post("/mcp", json=body, headers=headers)
            assert (answer.status_code, answer.json()["error"]["code"]) == (400, -32020), headers
        served = await client.post("/mcp", json=modern, headers={**version, **right})
        legacy = await client.post("/mcp", json=INITIALIZE, headers={"Mcp-Name": "whatever"})

    assert served.status_code == 200
    assert legacy.status_code == 200


@pytest.mark.case("S07")
async def test_a_session_belongs_to_the_key_that_opened_it(daemon: Daemon) -> None:
    mine, other = [
        {
            "Authorization": f"Bearer {await daemon.key(name=name)}",
            "Accept": "application/json, text/event-stream",
        }
        for name in ("mine", "other")
    ]
    ping = {"jsonrpc": "2.0", "id": 9, "method": "ping"}
    async with httpx2.AsyncClient(base_url=daemon.url) as client:
        first = await client.post("/mcp", json=INITIALIZE, headers=mine)
        session = {"Mcp-Session-Id": first.headers["mcp-session-id"]}
        own = await client.post("/mcp", json=ping, headers={**mine, **session})
        stolen = await client.post("/mcp", json=ping, headers={**other, **session})
        invented = await client.post(
            "/mcp", json=ping, headers={**mine, "Mcp-Session-Id": "0" * 32}
        )
        ended = await client.delete("/mcp", headers={**mine, **session})
        after = await client.post("/mcp", json=ping, headers={**mine, **session})

    assert own.status_code == 200
    assert (stolen.status_code, invented.status_code, after.status_code) == (404, 404, 404)
    assert ended.is_success


@pytest.mark.case("S07")
@pytest.mark.timeout(40)
async def test_an_sse_session_belongs_to_the_key_that_opened_it(daemon: Daemon) -> None:
    mine, other = [
        {"Authorization": f"Bearer {await daemon.key(name=name)}"} for name in ("mine", "other")
    ]
    async with (
        httpx2.AsyncClient(base_url=daemon.url, timeout=20) as client,
        client.stream("GET", "/sse", headers=mine) as stream,
    ):
        events = stream.aiter_lines()
        assert [await anext(events) for _ in range(2)] == ["retry: 3000", "event: endpoint"]
        path = (await anext(events)).removeprefix("data: ")
        stolen = await client.post(path, json=INITIALIZE, headers=other)
        invented = await client.post(
            "/messages/?session_id=" + "0" * 32, json=INITIALIZE, headers=mine
        )
        own = await client.post(path, json=INITIALIZE, headers=mine)
        said = [await anext(events) for _ in range(3)]

    assert (stolen.status_code, invented.status_code, own.status_code) == (404, 404, 202)
    assert any("serverInfo" in line for line in said)
