"""Markdown in WhatsApp's own marks: *bold*, _italic_, ~struck~, `code`, lists and quotes."""

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token

__all__ = ["formatted"]

_MARKS = {"strong": "*", "em": "_", "s": "~"}


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"breaks": True}).enable("strikethrough")


def formatted(markdown: str) -> str:
    """The text as it is typed into WhatsApp. What Markdown has and WhatsApp has not stays words."""
    writer = _Writer()
    for token in _parser().parse(markdown):
        writer.take(token)
    return "".join(writer.parts).strip("\n")


class _Writer:
    """Writes block by block."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self._next: list[int | None] = []
        """Of each open list the number of its next item; None: it has bullets."""
        self._quotes = 0
        self._bold = False

    def take(self, token: Token) -> None:
        """One token of the document."""
        match token.type:
            case "bullet_list_open" | "ordered_list_open":
                ordered = token.type == "ordered_list_open"
                self._next.append(int(token.attrGet("start") or 1) if ordered else None)
            case "bullet_list_close" | "ordered_list_close":
                self._next.pop()
                self.parts.append("" if self._next else "\n")
            case "list_item_open":
                self.parts.append(f"{'  ' * (len(self._next) - 1)}{self._bullet()} ")
            case "blockquote_open" | "blockquote_close":
                self._quotes += token.nesting
            case "heading_open" | "heading_close":
                self._bold = token.nesting > 0
            case _:
                self.parts.append(self._leaf(token))

    def _bullet(self) -> str:
        number = self._next[-1]
        if number is None:
            return "-"
        self._next[-1] = number + 1
        return f"{number}."

    def _leaf(self, token: Token) -> str:
        match token.type:
            case "inline":
                text = _inline(token.children or [])
                text = f"*{text}*" if self._bold and text else text
                if self._quotes:
                    text = "\n".join(f"> {line}" for line in text.split("\n"))
                return text + ("\n" if self._next else "\n\n")
            case "fence" | "code_block":
                return f"```\n{token.content.rstrip()}\n```\n\n"
            case "hr":
                return "———\n\n"
            case _:
                return token.content


def _inline(tokens: Sequence[Token]) -> str:
    parts: list[str] = []
    links: list[tuple[str, int]] = []
    for token in tokens:
        mark = _MARKS.get(token.tag) if token.nesting else None
        if mark:
            parts.append(mark)
        elif token.type == "link_open":
            links.append((str(token.attrGet("href") or ""), len(parts)))
        elif token.type == "link_close":
            address, start = links.pop()
            if "".join(parts[start:]) != address:
                parts.append(f" ({address})")
        elif token.type in ("softbreak", "hardbreak"):
            parts.append("\n")
        elif token.type == "code_inline":
            parts.append(f"`{token.content}`")
        elif token.type == "image":
            parts.append(f"{token.content} ({token.attrGet('src')})")
        else:
            parts.append(token.content)
    return "".join(parts)
