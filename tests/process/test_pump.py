"""`messengers stdio`: light, quick to leave, honest when the daemon is gone."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import anyio
import pytest

from messengers import __version__
from messengers.home import DAEMON_FILE, LOCK_FILE
from tests.process.conftest import (
    INITIALIZE,
    RunPump,
    StartDaemon,
    daemon_pid,
    ended,
    is_alive,
    settle,
    text_of,
    tool_call,
)

HEAVY = ("pydantic", "mcp", "anyio", "typer", "sqlalchemy", "asyncio", "subprocess", "typing")


def greeted(connection: socket.socket) -> dict[str, object]:
    """Read the hello of a pump."""
    return json.loads(connection.makefile("rb").readline())


@contextmanager
def listening(home: Path, serve: Callable[[socket.socket], None]) -> Generator[None]:
    """Something that serves the daemon's socket of a new home, in a thread."""
    home.mkdir()
    with TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as bound:
        bound.bind(f"{short}/s")
        bound.listen()
        record = json.dumps({"socket": bound.getsockname()})
        (home / DAEMON_FILE).write_text(record, encoding="utf-8")
        thread = threading.Thread(target=serve, args=[bound])
        thread.start()
        yield
        thread.join(5)


@contextmanager
def fake_daemon(
    home: Path, answer: object, *more: bytes, hangs_up: bool = False
) -> Generator[list[object]]:
    """Something that answers one hello on the daemon's socket, says `more` and goes: when the
    client does, or before."""
    hellos: list[object] = []

    def serve(bound: socket.socket) -> None:
        connection, _ = bound.accept()
        bound.close()
        with connection:
            hellos.append(greeted(connection))
            connection.sendall(json.dumps(answer).encode() + b"\n" + b"".join(more))
            assert hangs_up or connection.recv(1) == b""

    with listening(home, serve):
        yield hellos


@contextmanager
def ending_daemon(home: Path, times: int) -> Generator[list[object]]:
    """One that is about to end: it hangs up on so many hellos, and then it is gone."""
    hellos: list[object] = []

    def serve(bound: socket.socket) -> None:
        while len(hellos) < times:
            connection, _ = bound.accept()
            if len(hellos) + 1 == times:
                bound.close()
            with connection:
                hellos.append(greeted(connection))

    with listening(home, serve):
        yield hellos


def pump(
    home: Path,
    *arguments: str,
    stdin: int = subprocess.DEVNULL,
    cwd: str | None = None,
    env: Mapping[str, str] | None = None,
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "messengers", "stdio", "--home", str(home), *arguments],
        stdin=stdin,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=15,
        check=False,
    )


def test_on_its_way_to_a_running_daemon_nothing_heavy_is_imported(home: Path) -> None:
    program = (
        "import sys; before = set(sys.modules)\n"
        "from messengers.cli.stdio import main\n"
        f"code = main(['--home', {str(home)!r}])\n"
        "print(code, *sorted(set(sys.modules) - before), file=sys.stderr)"
    )
    with fake_daemon(home, {"ok": True}, b"tail\n"):
        done = subprocess.run(
            [sys.executable, "-I", "-c", program],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    code, *imported = done.stderr.split()
    assert code == "0"
    assert done.stdout == "tail\n"
    assert not set(HEAVY) & set(imported)


def test_the_hello_says_who_asks_and_keeps_secrets(home: Path) -> None:
    with fake_daemon(home, {"ok": True}) as hellos:
        pump(
            home,
            "--preset=reader",
            cwd="/",
            env={"MESSENGERS_PORT": "3001", "MESSENGERS_API_KEY": "planted", "PATH": "/bin"},
        )

    assert hellos == [
        {
            "messengers": 1,
            "version": __version__,
            "preset": "reader",
            "toolsets": "",
            "channel": False,
            "cwd": "/",
            "settings": {"MESSENGERS_PORT": "3001"},
        }
    ]


@pytest.mark.case("F25")
def test_a_daemon_that_ends_is_told_in_one_sentence(home: Path) -> None:
    read, write = os.pipe()
    with fake_daemon(home, {"ok": True}, hangs_up=True):
        done = pump(home, stdin=read)
    os.close(write)
    os.close(read)

    assert done.returncode == 1
    assert done.stderr == "The Messengers daemon ended; start this MCP server again.\n"


def test_a_warning_of_the_daemon_reaches_a_person(home: Path) -> None:
    with fake_daemon(home, {"ok": True, "warning": "Mind the gap."}):
        done = pump(home)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "Mind the gap.\n")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"ok": False, "reason": "malformed", "message": "No."}, "No.\n"),
        ({}, "The Messengers daemon gave no answer.\n"),
        ([], "The Messengers daemon gave no answer.\n"),
    ],
)
def test_a_refusal_is_passed_on(home: Path, answer: dict[str, object], told: str) -> None:
    with fake_daemon(home, answer):
        done = pump(home)

    assert (done.returncode, done.stdout, done.stderr) == (1, "", told)


@pytest.mark.parametrize("arguments", [["--hoem", "x"], ["--preset"], ["x"]])
def test_a_misspelt_option_stops_it(home: Path, arguments: list[str]) -> None:
    done = pump(home, *arguments)

    assert done.returncode == 2
    assert "usage: messengers stdio" in done.stderr


def test_help_is_given(home: Path) -> None:
    done = pump(home, "--help")

    assert done.returncode == 0
    assert "--embedded" in done.stdout


@pytest.mark.case("F25")
@pytest.mark.usefixtures("reaped")
async def test_it_leaves_within_two_seconds_of_its_clients_end(
    start_daemon: StartDaemon, run_pump: RunPump
) -> None:
    async with start_daemon(), run_pump() as pump:
        await pump.open()
        await pump.send(tool_call("wait_for_messages", timeout_s=30))
        began = monotonic()
        await pump.close_stdin()
        with anyio.fail_after(10):
            code = await pump.process.wait()

    assert code == 0
    assert monotonic() - began < 2


@pytest.mark.case("F25")
@pytest.mark.usefixtures("reaped")
async def test_answers_under_way_still_arrive_when_stdin_ends(
    start_daemon: StartDaemon, run_pump: RunPump
) -> None:
    async with start_daemon(), run_pump() as pump:
        await pump.send(INITIALIZE)
        await pump.send(tool_call("list_instances", 7))
        await pump.close_stdin()
        with anyio.fail_after(10):
            lines = (await pump.stdout()).splitlines()

    assert [json.loads(line)["id"] for line in lines] == ["hello", 7]


@pytest.mark.case("F25")
@pytest.mark.usefixtures("reaped")
async def test_a_client_that_is_killed_leaves_no_pump_behind(
    start_daemon: StartDaemon, home: Path, environment: dict[str, str]
) -> None:
    # A shell in between holds stdin as a client does, and dies without a word.
    script = f"{sys.executable} -m messengers stdio --home {home} & echo $! >&2; cat"
    async with start_daemon():
        async with await anyio.open_process(["sh", "-c", script], env=environment) as client:
            assert client.stderr is not None
            pid = int((await client.stderr.receive()).split()[0])
            client.kill()
        with anyio.fail_after(5):
            await ended(pid)


@pytest.mark.case("F08")
@pytest.mark.usefixtures("reaped")
@pytest.mark.timeout(90)
async def test_five_clients_at_once_start_one_daemon_and_outlive_its_murder(
    home: Path, run_pump: RunPump
) -> None:
    pids: list[int | None] = []

    async def one_client() -> None:
        async with run_pump(MESSENGERS_PORT="0") as pump:
            await pump.open()
            answer = await pump.call(tool_call("list_instances"))
            assert not answer["result"].get("isError")
            pids.append(daemon_pid(home))
            await pump.close_stdin()
            assert await pump.process.wait() == 0

    with anyio.fail_after(60):
        async with anyio.create_task_group() as clients:
            for _ in range(5):
                clients.start_soon(one_client)
    assert len(set(pids)) == 1

    first = pids[0]
    assert first is not None
    os.kill(first, signal.SIGKILL)
    began = monotonic()
    await one_client()

    assert daemon_pid(home) != first
    assert monotonic() - began < 15
    assert "locked" not in text_of(home / "log" / "messengers.log")


@pytest.mark.case("F08")
@pytest.mark.usefixtures("reaped")
@pytest.mark.timeout(60)
async def test_a_daemon_killed_under_a_client_ends_the_client_and_nothing_is_replayed(
    home: Path, run_pump: RunPump
) -> None:
    async with run_pump(MESSENGERS_PORT="0") as pump:
        await pump.open()
        await pump.send(tool_call("wait_for_messages", timeout_s=30))
        pid = daemon_pid(home)
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        with anyio.fail_after(5):
            code = await pump.process.wait()
        told = await pump.stderr()

    assert code == 1
    assert told.strip().splitlines()[-1].startswith("The Messengers daemon ended")
    assert not is_alive(pid)


@pytest.mark.usefixtures("reaped")
@pytest.mark.timeout(60)
async def test_a_daemon_started_by_a_client_is_on_its_own(
    home: Path, run_pump: RunPump, environment: dict[str, str]
) -> None:
    async with run_pump(MESSENGERS_PORT="0", OPENAI_API_KEY="planted") as pump:
        await pump.open()
        pid = daemon_pid(home)
        assert pid is not None
        assert os.getsid(pid) == pid
        assert os.readlink(f"/proc/{pid}/cwd") == str(home)
        assert "planted" not in text_of(f"/proc/{pid}/environ")
        assert "Umask:\t0077" in text_of(f"/proc/{pid}/status")
        await pump.close_stdin()
        await pump.process.wait()

    assert is_alive(pid)
    assert os.stat(home / "daemon.sock").st_mode & 0o777 == 0o600


@pytest.mark.usefixtures("reaped")
@pytest.mark.timeout(60)
async def test_a_daemon_that_cannot_start_leaves_its_last_words(
    home: Path, run_pump: RunPump
) -> None:
    settle(home, "port = 'red'\n")

    async with run_pump() as pump:
        with anyio.fail_after(30):
            code = await pump.process.wait()
        told = await pump.stderr()

    assert code == 1
    assert "The Messengers daemon did not start." in told
    assert "The setting port does not fit" in told


@pytest.mark.case("F10")
def test_a_home_that_cannot_be_made_is_named(home: Path) -> None:
    home.write_text("in the way", encoding="utf-8")

    done = pump(home)

    assert done.returncode == 1
    assert f"The data directory {home} cannot be used" in done.stderr


@pytest.mark.usefixtures("reaped")
@pytest.mark.timeout(60)
async def test_an_older_daemon_makes_way(home: Path, run_pump: RunPump) -> None:
    """The old one answers as it did, frees the home, and the client starts its own."""
    with fake_daemon(home, {"ok": False, "reason": "older_daemon"}):
        async with run_pump(MESSENGERS_PORT="0") as client:
            await client.open()

            assert daemon_pid(home) is not None


@pytest.mark.case("F08")
@pytest.mark.usefixtures("reaped")
@pytest.mark.timeout(60)
async def test_a_daemon_that_ends_during_the_hello_is_followed_by_the_next(
    home: Path, run_pump: RunPump
) -> None:
    with ending_daemon(home, 3) as hellos:
        async with run_pump(MESSENGERS_PORT="0") as client:
            await client.open()
            answer = await client.call(tool_call("list_instances"))
            await client.close_stdin()
            ended_as = (await client.process.wait(), await client.stderr())

    assert len(hellos) == 3
    assert not answer["result"].get("isError")
    assert ended_as == (0, "")


def test_daemons_that_only_hang_up_are_a_fault_in_the_end(home: Path) -> None:
    tries = 6
    with ending_daemon(home, tries) as hellos:
        done = pump(home)

    assert len(hellos) == tries
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The Messengers daemon gave no answer.\n"
    assert not (home / LOCK_FILE).exists(), "a daemon was started"
