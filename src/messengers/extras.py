"""The optional parts of this installation: whether one is there, and the command that gets it."""

import re
import shlex
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import orjson

__all__ = ["install_command", "is_installed"]

_DISTRIBUTION = "messengers-mcp"
_PYTHON = "Scripts/python" if sys.platform == "win32" else "bin/python"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def is_installed(extra: str) -> bool:
    """Whether everything that an extra of ours consists of is installed."""
    wanted = _packages(extra)
    return bool(wanted) and all(_has(name) for name in wanted)


def install_command(extra: str, prefix: str = sys.prefix, origin: str | None = None) -> str:
    """How to get an extra, or its newest version, as whoever made the environment installs.

    `prefix` is the environment's directory: pipx and uv leave a note of theirs in it. `origin` is
    the installation's `direct_url.json` (PEP 610), by default that of this one.
    """
    wanted = f'"{_DISTRIBUTION}[{extra}]{_from(_origin() if origin is None else origin)}"'
    if (Path(prefix) / "pipx_metadata.json").exists():
        return f"pipx install --force {wanted}"
    if (Path(prefix) / "uv-receipt.toml").exists():
        return f"uv tool install --force --upgrade {wanted}"
    return f"{shlex.quote(str(Path(prefix) / _PYTHON))} -m pip install --upgrade {wanted}"


def _origin() -> str:
    try:
        return distribution(_DISTRIBUTION).read_text("direct_url.json") or ""
    except PackageNotFoundError:
        return ""


def _from(origin: str) -> str:
    """Where else than in the registry the distribution lies, as a requirement says it."""
    if not origin:
        return ""
    found = orjson.loads(origin)
    kind = found.get("vcs_info", {}).get("vcs")
    return f" @ {kind}+{found['url']}" if kind else f" @ {found['url']}"


def _packages(extra: str) -> list[str]:
    """The names behind an extra, from the metadata of what is installed."""
    try:
        requires = distribution(_DISTRIBUTION).requires or []
    except PackageNotFoundError:
        return []
    marked = re.compile(rf"""extra\s*==\s*['"]{re.escape(extra)}['"]""")
    found = [_NAME.match(each) for each in requires if marked.search(each)]
    return [match[0] for match in found if match]


def _has(name: str) -> bool:
    try:
        distribution(name)
    except PackageNotFoundError:
        return False
    return True
