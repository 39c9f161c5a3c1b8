"""Markdown as Telegram's HTML, in parts that fit. All text of the caller is escaped.

Only the tags written here leave, https://core.telegram.org/bots/api#html-style. Links lead to web
pages: a `tg://user` address would mention somebody.
"""

import html
import re
from collections.abc import Iterator

from messengers.providers.chunks import measured
from messengers.providers.markdown import Dialect, fitted, written
from messengers.providers.telegram.limits import MAX_TEXT

__all__ = ["formatted", "parts_of", "plain", "units"]

_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_TAG = re.compile(r"</?[a-z]+(?: [^<>]*)?>")
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}", re.ASCII)


def formatted(markdown: str) -> str:
    """The text as Telegram takes it with `parse_mode` HTML."""
    # What Markdown makes nothing of (an empty link) is shown as it was typed.
    return written(markdown, _TELEGRAM) or html.escape(markdown.strip(), quote=False)


def parts_of(markdown: str) -> Iterator[str]:
    """The text in HTML parts of at most MAX_TEXT UTF-16 units, tags included.

    Telegram counts without the tags, so this never says too little.
    """
    return fitted(markdown, formatted, MAX_TEXT, units)


def plain(text: str) -> str:
    """The HTML's text without its tags."""
    return html.unescape(_TAG.sub("", text))


def units(text: str) -> int:
    """The length as Telegram counts: UTF-16 units."""
    return measured(text, "utf16")


def _escape(text: str) -> str:
    return html.escape(text, quote=False)


def _fence(code: str, language: str) -> str:
    inner = _escape(code)
    if _LANGUAGE.fullmatch(language):
        return f'<pre><code class="language-{language}">{inner}</code></pre>'
    return f"<pre>{inner}</pre>"


def _quote(text: str) -> str:
    """Quotations cannot stand within one another: the inner ones become part of the outer."""
    inner = text.replace("<blockquote>", "").replace("</blockquote>", "")
    return f"<blockquote>{inner}</blockquote>"


def _link(words: str, address: str) -> str:
    shown = _escape(address)
    if words in ("", shown):
        return shown
    if not _WEB.match(address):
        return f"{words} ({shown})"
    return f'<a href="{html.escape(address)}">{words}</a>'


_TELEGRAM = Dialect(
    marks={
        "strong": ("<b>", "</b>"),
        "em": ("<i>", "</i>"),
        "s": ("<s>", "</s>"),
        "code": ("<code>", "</code>"),
    },
    fence=_fence,
    quote=_quote,
    link=_link,
    escape=_escape,
    bullet="•",
)
