"""The shape of every answer: our header, what strangers wrote between fresh marks, our note.

Whole items only, 25,000 characters at most.
"""

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import orjson
from mcp.types import CallToolResult, TextContent
from pydantic import BaseModel

from messengers.core.pages import Page

__all__ = [
    "CAP",
    "DOUBT",
    "DOUBT_OF_CHANGE",
    "AccessResult",
    "BulkResult",
    "Done",
    "DoneResult",
    "GroupResult",
    "InstanceResult",
    "LettersResult",
    "Paged",
    "Sent",
    "SentResult",
    "compact",
    "header",
    "untrusted",
    "written",
]

T = TypeVar("T")

CAP = 25_000
"""Characters of one answer."""
DOUBT = "UNCERTAIN: it may have been sent; check with read_messages before repeating."
DOUBT_OF_CHANGE = "UNCERTAIN: it may have been done; look before repeating."


def header(*parts: str) -> str:
    """The parts that say something, in one line."""
    return " · ".join(part for part in parts if part)


def untrusted(lines: Sequence[str], title: str = "") -> str:
    """The lines between marks whose nonce stands nowhere in them.

    Each line is already cleaned and led by something of ours.
    """
    body = "\n".join(lines)
    nonce = secrets.token_hex(3)
    while nonce in body or nonce in title:
        nonce = secrets.token_hex(3)
    opening = f"<untrusted {nonce}> {title}".rstrip()
    return "\n".join(part for part in (opening, body, f"</untrusted {nonce}>") if part)


def compact(value: object) -> str:
    """JSON on one line; what is empty is left out by whoever made the value."""
    return orjson.dumps(value).decode()


@dataclass(frozen=True, slots=True)
class Paged(Generic[T]):
    """Fits a page into one answer: what is too much is left to the cursor."""

    fetch: Callable[[int], Awaitable[Page[T]]]
    """Asked again with a smaller limit, so that the cursor stands right behind the last item."""
    render: Callable[[Page[T], str], str]
    """The whole answer of a page; the second argument is what to say of its cursor."""
    empty: Callable[[], Awaitable[str]] | None = None
    """What to say and do when there is nothing; without it the page is rendered all the same."""
    size: Callable[[Page[T]], int] = lambda page: len(page.items)
    """What the limit counts."""

    async def answer(self, limit: int) -> str:
        page = await self.fetch(limit)
        if not page.items and self.empty:
            return await self.empty()
        found = self.size(page)
        text = self.render(page, _more(page.cursor))
        while len(text) > CAP and self.size(page) > 1:
            size = self.size(page)
            fewer = min(size - 1, size * CAP // len(text))
            page = await self.fetch(max(1, fewer))
            text = self.render(page, f"showing {self.size(page)} of {found}, cursor={page.cursor}")
        return text


def _more(cursor: str) -> str:
    return f"more: cursor={cursor}" if cursor else ""


class Sent(BaseModel):
    """What a send answers; empty fields are left out."""

    message: str = ""
    chat: str = ""
    outcome: str
    delivery: str = ""
    sent_at: str = ""
    approval: str = ""
    link: str = ""
    notes: list[str] = []


class Done(BaseModel):
    """What a change of something that exists answers."""

    message: str = ""
    outcome: str
    approval: str = ""
    notes: list[str] = []


class InstanceDone(BaseModel):
    """What an act on an instance answers."""

    instance: str
    outcome: str
    state: str = ""
    next_step: str = ""
    link: str = ""
    approval: str = ""
    notes: list[str] = []


class GroupDone(BaseModel):
    """What an act on a group answers."""

    chat: str = ""
    outcome: str
    link: str = ""
    approval: str = ""
    notes: list[str] = []


class AccessDone(BaseModel):
    """What a change of who is heard answers."""

    outcome: str
    approval: str = ""
    notes: list[str] = []


class LettersDone(BaseModel):
    """What trying dead letters again answers."""

    understood: int
    waiting: int = 0
    dead: list[str] = []


class BulkDone(BaseModel):
    """What a bulk send answers."""

    batch: str = ""
    instance: str = ""
    outcome: str
    total: int = 0
    counts: dict[str, int] = {}
    approval: str = ""
    notes: list[str] = []


AccessResult = Annotated[CallToolResult, AccessDone]
BulkResult = Annotated[CallToolResult, BulkDone]
SentResult = Annotated[CallToolResult, Sent]
DoneResult = Annotated[CallToolResult, Done]
GroupResult = Annotated[CallToolResult, GroupDone]
InstanceResult = Annotated[CallToolResult, InstanceDone]
LettersResult = Annotated[CallToolResult, LettersDone]


def written(answer: Mapping[str, Any], text: str = "") -> CallToolResult:
    """A write's answer, once as text and once structured, without what is empty."""
    said = {key: value for key, value in answer.items() if value not in ("", [], (), None)}
    return CallToolResult(
        content=[TextContent(type="text", text=text or compact(said))], structured_content=said
    )
