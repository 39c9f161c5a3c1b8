"""A provider that blocks the event loop is named, and the daemon goes on after it."""

import asyncio
import logging
import time
from datetime import UTC, datetime
from pathlib import Path

import anyio
import httpx2
import pytest

from messengers.clock import SystemClock
from messengers.watchdog import watched
from tests.fakes.scripted import platform
from tests.process.conftest import StartDaemon

SITE = Path(__file__).parents[1] / "fakes" / "site"


def block_the_loop() -> None:
    time.sleep(2.2)  # what a provider must never do


@pytest.mark.case("F26")
@pytest.mark.timeout(60)
async def test_who_blocks_the_event_loop_is_named_and_health_answers_after(
    start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.syspath_prepend(str(SITE))  # pyright: ignore[reportUnknownMemberType] - untyped there
    platform("blocks").start = block_the_loop
    told = anyio.Event()

    def noticed(record: logging.LogRecord) -> bool:
        if "goes on" in record.msg:
            loop.call_soon_threadsafe(told.set)
        return True

    loop = asyncio.get_running_loop()
    logging.getLogger("messengers.watchdog").addFilter(noticed)
    async with start_daemon() as daemon:
        body = {"provider": "scripted_bot", "name": "slow", "credentials": {"token": "blocks"}}
        await daemon.ask("POST", "/instances", body)
        with anyio.fail_after(30):
            await told.wait()
        async with httpx2.AsyncClient() as client:
            took_s: list[float] = []
            for _ in range(5):
                began_s = time.monotonic()
                assert (await client.get(f"{daemon.url}/health")).status_code == 200
                took_s.append(time.monotonic() - began_s)
    logging.getLogger("messengers.watchdog").removeFilter(noticed)

    said = [record.getMessage() for record in caplog.records if "event loop" in record.msg]
    assert "block_the_loop" in said[0]
    assert "it was blocked for" in said[1]
    assert min(took_s) < 0.1


async def test_a_loop_that_does_its_work_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    with watched(SystemClock(), limit_s=0.5):
        for _ in range(8):
            await anyio.sleep(0.1)

    assert [record for record in caplog.records if "event loop" in record.msg] == []


class Starved:
    """The clock of a machine on which ten seconds pass whenever somebody looks."""

    def __init__(self) -> None:
        self._at_s = 0.0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        self._at_s += 10
        return self._at_s


async def test_a_machine_with_too_much_to_do_is_told_and_nobody_is_accused(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with watched(Starved(), limit_s=0.05):
        time.sleep(0.3)  # noqa: ASYNC251 - the loop is to stand still
        await anyio.sleep(0.1)

    said = [record.getMessage() for record in caplog.records]
    assert "Nothing of this process ran for a while: the machine has too much to do." in said
    assert [each for each in said if "event loop" in each] == []
