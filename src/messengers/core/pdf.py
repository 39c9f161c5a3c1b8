"""The text of a PDF, read in a process of its own: `python -m messengers.core.pdf`.

A document is a program that strangers wrote. What it takes of time and memory ends here with this
process, which reads the file from stdin, has no settings and writes text to stdout: pages with a
form feed after each, as far as it came.
"""

import sys
from io import BytesIO
from typing import BinaryIO, TextIO

__all__ = ["LOCKED", "MAX_CHARS", "main"]

MAX_CHARS = 200_000
LOCKED = 3
"""The exit code of one that wants a password."""
_MAX_MEMORY_BYTES = 512 * 1024 * 1024
_MAX_CPU_S = 15


def main(source: BinaryIO, out: TextIO) -> int:
    """Write the text of each page. Returns the exit code; a damaged file raises anything."""
    from pypdf import PdfReader

    left = MAX_CHARS
    reader = PdfReader(BytesIO(source.read()))
    if reader.is_encrypted and not reader.decrypt(""):
        return LOCKED
    for page in reader.pages:
        text = page.extract_text()[:left]
        left -= len(text)
        out.write(f"{text}\f")
        out.flush()
        if not left:
            break
    return 0


def _confine() -> None:
    """Less memory and time than would be felt, where the system knows such bounds."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_MAX_CPU_S, _MAX_CPU_S))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":  # pragma: no cover — the process of its own has no coverage
    _confine()
    with open(1, "w", encoding="utf-8", errors="replace", newline="") as out:
        sys.exit(main(sys.stdin.buffer, out))
