import json
import shutil
import stat
import sys
from pathlib import Path

import pytest

from messengers.cli.install import files
from messengers.cli.install.command import own_launch
from messengers.errors import Conflict
from tests.cli.conftest import Run

SECRET = "sk-live-of-another-server-0123456789"
OTHERS = """\
{
  // mine
  "mcpServers": {
    "other": {"command": "o", "env": {"TOKEN": "SECRET"}}
  }
}
""".replace("SECRET", SECRET)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def cursor(user: Path) -> Path:
    """Cursor's config, which holds another server."""
    file = user / ".cursor" / "mcp.json"
    file.parent.mkdir()
    file.write_text(OTHERS, "utf-8")
    return file


def backups(file: Path) -> list[Path]:
    return sorted(file.parent.glob(f"{file.name}.before-messengers-*"))


@pytest.mark.case("S16")
def test_installing_shows_the_diff_backs_up_and_touches_nothing_else(
    run: Run, cursor: Path
) -> None:
    shown = run("install", "cursor", "--no-verify").output

    after = cursor.read_text("utf-8")
    assert after.startswith(OTHERS.removesuffix("\n  }\n}\n"))
    assert json.loads(after.replace("// mine", ""))["mcpServers"]["messengers"] == {
        "command": str(Path(sys.executable).with_name("messengers")),
        "args": ["stdio"],
    }
    assert "@@ mcpServers.messengers @@" in shown
    assert '+  "args": [' in shown
    assert SECRET not in shown
    assert mode(cursor) == 0o600
    (copy,) = backups(cursor)
    assert copy.read_text("utf-8") == OTHERS
    assert mode(copy) == 0o600


def test_installing_twice_changes_nothing(run: Run, cursor: Path) -> None:
    run("install", "cursor", "--no-verify")
    once = cursor.read_text("utf-8")

    shown = run("install", "cursor", "--no-verify").output

    assert "is set up already" in shown
    assert cursor.read_text("utf-8") == once
    assert len(backups(cursor)) == 1


@pytest.mark.case("S16")
def test_uninstalling_leaves_what_was_there(run: Run, cursor: Path) -> None:
    run("install", "cursor", "--no-verify")

    run("uninstall", "cursor")

    assert cursor.read_text("utf-8") == OTHERS
    assert "has nothing of ours" in run("uninstall", "--client", "cursor").output


@pytest.mark.case("S16")
def test_anothers_server_of_our_name_is_neither_replaced_nor_removed(run: Run, user: Path) -> None:
    file = user / ".cursor" / "mcp.json"
    file.parent.mkdir()
    text = '{"mcpServers": {"messengers": {"command": "another"}}}'
    file.write_text(text, "utf-8")

    refused = run("install", "cursor", code=1)
    run("uninstall", "cursor")

    assert "another server named messengers" in refused.stderr
    assert file.read_text("utf-8") == text
    run("install", "cursor", "--name", "chats", "--no-verify")
    assert set(json.loads(file.read_text("utf-8"))["mcpServers"]) == {"messengers", "chats"}


@pytest.mark.case("S16")
@pytest.mark.parametrize("text", ["{", '{"mcpServers": 1}', "[]", '{"a":1,"a":2}', "\xff"])
def test_a_malformed_config_is_refused_and_stays(run: Run, cursor: Path, text: str) -> None:
    cursor.write_bytes(text.encode("latin-1"))

    shown = run("install", "cursor", code=1)

    assert "Nothing was changed" in shown.stderr
    assert cursor.read_bytes() == text.encode("latin-1")
    assert backups(cursor) == []


def test_a_dry_run_changes_nothing(run: Run, cursor: Path) -> None:
    shown = run("install", "cursor", "--dry-run").output

    assert '+  "command"' in shown
    assert cursor.read_text("utf-8") == OTHERS
    assert backups(cursor) == []


def test_a_linked_config_is_followed_and_stays_a_link(run: Run, user: Path, cursor: Path) -> None:
    real = user / "dotfiles" / "cursor.json"
    real.parent.mkdir()
    cursor.rename(real)
    cursor.symlink_to(real)

    run("install", "cursor", "--no-verify")

    assert cursor.is_symlink()
    assert "messengers" in real.read_text("utf-8")
    assert len(backups(real)) == 1


def test_a_config_that_cannot_be_written_is_left_and_named(run: Run, cursor: Path) -> None:
    shutil.rmtree(cursor.parent)
    cursor.parent.write_text("a file where the directory belongs", "utf-8")

    shown = run("install", "cursor", code=1)

    assert str(cursor.parent) in shown.stderr


def test_a_directory_in_place_of_the_config_is_refused(run: Run, cursor: Path) -> None:
    cursor.unlink()
    cursor.mkdir()

    assert "is no file" in run("install", "cursor", code=1).stderr


def test_an_enormous_config_is_refused(run: Run, cursor: Path) -> None:
    cursor.write_text(" " * (16 * 1024 * 1024 + 1), "utf-8")

    assert "too large" in run("install", "cursor", code=1).stderr


def test_a_config_that_changed_meanwhile_is_not_overwritten(cursor: Path) -> None:
    with pytest.raises(Conflict):
        files.replace(cursor, "what we had read", "{}")

    assert cursor.read_text("utf-8") == OTHERS
    assert list(cursor.parent.iterdir()) == [cursor]


def test_secrets_that_the_owner_put_into_our_entry_are_kept_and_not_shown(
    run: Run, user: Path
) -> None:
    file = user / ".cursor" / "mcp.json"
    file.parent.mkdir()
    ours = {"command": "/old/messengers", "args": ["stdio"], "env": {"API_TOKEN": SECRET}}
    file.write_text(json.dumps({"mcpServers": {"messengers": ours}}), "utf-8")

    shown = run("install", "cursor", "--no-verify").output

    assert SECRET not in shown
    kept = json.loads(file.read_text("utf-8"))["mcpServers"]["messengers"]
    assert kept["env"] == {"API_TOKEN": SECRET}
    assert kept["command"] != "/old/messengers"


def test_another_home_is_written_absolutely(run: Run, user: Path) -> None:
    run("install", "codex", "--no-verify", "--home", str(user / "elsewhere"))

    text = (user / ".codex" / "config.toml").read_text("utf-8")
    assert f'MESSENGERS_HOME = "{user}/elsewhere"' in text


def test_without_its_script_the_module_is_started(
    user: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", str(user / "python"))

    launch = own_launch(None)

    assert (launch.command, launch.args) == (
        str(user / "python"),
        ("-m", "messengers", "stdio"),
    )


def test_all_means_the_clients_that_are_here(run: Run, user: Path, cursor: Path) -> None:
    (user / ".codeium" / "windsurf").mkdir(parents=True)
    (user / ".config" / "goose").mkdir(parents=True)

    run("install", "--client", "all", "--no-verify")

    assert "messengers" in cursor.read_text("utf-8")
    assert (user / ".codeium" / "windsurf" / "mcp_config.json").exists()
    assert not (user / ".claude.json").exists()
    run("uninstall", "all")
    assert cursor.read_text("utf-8") == OTHERS


def test_all_without_any_client_says_what_to_do(run: Run) -> None:
    assert "--print" in run("install", "all", code=1).stderr


def test_naming_no_client_is_misuse_and_lists_them(run: Run, cursor: Path) -> None:
    shown = run("install", code=2).stderr

    assert "Found here: cursor" in shown
    assert "zed" in shown


def test_an_unknown_client_is_named_with_the_known_ones(run: Run) -> None:
    assert "Known: claude-code" in run("install", "emacs", code=1).stderr


def test_one_client_that_fails_does_not_keep_the_others_back(run: Run, cursor: Path) -> None:
    shown = run("install", "goose", "cursor", code=1)

    assert "messengers" in cursor.read_text("utf-8")
    assert "messengers install --print goose" in shown.stderr
    assert "Goose" in run("uninstall", "goose", code=1).stderr


def test_a_config_with_a_prompt_is_shown_instead_of_written(run: Run, user: Path) -> None:
    shown = run("install", "vscode", "--transport", "http", code=1)

    assert "--print vscode --transport http" in shown.stderr
    assert not (user / ".config" / "Code").exists()


def test_printing_writes_nothing(run: Run, user: Path) -> None:
    shown = run("install", "--print", "cursor", "--command", "messengers").stdout

    assert json.loads(shown) == {
        "mcpServers": {"messengers": {"command": "messengers", "args": ["stdio"]}}
    }
    assert list(user.iterdir()) == []


def test_a_pair_that_cannot_work_is_refused(run: Run, user: Path) -> None:
    shown = run("install", "codex", "--transport", "sse", code=1)

    assert "--transport stdio or http" in shown.stderr
    assert not (user / ".codex").exists()


def test_over_http_the_variable_is_explained_and_the_daemon_asked(run: Run, user: Path) -> None:
    shown = run("install", "cursor", "--transport", "http", code=1)

    entry = json.loads((user / ".cursor" / "mcp.json").read_text("utf-8"))["mcpServers"]
    assert entry["messengers"]["url"].endswith("/mcp")
    assert "export MESSENGERS_API_KEY=" in shown.stdout
    assert "messengers serve" in shown.stderr


def test_a_note_of_the_client_is_passed_on(run: Run) -> None:
    assert "Quit and start Claude Desktop" in run("install", "claude-desktop", "--no-verify").output


def test_opencode_is_written_where_its_config_lies(run: Run, user: Path) -> None:
    file = user / ".config" / "opencode" / "opencode.jsonc"
    file.parent.mkdir(parents=True)
    file.write_text("{}", "utf-8")

    run("install", "opencode", "--no-verify")

    assert json.loads(file.read_text("utf-8"))["mcp"]["messengers"]["type"] == "local"
