"""Talking to a person at a terminal: what every command prints with, and how errors read."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from pydantic_core import to_json
from rich.console import Console
from rich.table import Table
from rich.text import Text

from messengers.cli.remedies import at_terminal
from messengers.core.legible import written_out as visible
from messengers.errors import Forbidden, MessengersError
from messengers.redaction import redact_answer

__all__ = [
    "AsJson",
    "Home",
    "data",
    "fail",
    "is_interactive",
    "local_time",
    "misused",
    "one_line",
    "require_person",
    "rows",
    "say",
    "state_text",
    "tell",
    "visible",
    "warn",
]

Home = Annotated[
    Path | None, typer.Option(help="The data directory; else MESSENGERS_HOME, else the usual one.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

_STYLES = {"ok": "green", "warn": "yellow", "fail": "red", "connected": "green"}


def say(*lines: str) -> None:
    """Print lines as they are; nothing in them drives the terminal."""
    for line in lines:
        typer.echo(visible(line))


def warn(text: str) -> None:
    """One line on stderr."""
    typer.echo(visible(text), err=True)


def data(value: object) -> None:
    """The answer for programs: domain types as JSON on stdout."""
    typer.echo(json.dumps(json.loads(to_json(value)), indent=2, ensure_ascii=False))


def rows(heads: Sequence[str], lines: Sequence[Sequence[str]]) -> None:
    """A table as wide as the terminal, or as wide as it must be where there is none."""
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for head in heads:
        table.add_column(head, overflow="fold")
    for line in lines:
        table.add_row(*(state_text(cell) for cell in line))
    console = Console(width=None if sys.stdout.isatty() else 200, highlight=False)
    console.print(table)


def state_text(cell: str) -> Text:
    """A cell as plain text; words that say how something fares in their colour."""
    return Text(visible(cell), style=_STYLES.get(cell, ""))


def tell(error: MessengersError) -> None:
    """Cause and remedy on stderr."""
    warn(redact_answer(f"messengers: {error.cause}"))
    if error.remedy:
        warn(redact_answer(f"  → {at_terminal(error.remedy)}"))


def fail(cause: str, remedy: str = "") -> NoReturn:
    """End with a failure that is no fault of the daemon's."""
    tell(MessengersError(cause, remedy))
    raise typer.Exit(1)


def misused(cause: str, remedy: str = "") -> NoReturn:
    """End because the command was given wrongly."""
    tell(MessengersError(cause, remedy))
    raise typer.Exit(2)


def local_time(moment: datetime) -> str:
    """To the minute, in the zone of this terminal."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def one_line(text: str) -> str:
    """The text on one line, so that it cannot forge the next."""
    return text.replace("\n", "\\n")


def is_interactive() -> bool:
    """Whether a person sits at both ends: an agent's shell has pipes."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def require_person(what: str) -> None:
    """Raises Forbidden where nobody can read and answer."""
    if not is_interactive():
        raise Forbidden(
            f"{what} needs an interactive terminal.",
            "Run it yourself in a terminal window: the answer must be a person's.",
        )
