"""Markdown of messages as HTML that a page may show.

Nothing of the text becomes markup but what the parser makes: no HTML, no images that would be
fetched, links only to web pages and mail, each opened apart. The page checks the result again.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from html import escape

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_core import StateCore
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

__all__ = ["html_of_markdown", "html_of_plain"]

_ALLOWED = re.compile(r"(?:https?://|mailto:)[^\s]", re.IGNORECASE)
_BARE_LINK = re.compile(r"https?://[^\s<>\"'`]+[^\s<>\"'`.,;:!?)\]}*_]", re.IGNORECASE)
_APART = {"target": "_blank", "rel": "noopener noreferrer nofollow"}


@lru_cache(maxsize=256)
def html_of_markdown(text: str) -> str:
    """What our side wrote. Kept a while: each page of a chat shows the same messages again."""
    return _parser().render(text)


def html_of_plain(text: str) -> str:
    """What a visitor wrote: his characters as they are, with links."""
    out: list[str] = []
    for part, is_link in _pieces(text):
        shown = escape(part)
        attributes = "".join(f' {name}="{value}"' for name, value in _APART.items())
        out.append(f'<a href="{shown}"{attributes}>{shown}</a>' if is_link else shown)
    return "".join(out).replace("\n", "<br>\n")


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": 20})
    parser.enable(["table", "strikethrough"])
    parser.core.ruler.after("inline", "bare_links", _link_bare_addresses)
    parser.core.ruler.push("no_styles", _drop_styles)
    parser.add_render_rule("link_open", _link_open)
    parser.add_render_rule("image", _image)
    # The parser's own check blocks some schemes; here only some pass. A refused one stays text.
    parser.validateLink = _is_allowed
    return parser


def _is_allowed(url: str) -> bool:
    return _ALLOWED.match(url) is not None


def _link_open(
    renderer: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: EnvType
) -> str:
    token = tokens[index]
    token.attrs.pop("title", None)
    token.attrs.update(_APART)
    return renderer.renderToken(tokens, index, options, env)


def _image(
    _renderer: RendererHTML, tokens: Sequence[Token], index: int, _options: OptionsDict, _: EnvType
) -> str:
    """A picture from somewhere else would be fetched on sight: it is offered as a link."""
    token = tokens[index]
    source = escape(str(token.attrs.get("src", "")))
    label = escape(token.content or "image")
    attributes = "".join(f' {name}="{value}"' for name, value in _APART.items())
    return f'<a href="{source}"{attributes}>{label}</a>'


def _link_bare_addresses(state: StateCore) -> None:
    """Addresses that stand in the text as they are become links."""
    for block in state.tokens:
        if block.type != "inline" or not block.children:
            continue
        children: list[Token] = []
        depth = 0
        for token in block.children:
            depth += {"link_open": 1, "link_close": -1}.get(token.type, 0)
            if token.type == "text" and depth == 0:
                children.extend(_linked(token))
            else:
                children.append(token)
        block.children = children


def _drop_styles(state: StateCore) -> None:
    """Column alignment comes as a style attribute, which the page's policy forbids."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open"):
            token.attrs.clear()


def _linked(token: Token) -> Iterator[Token]:
    for part, is_link in _pieces(token.content):
        if is_link:
            yield Token("link_open", "a", 1, attrs={"href": part})
            yield Token("text", "", 0, content=part)
            yield Token("link_close", "a", -1)
        else:
            yield Token("text", "", 0, content=part)


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """The text in order, cut into addresses (True) and the rest."""
    at = 0
    for found in _BARE_LINK.finditer(text):
        if found.start() > at:
            yield text[at : found.start()], False
        yield found[0], True
        at = found.end()
    if at < len(text):
        yield text[at:], False
