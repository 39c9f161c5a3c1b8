"""`messengers logs`: what the daemon wrote down, read from its file, so also when it is dead."""

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
    lines: Annotated[int, typer.Option("-n", "--lines", min=1, max=5000)] = 100,
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
    for line in tail(file, lines):
        say(line if raw else readable(line))
    if follow:
        for line in _coming(file):
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


def _coming(file: Path) -> Iterator[str]:
    """New lines for ever; a rotated file is followed to its successor."""
    place, left = file.stat() if file.exists() else None, b""
    at = place.st_size if place else 0
    while True:
        time.sleep(_LOOK_AGAIN_S)
        try:
            now = file.stat()
        except FileNotFoundError:
            continue
        if place is None or now.st_ino != place.st_ino or now.st_size < at:
            at, left = 0, b""
        place = now
        if now.st_size == at:
            continue
        with file.open("rb") as stream:
            stream.seek(at)
            read = stream.read()
        at += len(read)
        *whole, left = (left + read).split(os.linesep.encode())
        yield from (line.decode("utf-8", "replace") for line in whole)
