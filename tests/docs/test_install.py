"""What a newcomer does first: `make demo`, `pipx install .`, `uv tool install .`.

Each in a clean copy of the tree and an empty environment, through the package registry.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.living import House, living
from tests.programs import ROOT, require_program, tracked_files

pytestmark = pytest.mark.timeout(480)

_DEADLINE_S = 420
# What a shell without any virtual environment does not have.
_OURS = ("VIRTUAL_ENV", "PYTHON", "MESSENGERS_", "XDG_", "UV_", "PIPX_")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files a clone would have, and none that was generated."""
    target = tmp_path_factory.mktemp("clone")
    for name in tracked_files():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_bytes((ROOT / name).read_bytes())
    return target


@pytest.fixture(scope="module")
def installers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pipx and uv lie."""
    place = tmp_path_factory.mktemp("installers")
    subprocess.run([sys.executable, "-m", "venv", place], check=True)
    pip = [place / "bin" / "python", "-m", "pip", "install", "--quiet"]
    done = subprocess.run(
        [*pip, "pipx", "uv"], check=False, capture_output=True, text=True, timeout=_DEADLINE_S
    )
    assert done.returncode == 0, done.stderr
    return place / "bin"


def environment(user: Path, *paths: Path) -> dict[str, str]:
    """That of somebody who has just opened a shell; the registry is the machine's own setting."""
    kept = {
        name: value
        for name, value in os.environ.items()  # noqa: TID251 - a person's shell
        if not name.startswith(_OURS)
    }
    python = str(Path(sys.executable).resolve().parent)
    found = os.pathsep.join([*map(str, paths), python, "/usr/local/bin", "/usr/bin", "/bin"])
    return {**kept, "HOME": str(user), "MESSENGERS_PORT": "0", "PATH": found}


def run(line: Sequence[str], cwd: Path, env: dict[str, str]) -> str:
    done = subprocess.run(
        line,
        cwd=cwd,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_DEADLINE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_make_demo_works_in_a_clean_clone(checkout: Path, tmp_path: Path) -> None:
    make = require_program("make")

    shown = run([make, "demo", "ARGS=--once"], checkout, environment(tmp_path))

    assert (checkout / ".venv" / "bin" / "messengers").exists()
    assert "/chat/" in shown
    assert "send_message" in shown
    assert not (tmp_path / ".local" / "share" / "messengers").exists()


def test_it_installs_with_the_engine_of_whatsapp(
    checkout: Path, installers: Path, tmp_path: Path
) -> None:
    local = tmp_path / ".local" / "bin"
    env = environment(tmp_path, installers, local)

    run(["pipx", "install", "--force", ".[whatsapp]"], checkout, env)

    with living(tmp_path) as house:
        messengers = Installed(house, local / "messengers", env)
        new = messengers.run("instances", "add", "whatsapp_web", "phone", "--no-connect")
        assert "phone" in new
        messengers.run("stop")


@pytest.mark.parametrize("command", ["pipx install .", "uv tool install ."])
def test_it_installs_into_an_empty_environment(
    command: str, checkout: Path, installers: Path, tmp_path: Path
) -> None:
    local = tmp_path / ".local" / "bin"
    env = environment(tmp_path, installers, local)

    run(command.split(), checkout, env)

    with living(tmp_path) as house:
        messengers = Installed(house, local / "messengers", env)
        assert messengers.run("--version").startswith("messengers ")
        assert "/chat/shop" in messengers.run("instances", "add", "webchat", "shop")
        messengers.run("stop")


class Installed:
    """The command that was installed, and not the one that runs the tests."""

    def __init__(self, house: House, program: Path, env: dict[str, str]) -> None:
        self._house = house
        self._program = program
        self._env = env

    def run(self, *arguments: str) -> str:
        return run([str(self._program), *arguments], self._house.user, self._env)
