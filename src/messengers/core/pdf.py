"""The text of a PDF, read in a process of its own: `python -m messengers.core.pdf`."""

from io import BytesIO
from typing import BinaryIO, TextIO

from messengers.core.confined import LOCKED, hand_on, serve

__all__ = ["main"]


def main(source: BinaryIO, out: TextIO) -> int:
    """Write the text of each page. Returns the exit code; a damaged file raises anything."""
    from pypdf import PdfReader

    reader = PdfReader(BytesIO(source.read()))
    if reader.is_encrypted and not reader.decrypt(""):
        return LOCKED
    hand_on((page.extract_text() for page in reader.pages), out)
    return 0


if __name__ == "__main__":  # pragma: no cover — the process of its own has no coverage
    serve(main)
