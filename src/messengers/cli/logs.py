"""`messengers logs`: what the daemon wrote down, read from its file, so also when it is dead."""

import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from pydantic import TypeAdapter, ValidationError

from messengers.cli.control import place_of
from messengers.cli.terminal import Home, fail, say
from messengers.home import START_LOG_FILE
from messengers.logs import log_file, tail

__all__ = ["logs"]

_LOOK_AGAIN_S = 0.2
_ENTRY = TypeAdapter(dict[str, object])
_HEAD = ("timestamp", "level", "logger", "event")


def logs(
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Wait for what comes.")] = False,
    lines: Annotated[
        int, typer.Option("-n", "--lines", min=1, max=5000, help="Of the end, so many.")
    ] = 100,
    raw: Annotated[bool, typer.Option("--raw", help="The JSON lines as they stand.")] = False,
    home: Home = None,
) -> None:
    """Show the daemon's log; secrets are masked when it is written."""
    place = place_of(home)
    file = log_file(place)
    if not file.exists() and not follow:
        said = tail(place / START_LOG_FILE, lines)
        if not said:
            fail(f"There is no log in {place} yet.", "`messengers serve` writes one.")
        say(*said)
        return
    batches = _batches(file) if follow else iter([tail(file, lines)])
    # Only what was there before can be long.
    for batch in itertools.chain([next(batches)[-lines:]], batches):
        for line in batch:
            say(line if raw else readable(line))


def readable(line: str) -> str:
    """A JSON line as a person reads it; what is none stays as it is."""
    try:
        fields = _ENTRY.validate_json(line)
    except ValidationError:
        return line
    moment, level, logger, event = (str(fields.get(name, "")) for name in _HEAD)
    pairs = "".join(f"  {key}={value}" for key, value in fields.items() if key not in _HEAD)
    return f"{moment[:19]} {level:<8} {logger.removeprefix('messengers.')}: {event}{pairs}"


def _batches(file: Path) -> Iterator[list[str]]:
    """All lines there are, then new ones for ever; a rotated file is followed to its successor."""
    inode, at, left = 0, 0, b""
    while True:
        try:
            with file.open("rb") as stream:
                found = os.fstat(stream.fileno())
                if found.st_ino != inode or found.st_size < at:
                    inode, at, left = found.st_ino, 0, b""
                stream.seek(at)
                read = stream.read()
        except FileNotFoundError:
            read = b""
        at += len(read)
        *whole, left = (left + read).split(b"\n")
        yield [line.decode("utf-8", "replace") for line in whole]
        time.sleep(_LOOK_AGAIN_S)
