"""The words in a document, for a model that cannot open it.

Plain text is its own. A PDF is read by a process that is cut off at its bounds. Archives and office
files, which are archives, are never unpacked.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import anyio

from messengers.core.children import ask_program
from messengers.core.media import MediaContent
from messengers.core.pdf import LOCKED, MAX_CHARS
from messengers.core.words import counted

__all__ = ["Documents", "Words"]

_READER: Sequence[str] = (sys.executable, "-I", "-m", "messengers.core.pdf")
_DEADLINE_S = 20.0


@dataclass(frozen=True, slots=True)
class Words:
    """What a document says."""

    text: str = ""
    note: str = ""
    """What there is to know of it: pages, or why there are no words."""


class Documents:
    """Reads them, few at once."""

    def __init__(self, reader: Sequence[str] = _READER, deadline_s: float = _DEADLINE_S) -> None:
        self._reader = reader
        self._deadline_s = deadline_s
        self._turns = anyio.CapacityLimiter(2)

    async def words(self, content: MediaContent) -> Words | None:
        """The text of a document; None for what is none or is not opened here."""
        match content.attachment.mime:
            case "text/plain":
                return Words(content.data.decode("utf-8", "replace"))
            case "application/pdf":
                return await self._pdf(content.data)
            case _:
                return None

    async def _pdf(self, data: bytes) -> Words:
        async with self._turns:
            said = await ask_program(
                self._reader, data, deadline_s=self._deadline_s, max_bytes=4 * MAX_CHARS
            )
        if said.code == LOCKED:
            return Words(note="It wants a password.")
        pages = said.out.decode("utf-8", "replace").split("\f")
        count = counted(len(pages) - 1, "page")
        text = "\n\n".join(page.strip() for page in pages).strip()
        if said.code == 0 and text:
            return Words(text, count)
        if text:
            return Words(text, f"{count} could be read, not the rest.")
        if said.code == 0:
            return Words(note=f"{count} without text: pictures, or a scan.")
        return Words(note="It cannot be read: damaged, or too much to read.")
