import json
import os
import re
import shlex
import signal
import subprocess
from pathlib import Path

import anyio
import httpx2
import pytest
from mcp import Client, StdioServerParameters

from messengers.cli.conversation import ANSWER, QUESTION
from tests.cli.terminals import Terminal, sitting
from tests.living import House

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def temp(tmp_path: Path) -> Path:
    """Where the demo makes its home; short, for its sockets."""
    path = tmp_path / "t"
    path.mkdir()
    return path


def test_the_demo_shows_a_conversation_and_leaves_nothing(empty_house: House, temp: Path) -> None:
    shown = empty_house.run(["env", f"TMPDIR={temp}", "messengers", "demo"])

    steps = [
        f"Anna writes: {QUESTION}",
        "agent ▸ wait_for_messages(",
        "agent ▸ read_messages(chat='c1')",
        "agent ▸ search_messages(query='Sunday')",
        "agent ▸ send_message(chat='c1'",
        "Anna sees: Hello Anna! Yes, 10:00 to 16:00",
        "claude --mcp-config",
        "messengers install claude-code",
    ]
    places = [shown.index(step) for step in steps]
    assert places == sorted(places)
    assert ANSWER[:12] in shown
    assert list(temp.iterdir()) == []
    assert not empty_house.home.exists()
    pid = re.search(r"messengers-demo-\w+", shown)
    assert pid
    assert pid[0] not in processes()


def processes() -> str:
    return subprocess.run(["ps", "axww"], capture_output=True, text=True, check=True).stdout


async def test_at_a_terminal_it_stays_up_for_a_browser_and_claude_code(
    empty_house: House, temp: Path
) -> None:
    env = {**empty_house.env, "TMPDIR": str(temp)}
    with sitting(["messengers", "demo"], env, empty_house.user) as terminal:
        await anyio.to_thread.run_sync(terminal.until, "until you press Ctrl+C")

        line = shlex.split(config_line(terminal))
        entry = json.loads(line[2])["mcpServers"]["messengers"]
        server = StdioServerParameters(
            command=entry["command"], args=entry["args"], env=empty_house.env
        )
        async with Client(server) as client:
            assert (await client.list_tools()).tools
        page = re.search(r"http://\S+/chat/demo", terminal.shown)
        assert page
        assert httpx2.get(page[0]).status_code == 200

        os.kill(terminal.process.pid, signal.SIGINT)
        assert await anyio.to_thread.run_sync(terminal.end) == 0
    assert os.listdir(temp) == []


def config_line(terminal: Terminal) -> str:
    """The command for Claude Code, which a terminal may have wrapped."""
    after = terminal.shown.partition("claude --mcp-config ")[2]
    return "claude --mcp-config " + after.partition("\nSet it up")[0].replace("\n", "")


def test_at_a_terminal_once_ends_by_itself(empty_house: House, temp: Path) -> None:
    env = {**empty_house.env, "TMPDIR": str(temp)}
    with sitting(["messengers", "demo", "--once"], env, empty_house.user) as terminal:
        assert terminal.end() == 0

    assert "this one ends here" in terminal.shown


def test_a_demo_that_is_ended_early_leaves_nothing(empty_house: House, temp: Path) -> None:
    env = {**empty_house.env, "TMPDIR": str(temp)}
    with sitting(["messengers", "demo"], env, empty_house.user) as terminal:
        terminal.until("agent ▸ connected")
        os.kill(terminal.process.pid, signal.SIGTERM)
        assert terminal.end() == 128 + signal.SIGTERM

    assert list(temp.iterdir()) == []
