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
    target: Annotated[
        Path | None, typer.Argument(help="The file to write; else one in the data directory.")
    ] = None,
    with_sessions: Annotated[
        bool,
        typer.Option("--with-sessions", help="The accounts' sessions too: keep them like a key."),
    ] = False,
    home: Home = None,
) -> None:
    """Copy the database, without the master key and the accounts' sessions.

    Keep secret.key apart, and safe.
    """
    moment = datetime.now().astimezone().strftime("%Y%m%dT%H%M%S")
    file = target or place_of(home) / "backups" / f"messengers-{moment}.db"
    if target is None:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    answer = ask(
        "POST",
        "/backup",
        _ANSWER,
        {"path": str(file.absolute()), "sessions": with_sessions},
        home=home,
    )
    say(f"Copied to {answer['path']}.", answer["note"])
