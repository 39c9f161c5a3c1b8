"""Clients of `/events` that read nothing, too slowly, or are gone without a word."""

import gc
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import anyio
import pytest

from benchmarks.figures import resident_mb
from messengers import sockets
from messengers.core.feed import Feed
from tests.web.streams import Frame, Office, seqs, served

Scaled = Callable[[int, int], int]
RESET = struct.pack("ii", 1, 0)


@pytest.fixture
async def office(home: Path) -> AsyncIterator[Office]:
    async with served(home) as opened:
        yield opened


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


@pytest.mark.case("F22")
@pytest.mark.soak
@pytest.mark.timeout(60)
async def test_one_who_reads_nothing_is_cut_and_costs_no_memory(
    office: Office, scaled: Scaled
) -> None:
    page, count = await office.instance(), scaled(1_500, 10_000)
    key = await office.key("stopped")
    async with office.follow() as stream:
        start = (await anext(stream)).seq
        await pour(office, page, stream, 500)  # caches are full before anything is measured
        before_mb = resident_mb(os.getpid())
        slow = [office.silent(key) for _ in range(5)]
        await office.followers(6)
        await pour(office, page, stream, count)
        await office.followers(1)
        grown_mb = resident_mb(os.getpid()) - before_mb
    end = await office.app.core.events.position()
    told = [await anyio.to_thread.run_sync(everything, each) for each in slow]

    assert end == start + 500 + count
    assert grown_mb < 10
    assert all(b'event: stream.end\ndata: {"reason":"slow","cursor":"e' in each for each in told)


async def pour(office: Office, page: str, stream: AsyncIterator[Frame], count: int) -> None:
    """So many events, all of which the reader gets."""
    for _ in range(0, count, 50):
        await office.happen(page, 50)
        await seqs(stream, 50)


@pytest.mark.case("F22", "F23")
async def test_after_being_cut_as_too_slow_one_resumes_where_it_was(office: Office) -> None:
    page = await office.instance()
    slow = office.silent(await office.key("slow"))
    await office.followers(1)
    start = await office.app.core.events.position()
    while len(office.app.core.feed):
        await office.happen(page, 90)
    end = await office.app.core.events.position()
    read = await anyio.to_thread.run_sync(everything, slow)
    ids = [line for line in read.decode().splitlines() if line.startswith("id: ")]
    received = len(ids) - 2  # beside the opening and the end
    async with office.follow(ids[-1].removeprefix("id: ")) as stream:
        rest = await seqs(stream, end - start - received)

    assert rest == list(range(start + 1 + received, end + 1))


@pytest.mark.case("F21")
@pytest.mark.soak
@pytest.mark.timeout(120)
async def test_clients_that_vanish_by_the_hundreds_leave_nothing(
    office: Office, scaled: Scaled
) -> None:
    key = await office.key("churn")
    size = scaled(50, 1_000)
    async with office.follow() as stream:
        await anext(stream)
        await vanish(office, key, size)
    await office.followers(0)
    tasks, files = await settled()
    async with office.follow() as stream:
        await anext(stream)
        for _ in range(scaled(10, 60)):
            await vanish(office, key, size)
        await office.followers(1, within_s=30)
    await office.followers(0)
    with anyio.fail_after(10):
        while await settled() > (tasks, files):  # noqa: ASYNC110 - sockets close by themselves
            await anyio.sleep(0.05)


async def vanish(office: Office, key: dict[str, str], count: int) -> None:
    """So many come and are gone, each without a word."""
    churned = [office.silent(key) for _ in range(count)]
    await anyio.lowlevel.checkpoint()
    for each in churned:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        each.close()
    await anyio.lowlevel.checkpoint()


async def settled() -> tuple[int, int]:
    gc.collect()
    await anyio.lowlevel.checkpoint()
    return len(anyio.get_running_tasks()), open_files()


@pytest.mark.case("F21")
@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux has it")
async def test_one_who_is_silent_for_good_is_found_by_the_heartbeat(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "_SILENCE_MS", 500)
    monkeypatch.setattr("messengers.core.feed._BEAT_S", 0.1)
    async with served(home) as office:
        page = await office.instance()
        silent = office.silent(await office.key("silent"))
        await office.followers(1)
        await office.happen(page, 20)

        await office.followers(0, within_s=10)

        silent.close()


async def test_a_reader_of_the_past_who_stops_reading_is_cut_too(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messengers.core.feed._BEAT_S", 0.2)
    async with served(home) as office:
        await office.happen(await office.instance(), 4_000)
        key = await office.key("past")
        past = office.silent({**key, "Last-Event-ID": "e1"})
        told = await anyio.to_thread.run_sync(slowly, past)

    assert b'{"reason":"slow"' in told


async def test_there_is_an_end_to_how_many_may_follow(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("messengers.core.feed._FOLLOWERS_MAX", 1)
    key = await office.key("second")
    async with office.follow() as stream:
        await anext(stream)
        answer = await office.client.get("/events", headers=key)

    assert isinstance(office.app.core.feed, Feed)
    assert answer.status_code == 503


def everything(stream: socket.socket) -> bytes:
    """What the stream holds up to its end."""
    stream.settimeout(10)
    data = b""
    with stream:
        while chunk := stream.recv(1 << 16):
            data += chunk
            if data.endswith(b"0\r\n\r\n"):
                break
    return data


def slowly(stream: socket.socket) -> bytes:
    """The same, after a long pause."""
    import time

    time.sleep(1)
    return everything(stream)
