"""Prints constraints.txt: every installed version, the WhatsApp extra and the build tools.

Run by `make constraints`. The extra, the build tools and what only a newer Python needs are
resolved, not installed.
"""

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

# discord.py needs audioop, which Python 3.13 has no more.
NEWER = ("--python-version", "3.13", "--only-binary", ":all:", "--target", "unused", "audioop-lts")
ROOT = Path(__file__).resolve().parents[2]
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check"]


def run(*args: str) -> str:
    done = subprocess.run([*PIP, *args], check=True, capture_output=True, text=True)
    return done.stdout


def installed() -> dict[str, str]:
    packages: list[dict[str, str]] = json.loads(run("list", "--format=json", "--exclude-editable"))
    return {package["name"]: package["version"] for package in packages}


def resolved(*requirements: str) -> dict[str, str]:
    with TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        run("install", "--quiet", "--dry-run", "--report", str(report), *requirements)
        found: dict[str, Any] = json.loads(report.read_text("utf-8"))
    return {each["metadata"]["name"]: each["metadata"]["version"] for each in found["install"]}


def main() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    extra: list[str] = project["project"]["optional-dependencies"]["whatsapp"]
    build: list[str] = project["build-system"]["requires"]
    pins = {**resolved(*NEWER), **resolved(*extra, *build, "editables"), **installed()}
    pins.pop("setuptools", None)  # came with the interpreter; nothing here asks for it
    lines = [f"{name.lower().replace('_', '-')}=={version}" for name, version in pins.items()]
    sys.stdout.write("# Every version, transitive ones too. Made by `make constraints`.\n")
    sys.stdout.write("\n".join(sorted(lines)) + "\n")


if __name__ == "__main__":
    main()
