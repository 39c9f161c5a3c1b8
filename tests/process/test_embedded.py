"""Daemon and client in one process."""

import json
import sys
from pathlib import Path

import anyio
import pytest

from messengers.lock import is_held, locked
from tests.process.conftest import RunPump, text_of, tool_call

NOISE = '''
import os, sys
print("noise at import")

class Noisy:
    """Prints wherever a library would."""

os.write(1, b"noise on the descriptor\\n")
'''


@pytest.mark.case("S13")
@pytest.mark.timeout(60)
async def test_whatever_prints_stdout_carries_the_protocol_only(
    home: Path, tmp_path: Path, run_pump: RunPump
) -> None:
    site = tmp_path / "site"
    write_noisy_provider(site)
    async with run_pump("--embedded", MESSENGERS_PORT="0", PYTHONPATH=str(site)) as pump:
        await pump.open()
        call = tool_call("create_instance", 1, provider="noisy", name="loud")
        answer = await pump.call(call)
        await pump.send_bytes(b"{bad\n")
        broken = await pump.receive()
        await pump.close_stdin()
        rest = await pump.stdout()
        with anyio.fail_after(20):
            code = await pump.process.wait()
        told = await pump.stderr()

    assert code == 0
    assert answer["id"] == 1
    assert broken["error"]["code"] == -32700
    assert [json.loads(line) for line in rest.splitlines()] == []
    assert "noise" in told
    assert "Ready." in told
    assert "Stopped." in text_of(home / "log" / "messengers.log")


def write_noisy_provider(site: Path) -> None:
    """A provider of somebody else that prints when it is imported."""
    info = site / "noisy_messenger-0.1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: noisy-messenger\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[messengers.providers]\nnoisy = noisy_messenger:INFO\n")
    (site / "noisy_messenger.py").write_text(NOISE + "INFO = None\n")


@pytest.mark.timeout(60)
async def test_it_holds_the_same_lock(home: Path, run_pump: RunPump) -> None:
    options = "--embedded", "--preset", "reader", "--toolsets", "groups"
    async with run_pump(*options, MESSENGERS_PORT="0") as pump:
        await pump.open()
        listed = await pump.call({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})
        assert is_held(home)
        await pump.close_stdin()
        await pump.process.wait()

    names = {tool["name"] for tool in listed["result"]["tools"]}
    assert {"read_messages", "list_groups"} <= names
    assert "send_message" not in names
    with locked(home):
        async with run_pump("--embedded") as pump:
            with anyio.fail_after(20):
                code = await pump.process.wait()
            told = await pump.stderr()
    assert code == 75
    assert "Messengers runs already" in told


@pytest.mark.timeout(60)
async def test_a_file_may_be_its_input(home: Path, environment: dict[str, str]) -> None:
    """As in `messengers stdio --embedded < requests.jsonl`."""
    requests = home.parent / "requests.jsonl"
    write_requests(requests)
    with requests.open("rb") as stream:
        done = await anyio.run_process(
            [sys.executable, "-m", "messengers", "stdio", "--embedded", "--home", str(home)],
            stdin=stream,
            env={**environment, "MESSENGERS_PORT": "0"},
        )

    assert [json.loads(line)["id"] for line in done.stdout.splitlines()] == ["hello", 5]


def write_requests(file: Path) -> None:
    from tests.process.conftest import INITIALIZE, INITIALIZED

    requests = (INITIALIZE, INITIALIZED, tool_call("list_instances", 5))
    file.write_text("".join(json.dumps(each) + "\n" for each in requests), encoding="utf-8")
