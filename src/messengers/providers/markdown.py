"""Markdown in a messenger's own dialect: what both know keeps its meaning, the rest stays words."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

from messengers.providers.chunks import split

__all__ = ["Dialect", "fitted", "written"]

_SPARE = 64
"""Units by which one part may be written longer than another."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a messenger writes what Markdown means."""

    marks: Mapping[str, tuple[str, str]]
    """What stands before and after text in `strong`, `em`, `s` and `code`."""
    fence: Callable[[str, str], str]
    """A block of code: its text as it was typed, its language or ''."""
    quote: Callable[[str], str]
    """Written text as a quotation; called for the inner of two quotations first."""
    link: Callable[[str, str], str]
    """Written words that lead to an address as it was typed."""
    escape: Callable[[str], str] = str
    """Plain text, so that nothing of it is taken for a mark."""
    bullet: str = "-"
    code: Callable[[str], str] | None = None
    """Code within a line, with its marks; None: escaped between those in `marks`."""


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"breaks": True, "html": False}).enable("strikethrough")


def written(markdown: str, dialect: Dialect) -> str:
    """The text in a dialect. Raw HTML in it is text like any other."""
    writer = _Writer(dialect)
    for token in _parser().parse(markdown):
        writer.take(token)
    return writer.text()


def fitted(
    markdown: str, formatted: Callable[[str], str], limit: int, length: Callable[[str], int]
) -> Iterator[str]:
    """The formatted text in parts of at most `limit`, measured by `length`; none of blank text."""
    whole = formatted(markdown)
    if length(whole) <= limit:
        yield from filter(str.strip, [whole])
        return
    # As much smaller as marks and escapes make the whole text longer.
    typed = length(markdown)
    room = max(limit * typed // max(length(whole), typed) - _SPARE, _SPARE)
    yield from _in_room(markdown, room, formatted, limit, length)


def _in_room(
    markdown: str,
    room: int,
    formatted: Callable[[str], str],
    limit: int,
    length: Callable[[str], int],
) -> Iterator[str]:
    """In parts of `room` as they are typed; where one is too long all the same, in smaller ones."""
    for part in split(markdown, room, length):
        text = formatted(part)
        if length(text) <= limit:
            yield from filter(str.strip, [text])
        else:
            yield from _in_room(part, room // 2, formatted, limit, length)


class _Writer:
    """Writes block by block."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._parts: list[list[str]] = [[]]
        """Of the document and of each open quotation."""
        self._next: list[int | None] = []
        """Of each open list the number of its next item; None: it has bullets."""
        self._heading = False

    def text(self) -> str:
        """What was written since the last quotation opened."""
        return "".join(self._parts[-1]).strip("\n")

    def take(self, token: Token) -> None:
        """One token of the document."""
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                ordered = token.type == "ordered_list_open"
                self._next.append(int(token.attrGet("start") or 1) if ordered else None)
            case "bullet_list_close" | "ordered_list_close":
                self._next.pop()
                self._add("" if self._next else "\n")
            case "list_item_open":
                self._add(f"{'  ' * (len(self._next) - 1)}{self._bullet()} ")
            case "blockquote_open":
                self._parts.append([])
            case "blockquote_close":
                inner = self.text()
                self._parts.pop()
                self._add(f"{self._dialect.quote(inner)}\n\n" if inner else "")
            case "heading_open" | "heading_close":
                self._heading = token.nesting > 0
            case _:
                self._add(self._leaf(token))

    def _add(self, text: str) -> None:
        self._parts[-1].append(text)

    def _bullet(self) -> str:
        number = self._next[-1]
        if number is None:
            return self._dialect.bullet
        self._next[-1] = number + 1
        return f"{number}."

    def _leaf(self, token: Token) -> str:
        match token.type:
            case "inline":
                text = self._inline(token.children or [])
                if self._heading and text:
                    text = text.join(self._dialect.marks["strong"])
                return text + ("\n" if self._next else "\n\n")
            case "fence" | "code_block":
                language = (token.info or "").strip().partition(" ")[0]
                return self._dialect.fence(token.content.rstrip(), language) + "\n\n"
            case "hr":
                return "———\n\n"
            case _:
                return self._dialect.escape(token.content)

    def _inline(self, tokens: Sequence[Token]) -> str:
        parts: list[str] = []
        links: list[tuple[str, int]] = []
        for token in tokens:
            if token.type == "link_open":
                links.append((str(token.attrGet("href") or ""), len(parts)))
            elif token.type == "link_close":
                address, start = links.pop()
                words = "".join(parts[start:])
                parts[start:] = [self._dialect.link(words, address)]
            else:
                parts.append(self._span(token))
        return "".join(parts)

    def _span(self, token: Token) -> str:
        dialect = self._dialect
        if token.nesting:
            if self._heading and token.tag == "strong":
                return ""  # a heading is strong as a whole
            return dialect.marks.get(token.tag, ("", ""))[token.nesting < 0]
        match token.type:
            case "softbreak" | "hardbreak":
                return "\n"
            case "code_inline" if dialect.code is not None:
                return dialect.code(token.content)
            case "code_inline":
                return dialect.escape(token.content).join(dialect.marks["code"])
            case "image":
                return dialect.escape(f"{token.content} ({token.attrGet('src')})")
            case _:
                return dialect.escape(token.content)
