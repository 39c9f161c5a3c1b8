"""The optional parts of this installation: whether one is there, and the command that gets it."""

import re
import sys
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import PurePath

__all__ = ["install_command", "is_installed"]

_DISTRIBUTION = "messengers-mcp"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def is_installed(extra: str) -> bool:
    """Whether everything that an extra of ours consists of is installed."""
    wanted = _packages(extra)
    return bool(wanted) and all(_has(name) for name in wanted)


def install_command(extra: str, prefix: str = sys.prefix) -> str:
    """How to add an extra to the environment at `prefix`, as whoever made that installs."""
    wanted = f'"{_DISTRIBUTION}[{extra}]"'
    parts = PurePath(prefix).parts
    if "pipx" in parts:
        return f"pipx install --force {wanted}"
    if "uv" in parts and "tools" in parts:
        return f"uv tool install --force {wanted}"
    return f"pip install {wanted}"


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
