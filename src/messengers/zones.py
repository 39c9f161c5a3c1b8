"""Time zones by their IANA names, and which one this machine has."""

import contextlib
import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["named_zone", "system_zones"]


def named_zone(name: str) -> ZoneInfo | None:
    """The zone of a name; None without such a one."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def system_zones(named: str | Path, linked: str | Path) -> tuple[str, ...]:
    """Debian writes the name into a file, everyone else links to the zone's data."""
    names: list[str] = []
    with contextlib.suppress(OSError, UnicodeDecodeError):
        names.append(Path(named).read_text(encoding="utf-8").strip())
    _, found, name = os.path.realpath(linked).partition("zoneinfo/")
    return (*names, name) if found else tuple(names)
