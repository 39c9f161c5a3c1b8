"""`messengers instances qr`: the codes of a login at a terminal and in a pipe, to its end."""

import os
import signal
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess
from uuid import uuid4

import anyio
import pytest
import zxingcpp
from anyio import to_thread
from anyio.abc import Process
from PIL import Image, ImageDraw

from messengers.qr import blocks
from tests.cli.conftest import SITE
from tests.cli.terminals import Terminal, sitting
from tests.fakes.scripted import SESSION, ScriptedLogin, platform
from tests.living import BIN
from tests.process.conftest import Daemon, StartDaemon, drained, home, start_daemon

__all__ = ["home", "start_daemon"]

pytestmark = pytest.mark.timeout(90)
FIRST, SECOND = "https://example.org/linked#first", "https://example.org/linked#second"


@dataclass
class Desk:
    """A daemon with an account that waits for its phone."""

    daemon: Daemon
    phone: ScriptedLogin

    def command(self, *more: str) -> list[str]:
        program = str(BIN / "messengers")
        return [program, "instances", "qr", "phone", "--home", str(self.daemon.home), *more]


@pytest.fixture
async def desk(start_daemon: StartDaemon, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(sys, "path", [str(SITE), *sys.path])
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setenv("LINES", "60")
    async with start_daemon() as daemon:
        token = uuid4().hex
        phone = platform(token).login
        phone.text = FIRST
        new = {"provider": "scripted_scanned", "name": "phone", "credentials": {"token": token}}
        await daemon.ask("POST", "/instances", new)
        yield Desk(daemon, phone)


async def until(process: Process, text: str) -> str:
    """What a command has printed, up to where `text` is complete."""
    assert process.stdout is not None
    shown = ""
    while text not in shown:
        shown += (await process.stdout.receive()).decode()
    return shown


async def test_in_a_pipe_each_code_is_printed_once_until_it_is_connected(desk: Desk) -> None:
    async with await anyio.open_process(desk.command()) as process:
        first = await until(process, blocks(FIRST))
        desk.phone.text = SECOND
        second = await until(process, blocks(SECOND))
        desk.phone.scan()
        assert process.stdout is not None
        rest = (await drained(process.stdout)).decode()

    shown = first + second + rest
    assert process.returncode == 0
    assert shown.count(blocks(FIRST)) == shown.count(blocks(SECOND)) == 1
    assert "Scan it under Linked devices." in first + second
    assert rest.endswith("Connected.\n")
    assert "\033" not in shown


async def test_a_number_shows_a_code_to_type(desk: Desk) -> None:
    async with await anyio.open_process(desk.command("--phone", "+371 20000000")) as process:
        shown = await until(process, "Linked devices.")
        desk.phone.scan()
        await process.wait()

    assert shown == "ABCD-1234\nType it under Linked devices.\n"
    assert process.returncode == 0
    assert set(desk.phone.phones) == {"+37120000000"}


async def test_a_login_that_ends_is_a_failure_with_its_remedy(desk: Desk) -> None:
    async with await anyio.open_process(desk.command()) as process:
        await until(process, blocks(FIRST))
        desk.phone.end("Nobody scanned the code in time.")
        assert process.stderr is not None
        told = (await drained(process.stderr)).decode()

    assert process.returncode == 1
    assert "Nobody scanned the code in time." in told
    assert "connect_instance" in told


async def test_without_a_code_in_time_it_says_why(desk: Desk) -> None:
    desk.phone.text = ""
    done = await anyio.run_process(desk.command("--wait", "0.5"), check=False)

    assert done.returncode == 1
    assert b"The messenger makes a code." in done.stderr


async def test_what_is_no_number_is_refused(desk: Desk) -> None:
    done = await anyio.run_process(desk.command("--phone", "20000000"), check=False)

    assert done.returncode == 1
    assert b"country code" in done.stderr
    assert desk.phone.phones == []


@asynccontextmanager
async def at_terminal(desk: Desk, **variables: str) -> AsyncGenerator[Terminal]:
    """A person runs the command; the daemon goes on meanwhile."""
    environment = {**os.environ, **variables}  # noqa: TID251 - what a person's shell has
    with sitting(desk.command(), environment, desk.daemon.home) as terminal:
        yield terminal


async def test_at_a_terminal_a_new_code_takes_the_old_ones_place(desk: Desk) -> None:
    async with at_terminal(desk) as terminal:
        first = await seen(terminal, "Holds for")
        desk.phone.text = SECOND
        second = await seen(terminal, "Linked devices.")
        desk.phone.scan()
        await seen(terminal, "Connected.")
        code = await to_thread.run_sync(terminal.end)

    assert code == 0
    assert read_screen(first) == FIRST
    height = blocks(FIRST).count("\n") + 2
    assert f"\033[{height}A\033[J" in second
    assert read_screen(second.partition("\033[J")[2]) == SECOND


async def test_an_interrupt_ends_it_in_one_line(desk: Desk) -> None:
    async with at_terminal(desk) as terminal:
        await seen(terminal, "Holds for")
        terminal.process.send_signal(signal.SIGINT)
        code = await to_thread.run_sync(terminal.end)

    assert code == 130
    assert "Traceback" not in terminal.shown
    assert terminal.shown.endswith("\n")


async def test_a_terminal_too_narrow_for_the_code_is_told(desk: Desk) -> None:
    async with at_terminal(desk, COLUMNS="20") as terminal:
        code = await to_thread.run_sync(terminal.end)

    assert code == 1
    assert "--save FILE.png" in terminal.shown


async def command(desk: Desk, *words: str) -> CompletedProcess[bytes]:
    program = [str(BIN / "messengers"), "instances", *words, "--home", str(desk.daemon.home)]
    return await anyio.run_process(program, check=False)


async def connected(desk: Desk) -> None:
    """Scan, and wait until the daemon says so."""
    desk.phone.scan()
    seen: dict[str, dict[str, str]] = {}
    with anyio.fail_after(10):
        while seen.get("health", {}).get("lifecycle") != "connected":
            seen = await desk.daemon.ask("GET", "/instances/phone")


async def test_logging_out_wants_a_word_and_says_what_is_left(desk: Desk) -> None:
    await connected(desk)

    unsure = await command(desk, "logout", "phone")
    done = await command(desk, "logout", "phone", "--yes")
    refused = await command(desk, "logout", "nobody", "--yes")

    assert unsure.returncode == 2
    assert b"Add --yes" in unsure.stderr
    assert done.returncode == 0
    assert b"phone (scripted_scanned): logged out" in done.stdout
    assert b"messengers instances connect phone" in done.stdout
    assert refused.returncode == 1


async def test_a_session_is_adopted_at_a_terminal_only(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    file.write_bytes(SESSION)
    await command(desk, "disconnect", "phone")

    refused = await command(desk, "adopt", "phone", str(file))
    words = [str(BIN / "messengers"), "instances", "adopt", "phone", str(file)]
    words += ["--home", str(desk.daemon.home)]
    with sitting(words, dict(os.environ), tmp_path) as terminal:  # noqa: TID251 - a person's shell
        code = await to_thread.run_sync(terminal.end)
    done = await command(desk, "connect", "phone")

    assert refused.returncode == 1
    assert b"interactive terminal" in refused.stderr
    assert code == 0, terminal.shown
    assert "messengers instances connect phone" in terminal.shown
    assert b"phone (scripted_scanned): connected" in done.stdout


async def test_a_relative_path_is_none_for_a_daemon(desk: Desk) -> None:
    answer = await desk.daemon.control.put("/instances/phone/session", json={"path": "x.db"})

    assert answer.status_code == 422
    assert "absolute" in answer.text


def read_screen(shown: str) -> str:
    """What a camera reads off a terminal: white on black."""
    lines = [line.split("m", 1)[1] for line in shown.split("\n") if line.startswith("\033[97;40m")]
    lines = [line.partition("\033")[0] for line in lines]
    image = Image.new("L", (len(lines[0]) * 6, len(lines) * 12), 0)
    draw = ImageDraw.Draw(image)
    for y, line in enumerate(lines):
        for x, glyph in enumerate(line):
            upper, lower = glyph in "█▀", glyph in "█▄"
            draw.rectangle((x * 6, y * 12, x * 6 + 5, y * 12 + 5), fill=255 * upper)
            draw.rectangle((x * 6, y * 12 + 6, x * 6 + 5, y * 12 + 11), fill=255 * lower)
    return zxingcpp.read_barcodes(image)[0].text


async def seen(terminal: Terminal, text: str) -> str:
    return await to_thread.run_sync(partial(terminal.until, text))
