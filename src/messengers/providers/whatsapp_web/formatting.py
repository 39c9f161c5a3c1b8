"""Markdown in WhatsApp's own marks: *bold*, _italic_, ~struck~, `code`, lists and quotes."""

from messengers.providers.markdown import Dialect, written

__all__ = ["formatted"]


def formatted(markdown: str) -> str:
    """The text as it is typed into WhatsApp. What Markdown has and WhatsApp has not stays words."""
    return written(markdown, _WHATSAPP)


def _fence(code: str, _language: str) -> str:
    return f"```\n{code}\n```"


def _quote(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def _link(words: str, address: str) -> str:
    return words if words == address else f"{words} ({address})"


_WHATSAPP = Dialect(
    marks={"strong": ("*", "*"), "em": ("_", "_"), "s": ("~", "~"), "code": ("`", "`")},
    fence=_fence,
    quote=_quote,
    link=_link,
)
