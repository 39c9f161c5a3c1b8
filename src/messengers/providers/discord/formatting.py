"""Markdown as Discord reads it, in parts that fit. Text is escaped where it would be a mark.

Discord's dialect: https://support.discord.com/hc/en-us/articles/210298617. Mentions in a text
notify nobody, because every message leaves without allowed mentions.
"""

import re
from collections.abc import Iterator

from messengers.providers.chunks import measured
from messengers.providers.discord.limits import MAX_TEXT
from messengers.providers.markdown import Dialect, fitted, written

__all__ = ["formatted", "parts_of", "plain", "units"]

_ADDRESS_OR_MARK = re.compile(r"(https?://\S+|<[@#:ta][^<>\s]*>)|([\\*_~`|])", re.IGNORECASE)
_LINE_MARK = re.compile(r"^( *)(#{1,3} |-# |>>> |> |- |\* )", re.MULTILINE)
_ESCAPED = re.compile(r"\\([\\*_~`|#>-])")
_WEB = re.compile(r"https?://[^\s/]", re.IGNORECASE)
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}", re.ASCII)
_APART = "``\u200b`"
"""Three backticks that end no block."""


def formatted(markdown: str) -> str:
    """The text as Discord shows it as it was meant."""
    # What Markdown makes nothing of (an empty link) is shown as it was typed.
    return written(markdown, _DISCORD) or _escape(markdown.strip())


def parts_of(markdown: str) -> Iterator[str]:
    """The text in parts of at most MAX_TEXT."""
    return fitted(markdown, formatted, MAX_TEXT, units)


def plain(text: str) -> str:
    """As people read it, but for the marks that they know."""
    return _ESCAPED.sub(r"\1", text)


def units(text: str) -> int:
    """The length as it is counted here: UTF-16 units."""
    return measured(text, "utf16")


def _escape(text: str) -> str:
    text = _ADDRESS_OR_MARK.sub(lambda found: found[1] or f"\\{found[2]}", text)
    return _LINE_MARK.sub(lambda found: f"{found[1]}\\{found[2]}", text)


def _fence(code: str, language: str) -> str:
    inner = code.replace("```", _APART)
    named = language if _LANGUAGE.fullmatch(language) else ""
    return f"```{named}\n{inner}\n```"


def _code(text: str) -> str:
    """Nothing is escaped within it."""
    mark = "``" if "`" in text else "`"
    room = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{mark}{room}{text}{room}{mark}"


def _quote(text: str) -> str:
    """Quotations cannot stand within one another: the inner ones become part of the outer."""
    lines = (line.removeprefix("> ") for line in text.split("\n"))
    return "\n".join(f"> {line}" for line in lines)


def _link(words: str, address: str) -> str:
    if words in ("", _escape(address), address):
        return address
    if not _WEB.match(address):
        return f"{words} ({address})"
    return f"[{words}]({address.replace(')', '%29')})"


_DISCORD = Dialect(
    marks={
        "strong": ("**", "**"),
        "em": ("*", "*"),
        "s": ("~~", "~~"),
    },
    fence=_fence,
    quote=_quote,
    link=_link,
    escape=_escape,
    code=_code,
)
