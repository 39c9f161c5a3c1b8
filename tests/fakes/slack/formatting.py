"""Slack's markup: how sent text is stored, and how people see it.

https://docs.slack.dev/messaging/formatting-message-text
"""

import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from tests.fakes.slack.people import Json

if TYPE_CHECKING:
    from tests.fakes.slack.workspaces import Workspace

__all__ = ["called", "rich_text", "sanitized", "shown"]

_TOKEN = re.compile(
    r"<(?:@[UWB]\w+|#[CGD]\w+|!(?:here|channel|everyone)|!subteam\^S\w+|!date\^[^>|]+"
    r"|(?:https?|mailto|tel):[^<>|\s]+)(?:\|[^<>]*)?>"
)
_LINK = re.compile(r"https?://[^\s<>|]+[^\s<>|.,;:!?)]")
_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt);)")
_MASS = {"here", "channel", "everyone"}


def _pieces(text: str) -> Iterator[tuple[bool, str]]:
    """Each part of it, and whether it is a token in angle brackets."""
    end = 0
    for token in _TOKEN.finditer(text):
        if token.start() > end:
            yield False, text[end : token.start()]
        yield True, token[0]
        end = token.end()
    if end < len(text):
        yield False, text[end:]


def sanitized(text: str, *, links: bool = True) -> str:
    """As Slack keeps it: stray brackets escaped, addresses made links."""
    return "".join(part if is_token else _escaped(part, links) for is_token, part in _pieces(text))


def _escaped(text: str, links: bool) -> str:
    safe = _AMPERSAND.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")
    return _LINK.sub(lambda link: f"<{link[0]}>", safe) if links else safe


def unescaped(text: str) -> str:
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def shown(text: str, workspace: "Workspace") -> str:
    """As people read it, marks such as `*` left in place."""
    read = _reader(workspace)
    return "".join(
        read(part[1:-1]) if is_token else unescaped(part) for is_token, part in _pieces(text)
    )


def _reader(workspace: "Workspace") -> Callable[[str], str]:
    def read(token: str) -> str:
        target, _, label = token.partition("|")
        match target[0]:
            case "@":
                user = workspace.users.get(target[1:])
                return f"@{user.shown_name}" if user else f"@{label or target[1:]}"
            case "#":
                channel = workspace.channels.get(target[1:])
                return f"#{channel.name}" if channel else f"#{label or target[1:]}"
            case "!":
                return label or f"@{target[1:].partition('^')[0]}"
            case _:
                return unescaped(label or target)

    return read


def called(text: str) -> set[str]:
    """Whom it notifies: ids of users and groups, or here, channel, everyone."""
    found: set[str] = set()
    for is_token, part in _pieces(text):
        target = part[1:-1].partition("|")[0] if is_token else ""
        if target.startswith("@"):
            found.add(target[1:])
        elif target.startswith("!subteam^"):
            found.add(target.removeprefix("!subteam^"))
        elif target[1:] in _MASS:
            found.add(target[1:])
    return found


def rich_text(text: str) -> list[Json]:
    """The blocks that Slack makes of a text; styles are left in the text."""
    elements = [_element(part, is_token) for is_token, part in _pieces(text)]
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "b1ock", "elements": [section]}]


def _element(part: str, is_token: bool) -> Json:
    target, _, label = part[1:-1].partition("|")
    if not is_token:
        return {"type": "text", "text": unescaped(part)}
    if target.startswith("@"):
        return {"type": "user", "user_id": target[1:]}
    if target.startswith("#"):
        return {"type": "channel", "channel_id": target[1:]}
    if target.startswith("!subteam^"):
        return {"type": "usergroup", "usergroup_id": target.removeprefix("!subteam^")}
    if target.startswith("!"):
        return {"type": "broadcast", "range": target[1:]}
    return {"type": "link", "url": unescaped(target), **({"text": label} if label else {})}
