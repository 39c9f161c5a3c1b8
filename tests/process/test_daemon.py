"""The daemon: one per home, where it listens, how it ends."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import ExitStack, contextmanager
from operator import lt
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from uuid import uuid4

import anyio
import httpx2
import pytest
from anyio.abc import Process
from pydantic import TypeAdapter

from messengers.cli.control import ask
from messengers.cli.running import run_daemon
from messengers.errors import AlreadyRunning, Forbidden, NotReady, StorageUnavailable
from messengers.home import CONTROL_SOCKET, DAEMON_FILE, MCP_SOCKET
from messengers.lock import is_held, locked, recorded
from messengers.settings import Settings
from messengers.sockets import bind_tcp, bind_unix
from tests.fakes.scripted import platform
from tests.process.conftest import (
    Pump,
    RunPump,
    StartDaemon,
    daemon_pid,
    is_alive,
    settle,
    text_of,
    tool_call,
)

SITE = Path(__file__).parents[1] / "fakes" / "site"


def run_serve(*arguments: str, env: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "messengers", "serve", *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@contextmanager
def taken_port() -> Generator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


async def started(home: Path, env: Mapping[str, str], stack: ExitStack, *more: str) -> Process:
    """A daemon of its own process, once it is ready."""
    process = await anyio.open_process(
        [sys.executable, "-m", "messengers", "serve", "--home", str(home), "--port", "0", *more],
        env=env,
    )
    stack.callback(lambda: process.kill() if process.returncode is None else None)
    assert process.stdout is not None
    with anyio.fail_after(30):
        assert (await process.stdout.receive()).startswith(b"Messengers is ready: http://")
    return process


def files_of(directory: Path) -> list[Path]:
    return [file for file in directory.iterdir() if not file.is_dir()]


# One per home


def test_a_second_daemon_is_refused_and_names_the_first(
    home: Path, environment: dict[str, str]
) -> None:
    with locked(home):
        (home / DAEMON_FILE).write_text('{"pid": 4711}', encoding="utf-8")
        done = run_serve("--home", str(home), env=environment)

    assert done.returncode == 75
    assert done.stderr.count("\n") == 1
    assert f"Messengers runs already for {home} (process 4711)." in done.stderr


def test_a_lock_without_a_record_is_still_a_lock(home: Path) -> None:
    with locked(home), pytest.raises(AlreadyRunning), locked(home):
        pass


def test_a_lock_goes_with_its_holder(home: Path) -> None:
    assert not is_held(home)
    with locked(home):
        assert is_held(home)
    assert not is_held(home)
    with locked(home):
        pass


@pytest.mark.parametrize("content", ["", "{", "[1]", "null"])
def test_a_damaged_record_is_no_record(home: Path, content: str) -> None:
    home.mkdir()
    (home / DAEMON_FILE).write_text(content, encoding="utf-8")

    assert recorded(home) == {}


async def test_a_running_daemon_tells_where_it_is_and_takes_it_back(
    start_daemon: StartDaemon, home: Path
) -> None:
    async with start_daemon(log_level="debug") as daemon:
        record = recorded(home)
        files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in files_of(home)}

    assert record["url"] == daemon.url
    assert record["pid"] == os.getpid()
    assert files["daemon.json"] == files["daemon.sock"] == files["control.sock"] == 0o600
    assert files["local.key"] == files["secret.key"] == files["daemon.lock"] == 0o600
    assert {DAEMON_FILE, MCP_SOCKET, CONTROL_SOCKET}.isdisjoint(os.listdir(home))


@pytest.mark.timeout(60)
async def test_what_a_killed_daemon_left_does_not_stop_the_next(
    home: Path, environment: dict[str, str]
) -> None:
    with ExitStack() as stack:
        first = await started(home, environment, stack)
        first.kill()
        await first.wait()
        assert (home / MCP_SOCKET).is_socket()
        second = await started(home, environment, stack)

        assert daemon_pid(home) == second.pid
        second.terminate()
        assert await second.wait() == 0


# Where it listens


@pytest.mark.case("S03")
@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_beyond_this_machine_a_key_must_exist_first(
    home: Path, environment: dict[str, str], host: str
) -> None:
    with taken_port() as port:
        done = run_serve("--home", str(home), "--host", host, "--port", str(port), env=environment)

    # The port is taken, so a socket opened before the check would be another failure.
    assert done.returncode == 2
    assert f"Listening on {host} opens Messengers to others, and there is no key." in done.stderr
    assert "messengers keys create" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.case("S03")
async def test_with_a_key_it_listens_beyond_this_machine(start_daemon: StartDaemon) -> None:
    async with start_daemon() as daemon:
        key = await daemon.key()
    async with start_daemon(host="0.0.0.0") as daemon, httpx2.AsyncClient() as client:
        local = await client.get(f"{daemon.url}/health")
        named = await client.get(
            f"{daemon.url}/mcp", headers={"Authorization": f"Bearer {key}", "Host": "evil.example"}
        )

    assert daemon.url.startswith("http://127.0.0.1:")
    assert (local.status_code, named.status_code) == (200, 421)


def test_a_port_that_was_asked_for_and_is_taken_is_refused(
    home: Path, environment: dict[str, str]
) -> None:
    with taken_port() as port:
        done = run_serve("--home", str(home), "--port", str(port), env=environment)

    assert done.returncode == 1
    assert f"Port {port} is taken." in done.stderr


def test_a_port_nobody_asked_for_gives_way() -> None:
    with taken_port() as port, bind_tcp("127.0.0.1", port, must=False) as other:
        assert other.getsockname()[1] not in (0, port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_somebody_else_is_named(host: str) -> None:
    with pytest.raises(NotReady):
        bind_tcp(host, 0, must=True)


async def test_a_client_that_starts_it_never_fails_for_a_port(
    home: Path, run_pump: RunPump, reaped: None
) -> None:
    with taken_port() as port:
        async with run_pump(MESSENGERS_PORT=str(port)) as pump:
            with anyio.fail_after(18):
                await pump.open()

        assert recorded(home)["port"] not in (0, port)


@pytest.mark.parametrize("in_the_way", ["directory", "long"])
def test_a_socket_that_cannot_be_made_is_named(tmp_path: Path, in_the_way: str) -> None:
    place = tmp_path / ("x" * 120 if in_the_way == "long" else "a.sock")
    place.mkdir()

    with pytest.raises(StorageUnavailable):
        bind_unix(place)


@pytest.mark.timeout(60)
async def test_a_home_with_a_long_path_is_served(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """Its sockets lie where the daemon's environment says, which no client has to share."""
    home = tmp_path / ("x" * 120)
    with ExitStack() as stack:
        short = stack.enter_context(TemporaryDirectory(dir="/tmp"))
        daemon = await started(home, {**environment, "XDG_RUNTIME_DIR": short}, stack)
        command = [sys.executable, "-m", "messengers", "stdio", "--home", str(home)]
        async with await anyio.open_process(command, env=environment) as process:
            pump = Pump(process)
            await pump.open()
            await pump.close_stdin()
            assert await process.wait() == 0
        found = ask("GET", "/status", TypeAdapter(dict[str, object]), home=home, start=False)
        assert found["pid"] == daemon.pid
        folder = os.path.join(short, *os.listdir(short))
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert set(os.listdir(folder)) == {MCP_SOCKET, CONTROL_SOCKET}
        daemon.terminate()
        assert await daemon.wait() == 0
        assert os.listdir(folder) == []


@pytest.mark.timeout(60)
async def test_over_tcp_a_client_must_know_the_local_key(
    home: Path, environment: dict[str, str], run_pump: RunPump
) -> None:
    settle(home, 'socket = "tcp"\n')
    with ExitStack() as stack:
        daemon = await started(home, environment, stack)
        assert not (home / MCP_SOCKET).exists()
        async with run_pump(MESSENGERS_SOCKET="tcp") as pump:
            await pump.open()
        async with run_pump() as pump:
            await pump.open()
        (home / "local.key").write_text("another\n", encoding="ascii")
        port = recorded(home)["stdio_port"]
        assert isinstance(port, int)
        async with await anyio.connect_tcp("127.0.0.1", port) as stream:
            assert b"nonce" in await stream.receive()
            await stream.send(b'{"messengers": 1, "version": "0.1.0", "proof": "00"}\n')
            refused = json.loads(await stream.receive())
        daemon.terminate()
        await daemon.wait()

    assert (refused["ok"], refused["reason"]) == (False, "unauthorized")


# What it finds


@pytest.mark.case("F10")
def test_a_home_that_cannot_be_written_is_named(environment: dict[str, str]) -> None:
    """Nothing can be made below /proc, whoever one is."""
    done = run_serve("--home", "/proc/messengers", env=environment)

    assert done.returncode == 1
    assert "The data directory /proc/messengers cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.case("F10")
def test_a_lost_master_key_is_named_and_nothing_is_overwritten(
    home: Path, environment: dict[str, str]
) -> None:
    load = Settings.load
    code = run_daemon(lambda: load(home=home, port=0), ready=lambda _: os.kill(os.getpid(), 15))
    assert code == 0
    assert (home / "secret.key").exists()
    (home / "secret.key").unlink()
    before = {file.name: file.read_bytes() for file in home.glob("*.db")}

    done = run_serve("--home", str(home), "--port", "0", env=environment)

    assert {file.name: file.read_bytes() for file in home.glob("*.db")} == before
    assert done.returncode in (0, 1)


# How it ends


@pytest.mark.case("F24")
@pytest.mark.timeout(60)
async def test_a_signal_ends_it_with_an_endless_stream_open(
    home: Path, environment: dict[str, str]
) -> None:
    meta: dict[str, object] = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientCapabilities": dict[str, object](),
    }
    listen: dict[str, object] = {
        "jsonrpc": "2.0",
        "id": 1,
        "method": "subscriptions/listen",
        "params": {"_meta": meta, "notifications": {"resourcesListChanged": True}},
    }
    with ExitStack() as stack:
        process = await started(home, environment, stack)
        key = text_of(home / "local.key").strip()
        url = str(recorded(home)["url"])
        headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json, text/event-stream",
            "MCP-Protocol-Version": "2026-07-28",
            "Mcp-Method": "subscriptions/listen",
        }
        async with (
            httpx2.AsyncClient(timeout=30) as client,
            client.stream("POST", f"{url}/mcp", json=listen, headers=headers) as answer,
        ):
            assert answer.status_code == 200
            lines = answer.aiter_lines()
            assert await anext(lines)
            began = monotonic()
            process.terminate()
            rest = [line async for line in lines]
        with anyio.fail_after(10):
            code = await process.wait()

    assert code == 0
    assert monotonic() - began < 6
    assert any('"result"' in line for line in rest)


@pytest.mark.case("F24")
@pytest.mark.timeout(60)
async def test_a_second_signal_ends_it_at_once(home: Path, environment: dict[str, str]) -> None:
    with ExitStack() as stack:
        process = await started(home, environment, stack)
        key = text_of(home / "local.key").strip()
        url = str(recorded(home)["url"])
        headers = {"Authorization": f"Bearer {key}"}
        async with (
            httpx2.AsyncClient(timeout=30) as client,
            client.stream("GET", f"{url}/sse", headers=headers) as answer,
        ):
            assert answer.status_code == 200
            assert await anext(answer.aiter_lines())
            process.terminate()
            await until_logged(home, "Stopping.")
            process.terminate()
            with anyio.fail_after(1.5):
                code = await process.wait()

    assert code in (128 + signal.SIGTERM, -signal.SIGTERM)


async def until_logged(home: Path, sentence: str) -> None:
    """Wait until the log says so."""
    with anyio.fail_after(10):
        while sentence not in text_of(home / "log" / "messengers.log"):
            await anyio.lowlevel.checkpoint()


@pytest.mark.case("F24")
@pytest.mark.timeout(60)
async def test_sends_under_way_end_before_it_does(
    start_daemon: StartDaemon, run_pump: RunPump, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(SITE))  # pyright: ignore[reportUnknownMemberType] - untyped there
    token = uuid4().hex
    there = platform(token)
    there.connected, there.hang = anyio.Event(), anyio.Event()
    there.capabilities = there.capabilities.model_copy(update={"reuses_key": True})
    sends = [(f"ann{number % 10}", f"answer {number}") for number in range(20)]
    async with start_daemon() as daemon:
        body = {"provider": "scripted_personal", "name": "me", "credentials": {"token": token}}
        await daemon.ask("POST", "/instances", {**body, "confirm": "never"})
        await daemon.ask("PATCH", "/instances/me", {"confirm": "never"})
        for number in range(10):
            await there.say(f"hello {number}", chat=f"ann{number}", known=True)
        async with run_pump() as pump:
            await pump.open()
            # Answered is stored; eight are at the platform, as many as leave at once.
            for chat, text in sends:
                call = tool_call("send_message", text, chat=chat.title(), text=text, wait_s=0)
                assert (await pump.call(call))["result"]["structuredContent"]["message"]
            with anyio.fail_after(30):
                while len(there.accepted) < 8:
                    await anyio.lowlevel.checkpoint()
            await daemon.ask("POST", "/stop")
            there.hang.set()
    there.connected = anyio.Event()
    async with start_daemon():
        with anyio.fail_after(30):
            while len(there.accepted) < 20:
                await anyio.lowlevel.checkpoint()

    arrived = [(chat, text) for chat, text, _ in there.accepted]
    assert sorted(arrived) == sorted(sends)
    assert all(map(lt, map(arrived.index, sends[:10]), map(arrived.index, sends[10:])))


async def test_its_owner_ends_it(start_daemon: StartDaemon, home: Path) -> None:
    async with start_daemon() as daemon:
        answer = await daemon.ask("POST", "/stop")

    assert answer == {"stopping": True, "pid": os.getpid()}
    assert not is_held(home)


@pytest.mark.timeout(60)
def test_the_stop_command_waits_until_it_is_gone(home: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "messengers"]
    stop = [*command, "stop", "--home", str(home)]
    none = subprocess.run(stop, capture_output=True, text=True, env=environment, check=False)
    pump = subprocess.run(
        [*command, "stdio", "--home", str(home)],
        stdin=subprocess.DEVNULL,
        env={**environment, "MESSENGERS_PORT": "0"},
        check=False,
    )
    pid = daemon_pid(home)
    assert pid is not None
    stopped = subprocess.run(stop, capture_output=True, text=True, env=environment, check=False)

    assert none.returncode == 0
    assert f"daemon runs for {home}" in none.stdout
    assert pump.returncode == 0
    assert stopped.returncode == 0
    assert not is_alive(pid)


async def test_a_daemon_that_fails_inside_says_why_in_one_sentence(home: Path) -> None:
    from messengers.daemon import Mode, serve

    sentence = pytest.RaisesExc(Forbidden, match="there is no key.*keys create")
    with locked(home), pytest.RaisesGroup(sentence, flatten_subgroups=True):
        await serve(Settings.load(home=home, host="0.0.0.0", port=0), Mode())
