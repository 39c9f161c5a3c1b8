"""The words in a document, for a model that cannot open it.

Plain text is its own. What needs a parser is read by a process that is cut off at its bounds. Of
archives only office documents are opened, and by that process alone.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from messengers.core.children import ask_program
from messengers.core.confined import LOCKED, MAX_CHARS, MISSING, OTHER
from messengers.core.media import MediaContent
from messengers.core.words import counted

__all__ = ["Documents", "Words"]

_READERS = {"application/pdf": ("pdf", "page"), "application/zip": ("office", "part")}
"""Which module of ours reads a kind, and what its sections are."""
_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class Words:
    """What a document says."""

    text: str = ""
    note: str = ""
    """What there is to know of it: pages, or why there are no words."""


class Documents:
    """Reads them, few at once."""

    def __init__(self, reader: Sequence[str] = (), deadline_s: float = _DEADLINE_S) -> None:
        """`reader`: a program that takes the place of ours."""
        self._reader = reader
        self._deadline_s = deadline_s
        self._turns = anyio.CapacityLimiter(2)

    async def words(self, content: MediaContent) -> Words | None:
        """The text of a document; None for what is none or is not opened here."""
        mime = content.attachment.mime
        if mime == "text/plain":
            return Words(content.data.decode("utf-8", "replace"))
        return await self._read(*_READERS[mime], content.data) if mime in _READERS else None

    async def _read(self, module: str, section: str, data: bytes) -> Words | None:
        program = self._reader or (sys.executable, "-I", "-m", f"messengers.core.{module}")
        async with self._turns:
            said = await ask_program(
                program, data, deadline_s=self._deadline_s, max_bytes=4 * MAX_CHARS
            )
        if said.code == OTHER:
            return None
        return _words(said.out.decode("utf-8", "replace"), said.code, section)


def _words(out: str, code: int | None, section: str) -> Words:
    """What a reader wrote, and what its exit code adds to that."""
    if code == LOCKED:
        return Words(note="It wants a password.")
    if code == MISSING:
        return Words(note="Office documents are read with `pip install messengers-mcp[office]`.")
    sections = out.split("\f")
    count = counted(len(sections) - 1, section)
    text = "\n\n".join(each.strip() for each in sections).strip()
    if code == 0 and text:
        return Words(text, count)
    if text:
        return Words(text, f"{count} could be read, not the rest.")
    if code == 0:
        return Words(note=f"{count} without text: pictures, or a scan.")
    return Words(note="It cannot be read: damaged, or too much to read.")
