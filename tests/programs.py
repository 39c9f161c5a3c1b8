"""Programs some tests drive: where they are found, and whether CI may miss them.

On a newcomer's machine a test without its program skips and says so; with CI_STRICT_SKIPS=1 it
fails.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
NPM_BIN = ROOT / "build" / "npm" / "node_modules" / ".bin"
STRICT_SKIPS = os.environ.get("CI_STRICT_SKIPS") == "1"  # noqa: TID251 — the suite's own switch


@dataclass(frozen=True)
class Program:
    """`names` are tried in order, in `build/npm` (where .ci/run installs) and then on PATH."""

    names: tuple[str, ...]
    source: str
    always_in_ci: bool = True


PROGRAMS = {
    "chromium": Program(("chromium", "chromium-browser", "google-chrome"), "apt-get: chromium"),
    "ffmpeg": Program(("ffmpeg",), "apt-get: ffmpeg"),
    "git": Program(("git",), "apt-get: git"),
    "make": Program(("make",), "apt-get: make"),
    "node": Program(("node", "nodejs"), "apt-get: nodejs"),
    "npm": Program(("npm",), "apt-get: npm"),
    # npm may give these or not, so CI does not insist: their tests then skip and say so.
    "claude": Program(("claude",), "npm: @anthropic-ai/claude-code", always_in_ci=False),
    "mcp-inspector": Program(
        ("mcp-inspector",), "npm: @modelcontextprotocol/inspector", always_in_ci=False
    ),
}


def find_program(key: str) -> str | None:
    """The absolute path, or None."""
    for name in PROGRAMS[key].names:
        for path in (str(NPM_BIN), None):
            if found := shutil.which(name, path=path):
                return found
    return None


def require_program(key: str) -> str:
    """The absolute path; without it the test skips, or fails where CI promised the program."""
    if found := find_program(key):
        return found
    program = PROGRAMS[key]
    reason = f"{key} is not installed ({program.source})"
    if STRICT_SKIPS and program.always_in_ci:
        pytest.fail(reason)
    pytest.skip(reason)


def require_npm_package(name: str) -> Path:
    """Where it is in `build/npm`; without it the test skips: it is not promised to anybody."""
    place = NPM_BIN.parent / name
    if not place.is_dir():
        pytest.skip(f"{name} is not installed (npm install --prefix build/npm {name})")
    return place


def require_environment(name: str, packages: str) -> Path:
    """The python beside the program of that name in `build`; without it the test skips."""
    place = ROOT / "build" / name / "bin"
    if not (place / name).exists():
        how = f"python3 -m venv build/{name} && build/{name}/bin/pip install {packages}"
        pytest.skip(f"{name} is not installed ({how})")
    return place / "python"


def tracked_files() -> list[str]:
    """What a clone would have: the names of the files git tracks or would take, from the root.

    Skips the test where there is no checkout.
    """
    done = subprocess.run(
        [require_program("git"), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pytest.skip("not a git checkout")
    return [name for name in done.stdout.split("\0") if name and (ROOT / name).is_file()]
