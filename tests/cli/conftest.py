"""The command line in this process, in a user directory with nothing in it; and a house to talk to
that all tests of commands share."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from messengers.cli.main import app
from tests.living import House, empty_house, house, living
from tests.programs import ROOT

__all__ = ["Run", "at", "empty_house", "house", "office", "run", "user"]

SITE = ROOT / "tests" / "fakes" / "site"
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


@pytest.fixture(scope="session")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A daemon that knows the fakes too: `shop` asks by policy, `careful` about everything."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{SITE}{os.pathsep}{ROOT}")
        with living(tmp_path_factory.mktemp("office")) as house:
            house.run("messengers instances add webchat shop")
            house.run("messengers instances add webchat careful --confirm always")
            yield house


@pytest.fixture
def at(office: House, run: Run) -> Run:
    """`run`, in the office."""

    def invoke(*arguments: str, code: int = 0, stdin: str | None = None) -> Result:
        return run(*arguments, "--home", str(office.home), code=code, stdin=stdin)

    return invoke
