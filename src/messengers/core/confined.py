"""What the processes that read strangers' documents share: bounds, and how what was read is told.

A document is a program that strangers wrote. What it takes of time and memory ends with the process
that reads it from stdin, has no settings and writes text to stdout: sections (pages, sheets,
slides) with a form feed after each, as far as it came.
"""

import sys
from collections.abc import Callable, Iterable
from typing import BinaryIO, TextIO

__all__ = ["LOCKED", "MAX_CHARS", "MISSING", "OTHER", "hand_on", "serve"]

MAX_CHARS = 200_000
LOCKED, OTHER, MISSING = 3, 4, 5
"""Exit codes: it wants a password; it is nothing that is read here; the library is not there."""
_MAX_MEMORY_BYTES = 512 * 1024 * 1024
_MAX_CPU_S = 15


def hand_on(sections: Iterable[str], out: TextIO) -> None:
    """Write them, up to our share."""
    left = MAX_CHARS
    for section in sections:
        text = section.replace("\f", "\n")[:left]
        left -= len(text)
        out.write(f"{text}\f")
        out.flush()
        if not left:
            return


def serve(main: Callable[[BinaryIO, TextIO], int]) -> None:  # pragma: no cover — has no coverage
    """Run as the process of its own that it is, and end."""
    _confine()
    with open(1, "w", encoding="utf-8", errors="replace", newline="") as out:
        sys.exit(main(sys.stdin.buffer, out))


def _confine() -> None:  # pragma: no cover — as above
    """Less memory and time than would be felt, where the system knows such bounds."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_CPU_S, _MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
