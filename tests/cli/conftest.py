"""The command line in this process, in a user directory with nothing in it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from messengers.cli.main import app

pytest_plugins = ["tests.living"]

Run = Callable[..., Result]
_FOREIGN = (
    *("XDG_CONFIG_HOME", "XDG_DATA_HOME", "APPDATA"),
    *("CLAUDE_CONFIG_DIR", "CODEX_HOME", "COPILOT_HOME"),
    *("MESSENGERS_HOME", "MESSENGERS_PORT", "MESSENGERS_SOCKET"),
)


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's directory; no client is installed and no program on the path."""
    for name in _FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path


@pytest.fixture
def run(user: Path) -> Run:
    """`run("install", "cursor", code=0)`: the command's result once its exit code is checked."""

    def invoke(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        result = CliRunner().invoke(app, arguments, input=stdin)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, result.output
        return result

    return invoke
