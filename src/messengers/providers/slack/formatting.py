"""Markdown as Slack's mrkdwn and back, https://docs.slack.dev/messaging/formatting-message-text.

All text of a caller is escaped: nothing of it is a mention, a link it does not show, or a call of
everybody, which the owner may allow.
"""

import re
from collections.abc import Callable, Iterator, Mapping

from messengers.providers.chunks import split
from messengers.providers.markdown import Dialect, written
from messengers.providers.slack.emoji import with_emojis
from messengers.providers.slack.limits import MAX_TEXT
from messengers.providers.slack.wire import Json

__all__ = ["Names", "escape", "formatted", "parts_of", "read_text", "with_mass_mentions"]

Names = Mapping[str, Mapping[str, Json]]
"""What is known of the ids in an event: `users`, `places`, `groups`, `apps`."""
_SPARE = 64
"""Characters by which one part may be written longer than another."""
_WEB = re.compile(r"(?:https?://|mailto:)[^\s<>|]+", re.IGNORECASE)
_MASS = re.compile(r"(?<![\w@])@(channel|here|everyone)(?!\w)")
_CODE = re.compile(r"(```.*?```|`[^`\n]+`)", re.DOTALL)
_TOKEN = re.compile(r"<([^<>]+)>")
_MARKED = re.compile(
    r"<[^<>]*>|(?<![\w*~])(?:\*(?=\S)(?P<strong>(?:<[^<>]*>|[^*\n<])+?)(?<=\S)\*"
    r"|~(?=\S)(?P<struck>(?:<[^<>]*>|[^~\n<])+?)(?<=\S)~)(?![\w*~])"
)


def formatted(markdown: str) -> str:
    """The text as Slack takes it."""
    # What Markdown makes nothing of (an empty link) is shown as it was typed.
    return written(markdown, _MRKDWN) or escape(markdown.strip())


def parts_of(markdown: str) -> Iterator[str]:
    """The text in parts of at most MAX_TEXT characters, marks and escapes included."""
    whole = formatted(markdown)
    if len(whole) <= MAX_TEXT:
        yield from filter(str.strip, [whole])
        return
    # As much smaller as marks and escapes make the whole text longer.
    room = MAX_TEXT * len(markdown) // max(len(whole), len(markdown)) - _SPARE
    yield from _fitting(markdown, max(room, _SPARE))


def _fitting(markdown: str, room: int) -> Iterator[str]:
    """In parts of `room` as they are typed; where one is too long all the same, in smaller ones."""
    for part in split(markdown, room):
        text = formatted(part)
        if len(text) <= MAX_TEXT:
            yield from filter(str.strip, [text])
        else:
            yield from _fitting(part, room // 2)


def with_mass_mentions(text: str) -> str:
    """A written text whose @channel, @here and @everyone call everybody there."""
    pieces = _CODE.split(text)
    pieces[::2] = [_MASS.sub(r"<!\1>", piece) for piece in pieces[::2]]
    return "".join(pieces)


def read_text(text: str, names: Names) -> str:
    """Slack's text as Markdown: names in place of ids, links kept, nothing escaped."""
    pieces = _CODE.split(text)
    return "".join(
        _plain(piece, names, code=bool(number % 2)) for number, piece in enumerate(pieces)
    )


def _plain(piece: str, names: Names, *, code: bool) -> str:
    if not code:
        piece = _MARKED.sub(_remarked, piece)
    parts = _TOKEN.split(piece)
    shown: Callable[[str], str] = str if code else with_emojis
    parts[::2] = [shown(_unescaped(part)) for part in parts[::2]]
    parts[1::2] = [_meaning(token, names, code=code) for token in parts[1::2]]
    return "".join(parts)


def _remarked(found: re.Match[str]) -> str:
    if found["strong"]:
        return f"**{found['strong']}**"
    return f"~~{found['struck']}~~" if found["struck"] else found[0]


def _meaning(token: str, names: Names, *, code: bool) -> str:
    """What stands in angle brackets, as people read it."""
    target, _, label = token.partition("|")
    label = _unescaped(label)
    match target[0]:
        case "@":
            known = names.get("users", {}).get(target[1:], {}).get("name")
            return f"@{known or label or target[1:]}"
        case "#":
            known = names.get("places", {}).get(target[1:], {}).get("name")
            return str(known or f"#{label or target[1:]}")
        case "!":
            return _special(target[1:], label, names)
        case _:
            return _linked(_unescaped(target), label, code=code)


def _special(target: str, label: str, names: Names) -> str:
    kind, _, value = target.partition("^")
    if kind == "subteam":
        known = names.get("groups", {}).get(value, {}).get("handle")
        return f"@{known}" if known else label or f"@{value}"
    return label or f"@{kind}"


def _linked(address: str, label: str, *, code: bool) -> str:
    bare = address.removeprefix("mailto:").removeprefix("tel:")
    if label in ("", address, bare, bare.removeprefix("https://").removeprefix("http://")):
        return label or bare
    return f"{label} ({address})" if code else f"[{label}]({address})"


def _unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    """Plain text: nothing of it is a mention, a link or a call."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _fence(code: str, language: str) -> str:
    del language  # Slack would show it as a line of the code
    # Slack knows no longer fence than this.
    inner = escape(code).replace("```", "`\u200b``")
    return f"```\n{inner}\n```"


def _quote(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.split("\n"))


def _link(words: str, address: str) -> str:
    shown = escape(address)
    if not _WEB.fullmatch(address):
        return shown if words in ("", shown) else f"{words} ({shown})"
    if words in ("", shown):
        return f"<{shown}>"
    # A bar ends the address, a bracket the link, and marks mean nothing inside.
    label = words.replace("|", "¦").replace("\n", " ")
    return f"<{shown}|{label}>"


_MRKDWN = Dialect(
    marks={"strong": ("*", "*"), "em": ("_", "_"), "s": ("~", "~"), "code": ("`", "`")},
    fence=_fence,
    quote=_quote,
    link=_link,
    escape=escape,
    bullet="•",
)
