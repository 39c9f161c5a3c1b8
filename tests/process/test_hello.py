"""The first line of a stdio client and what it leads to."""

import json
from pathlib import Path

import anyio
import pytest
from anyio.abc import ByteStream

from messengers import __version__
from messengers.cli import stdio
from messengers.hello import proof_of, proves, welcome
from messengers.settings import Settings
from tests.process.conftest import INITIALIZE, INITIALIZED, Daemon, StartDaemon, tool_call

NEWER, OLDER = "99.0.0", "0.0.1"


def hello(version: str = __version__, **more: object) -> bytes:
    return json.dumps({"messengers": 1, "version": version, **more}).encode()


def always(_: str) -> bool:
    return True


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings.load(home=home, port=3000)


def test_a_client_gets_the_preset_it_names_or_the_daemons(settings: Settings) -> None:
    named = welcome(hello(preset="reader"), settings, always)
    silent = welcome(hello(later_field=1), settings, always)

    assert named.caller is not None
    assert silent.caller is not None
    assert (named.caller.actor, named.caller.preset) == ("stdio", "reader")
    assert (silent.caller.preset, silent.caller.local) == ("setup", True)
    assert json.loads(silent.answer) == {
        "messengers": 1,
        "version": __version__,
        "ok": True,
        "warning": "",
    }


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"[]",
        b'{"messengers": 2, "version": "1"}',
        b'{"messengers": 1}',
        hello(preset="owner"),
        hello(preset=["admin"]),
        b'{"jsonrpc": "2.0", "id": 1, "method": "initialize"}',
        b"GET / HTTP/1.1\r",
        b"\xff" * 100,
    ],
)
def test_what_is_no_hello_is_refused(settings: Settings, line: bytes) -> None:
    found = welcome(line, settings, always)

    assert found.caller is None
    assert not found.is_older
    assert json.loads(found.answer)["reason"] == "malformed"


def test_an_older_client_is_told_in_one_sentence(settings: Settings) -> None:
    found = welcome(hello(OLDER), settings, always)

    assert found.caller is not None
    warning = json.loads(found.answer)["warning"]
    assert warning.startswith(f"This client is Messengers {OLDER}, the daemon {__version__}")


@pytest.mark.parametrize("version", [NEWER, "0.10", "1"])
def test_an_older_daemon_makes_way(settings: Settings, version: str) -> None:
    found = welcome(hello(version), settings, always)

    assert (found.caller, found.is_older) == (None, True)


@pytest.mark.parametrize("more", ["rc1", "+local", ".1", "?", ""])
def test_versions_that_say_no_more_are_no_newer(settings: Settings, more: str) -> None:
    assert not welcome(hello(__version__ + more), settings, always).is_older


def test_settings_that_differ_are_named(settings: Settings) -> None:
    variables = {"MESSENGERS_PORT": "3000", "MESSENGERS_LOG_LEVEL": "debug"}
    found = welcome(hello(settings=variables), settings, always)

    warning = json.loads(found.answer)["warning"]
    assert "MESSENGERS_LOG_LEVEL" in warning
    assert "MESSENGERS_PORT" not in warning


def test_a_client_without_proof_learns_nothing(settings: Settings) -> None:
    found = welcome(hello(NEWER), settings, lambda proof: proof == "right")

    assert found.caller is None
    assert not found.is_older
    assert json.loads(found.answer)["reason"] == "unauthorized"


def test_both_sides_prove_alike(tmp_path: Path) -> None:
    (tmp_path / "local.key").write_text("k" * 80 + "\n", encoding="ascii")

    proof = stdio._proof(str(tmp_path), "nonce")  # pyright: ignore[reportPrivateUsage] - a test looks inside

    assert proof == proof_of("k" * 80, "nonce")
    assert proves("k" * 80, "nonce", proof)
    assert not proves("k" * 80, "another", proof)
    assert not proves("j" * 80, "nonce", proof)
    assert not proves("k" * 80, "nonce", "ключ")


def lines_of(data: bytes) -> list[dict[str, object]]:
    return [json.loads(line) for line in data.splitlines()]


async def connected(daemon: Daemon) -> ByteStream:
    return await anyio.connect_unix(str(daemon.home / "daemon.sock"))


async def read_lines(stream: ByteStream, count: int) -> list[dict[str, object]]:
    data = b""
    while data.count(b"\n") < count:
        data += await stream.receive()
    return lines_of(data)


async def test_what_follows_the_hello_in_the_same_packet_is_served(daemon: Daemon) -> None:
    requests = (INITIALIZE, INITIALIZED, tool_call("list_instances"))
    lines = b"".join(json.dumps(request).encode() + b"\n" for request in requests)
    async with await connected(daemon) as stream:
        await stream.send(hello() + b"\n" + lines)
        with anyio.fail_after(10):
            welcomed, opened, called = await read_lines(stream, 3)

    assert welcomed["ok"]
    assert opened["id"] == "hello"
    assert called["id"] == 1


async def test_a_hello_may_come_in_pieces(daemon: Daemon) -> None:
    async with await connected(daemon) as stream:
        for byte in hello() + b"\n":
            await stream.send(bytes([byte]))
        with anyio.fail_after(10):
            (welcomed,) = await read_lines(stream, 1)

    assert welcomed["ok"]


@pytest.mark.parametrize("sent", [b"{}\n", b"x" * 70_000, b"\n"])
async def test_a_connection_without_a_hello_ends(daemon: Daemon, sent: bytes) -> None:
    async with await connected(daemon) as stream:
        await stream.send(sent)
        with anyio.fail_after(10):
            (refused,) = await read_lines(stream, 1)
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()

    assert refused["reason"] == "malformed"


async def test_a_client_that_hangs_up_harms_nobody(daemon: Daemon) -> None:
    for sent in (b"", b'{"messengers"', hello() + b"\n", hello() + b'\n{"jsonrpc"'):
        async with await connected(daemon) as stream:
            await stream.send(sent or b" ")
    async with await connected(daemon) as stream:
        await stream.send(hello() + b"\n")
        with anyio.fail_after(10):
            assert (await read_lines(stream, 1))[0]["ok"]


async def test_a_newer_client_ends_the_daemon(start_daemon: StartDaemon) -> None:
    with anyio.fail_after(15):
        async with start_daemon() as daemon, await connected(daemon) as stream:
            await stream.send(hello(NEWER) + b"\n")
            (answer,) = await read_lines(stream, 1)
            with pytest.raises(anyio.EndOfStream):
                await stream.receive()

    assert answer["reason"] == "older_daemon"
