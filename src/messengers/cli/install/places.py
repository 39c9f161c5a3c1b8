"""Where clients keep their configs on this machine, and which of them are installed."""

import shutil
import sys
from pathlib import Path

from messengers.cli.install.clients import CLIENTS, Client
from messengers.home import program_directory

__all__ = ["config_file", "installed"]


def config_file(client: Client) -> Path:
    """The client's own config: the first candidate that exists, else the first."""
    candidates = _candidates(client)
    return next((path for path in candidates if path.exists()), candidates[0])


def installed() -> list[str]:
    """The clients whose command, config or directory for it is there."""
    return [key for key, client in CLIENTS.items() if _is_installed(client)]


def _is_installed(client: Client) -> bool:
    if client.program and shutil.which(client.program):
        return True
    return any(
        path.exists() or (path.parent != Path.home() and path.parent.is_dir())
        for path in _candidates(client)
    )


def _candidates(client: Client) -> list[Path]:
    files = client.files.get("") or client.files[_platform()]
    known = _directories()
    return [Path(template.format_map(known)) for template in files]


def _platform() -> str:
    if sys.platform == "darwin":
        return "mac"
    return "windows" if sys.platform == "win32" else "linux"


def _directories() -> dict[str, str]:
    home = str(Path.home())
    return {
        "home": home,
        "config": program_directory("XDG_CONFIG_HOME", f"{home}/.config"),
        "support": f"{home}/Library/Application Support",
        "appdata": program_directory("APPDATA", f"{home}/AppData/Roaming"),
        "claude": program_directory("CLAUDE_CONFIG_DIR", home),
        "codex": program_directory("CODEX_HOME", f"{home}/.codex"),
        "copilot": program_directory("COPILOT_HOME", f"{home}/.copilot"),
    }
