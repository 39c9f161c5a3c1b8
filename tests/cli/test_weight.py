"""What a command loads before it does anything."""

import subprocess
import sys
from pathlib import Path

import messengers.cli

_APART = {"conversation", "doctor", "rebuild", "restore", "rotate_key"}
"""The MCP client of the demo, and what opens the database when no daemon runs."""
_HEAVY = {"mcp", "sqlalchemy", "starlette", "uvicorn"}


def test_a_command_that_asks_the_daemon_loads_neither_store_nor_server() -> None:
    folder = Path(messengers.cli.__path__[0])
    names = sorted(each.stem for each in folder.glob("[a-z]*.py") if each.stem not in _APART)
    lines = [f"import messengers.cli.{name}" for name in names]
    code = "\n".join(["import sys", *lines, f"print(*(sys.modules.keys() & {_HEAVY!r}))"])

    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )

    assert len(names) > 10
    assert loaded.stdout.split() == []
