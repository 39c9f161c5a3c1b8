"""Clients with a command of their own: it makes the change, and what it leaves is looked at."""

import json
import os
import stat
import tomllib
from pathlib import Path

import pytest

from messengers.cli.install import changes, commands
from messengers.errors import Conflict
from tests.cli.conftest import Run
from tests.living import House
from tests.programs import require_program


@pytest.fixture(scope="session")
def search_path() -> str:
    """Where the real Claude Code and its node are found; looked for before a test hides them."""
    found = (Path(require_program(name)).parent for name in ("claude", "node"))
    return ":".join((*map(str, found), "/usr/bin", "/bin"))


@pytest.fixture
def claude(search_path: str, user: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The real Claude Code on the path."""
    monkeypatch.setenv("PATH", search_path)
    return search_path


def program(user: Path, name: str, script: str) -> None:
    """A stand-in for a client's command on the path."""
    file = user / "bin" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)


@pytest.mark.timeout(120)
def test_claude_code_is_set_up_by_its_own_command_and_connects(
    house: House, search_path: str
) -> None:
    def ours(command: str) -> str:
        return house.run(["env", f"PATH={search_path}:{house.env['PATH']}", *command.split()])

    first = ours("messengers install claude-code")
    config = house.user / ".claude.json"
    entry = json.loads(config.read_text("utf-8"))["mcpServers"]["messengers"]

    assert "$ claude mcp add-json --scope user messengers" in first
    assert "Checked: it starts" in first
    assert "MESSENGERS_HOME" not in entry.get("env", {})
    assert "is set up already" in ours("messengers install claude-code")
    assert "Connected" in ours("claude mcp list")
    ours("messengers uninstall claude-code")
    assert "messengers" not in json.loads(config.read_text("utf-8"))["mcpServers"]


@pytest.mark.timeout(60)
def test_claude_codes_entry_is_replaced_when_it_changed(run: Run, user: Path, claude: str) -> None:
    old = {"type": "stdio", "command": "/old/messengers", "args": ["stdio"], "timeout": 9}
    (user / ".claude.json").write_text(json.dumps({"mcpServers": {"messengers": old}}), "utf-8")

    run("install", "claude-code", "--no-verify")

    entry = json.loads((user / ".claude.json").read_text("utf-8"))["mcpServers"]["messengers"]
    assert Path(entry["command"]).is_file()
    assert entry["timeout"] == 9


def test_the_file_is_edited_when_the_owner_prefers_that(run: Run, user: Path) -> None:
    program(user, "claude", "exit 1")

    run("install", "claude-code", "--no-verify", "--edit-file")

    entry = json.loads((user / ".claude.json").read_text("utf-8"))["mcpServers"]["messengers"]
    assert entry["type"] == "stdio"
    run("uninstall", "claude-code", "--edit-file")
    assert json.loads((user / ".claude.json").read_text("utf-8")) == {"mcpServers": {}}


def test_a_command_that_fails_is_told_in_its_own_words(run: Run, user: Path) -> None:
    program(user, "claude", "echo 'not today' >&2; exit 3")
    (user / ".claude.json").write_text("{}", "utf-8")

    shown = run("install", "claude-code", code=1)

    assert "failed: not today" in shown.stderr
    assert "before-messengers" in shown.stderr


def test_a_command_that_says_nothing_is_told_so(run: Run, user: Path) -> None:
    program(user, "claude", "exit 3")

    assert "it said nothing" in run("install", "claude-code", code=1).stderr


def test_a_command_that_changed_nothing_is_found_out(run: Run, user: Path) -> None:
    program(user, "claude", "exit 0")

    assert "did not change" in run("install", "claude-code", code=1).stderr


def test_a_command_that_cannot_be_run_is_told(user: Path) -> None:
    file = user / "bin" / "claude"
    file.parent.mkdir()
    file.write_bytes(b"\x7fELF no program")
    file.chmod(0o700)
    entry = {"type": "stdio", "command": "/x/messengers", "args": ["stdio"]}
    change = changes.plan_install("claude-code", "stdio", "messengers", entry)

    with pytest.raises(Conflict) as caught:
        changes.apply(change)

    assert "could not be run" in caught.value.cause


def test_codex_is_set_up_by_its_own_command(run: Run, user: Path) -> None:
    # What the real one writes for this line (codex-cli 0.16x).
    config = user / ".codex" / "config.toml"
    config.parent.mkdir()
    program(
        user,
        "codex",
        f"printf '%s\\n' \"$@\" > {user}/told; "
        f'printf \'[mcp_servers.messengers]\\ncommand = "%s"\\nargs = ["stdio"]\\n\' "$5" '
        f"> {config}",
    )

    run("install", "codex", "--no-verify")

    told = (user / "told").read_text("utf-8").split("\n")
    assert told[:4] == ["mcp", "add", "messengers", "--"]
    assert os.access(told[4], os.X_OK)
    assert tomllib.loads(config.read_text("utf-8"))["mcp_servers"]["messengers"]["args"] == [
        "stdio"
    ]


def test_codex_is_told_home_url_and_variable(user: Path) -> None:
    program(user, "codex", "exit 0")
    remote = {"url": "http://127.0.0.1:3000/mcp", "bearer_token_env_var": "MESSENGERS_API_KEY"}
    local = {"command": "/m", "args": ["stdio"], "env": {"MESSENGERS_HOME": "/h"}}
    add = ("codex", "mcp", "add", "us")

    assert commands.adding("codex", "us", remote, None) == (
        (*add, "--url", remote["url"], "--bearer-token-env-var", "MESSENGERS_API_KEY"),
    )
    assert commands.adding("codex", "us", local, None) == (
        (*add, "--env=MESSENGERS_HOME=/h", "--", "/m", "stdio"),
    )
    assert commands.removing("codex", "us") == (("codex", "mcp", "remove", "us"),)


def test_codex_would_drop_what_its_owner_set_so_the_file_is_edited(user: Path) -> None:
    program(user, "codex", "exit 0")
    entry = {"command": "/m", "args": ["stdio"], "tool_timeout_sec": 9}

    assert commands.adding("codex", "us", entry, entry) == ()
