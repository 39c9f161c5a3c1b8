"""`messengers backup`: a copy of the database while everything runs."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter

from messengers.cli.control import ask, place_of
from messengers.cli.terminal import Home, say

__all__ = ["backup"]

_ANSWER = TypeAdapter(dict[str, str])


def backup(
    target: Annotated[Path | None, typer.Argument(help="The file to write.")] = None,
    home: Home = None,
) -> None:
    """Copy the database. The master key is not in the copy: keep secret.key apart, and safe."""
    moment = datetime.now().astimezone().strftime("%Y%m%dT%H%M%S")
    file = target or place_of(home) / "backups" / f"messengers-{moment}.db"
    if target is None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    answer = ask("POST", "/backup", _ANSWER, {"path": str(file.absolute())}, home=home)
    say(f"Copied to {answer['path']}.", answer["note"])
