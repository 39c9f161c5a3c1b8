"""Blocks and attachments as plain lines: everything that people read in them.

https://docs.slack.dev/reference/block-kit/blocks and, of attachments,
https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments.
"""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from messengers.providers.slack.emoji import emoji_of, with_emojis
from messengers.providers.slack.formatting import Names, read_text
from messengers.providers.slack.wire import Json, as_object

__all__ = ["attachment_lines", "block_lines", "buttons_in", "is_plain"]

_SAID = ("title", "text", "label", "alt_text", "subtitle", "body", "description")
"""Fields that hold what people read, of whatever kind of block."""
_INSIDE = ("fields", "elements", "blocks", "accessory", "rows", "children", "cards")
_PRESSED = ("button", "workflow_button")
_STYLES = (("code", "`"), ("bold", "**"), ("italic", "_"), ("strike", "~~"))


def is_plain(blocks: Sequence[Json]) -> bool:
    """Whether the blocks only repeat the text, as Slack makes them of what people type."""
    return all(block.get("type") == "rich_text" for block in blocks)


def block_lines(blocks: Sequence[Json], names: Names) -> Iterator[str]:
    """Block by block, without what can be pressed."""
    for block in blocks:
        match block.get("type"):
            case "rich_text":
                yield from _rich(block.get("elements", ()), names)
            case "divider":
                yield "———"
            case "image":
                said = _said(block.get("title"), names) or block.get("alt_text", "")
                yield f"(picture: {said})" if said else "(picture)"
            case "context":
                shown = [_said(each, names) for each in block.get("elements", ())]
                yield " ".join(filter(None, shown))
            case "markdown":
                yield str(block.get("text", ""))
            case kind if kind in _PRESSED:
                pass
            case _:
                yield from _any(block, names)


def buttons_in(blocks: Sequence[Json], names: Names) -> Iterator[str]:
    """What stands on everything that can be pressed or chosen from."""
    for block in blocks:
        for element in (*block.get("elements", ()), block.get("accessory", {})):
            if element.get("type") in _PRESSED:
                yield _said(element.get("text"), names)
            for option in element.get("options", ()):
                yield _said(option.get("text"), names)


def attachment_lines(attachment: Json, names: Names) -> Iterator[str]:
    """One attachment; its fallback where it shows nothing else."""
    lines = [
        read_text(str(attachment.get("pretext") or ""), names),
        str(attachment.get("author_name") or attachment.get("author_subname") or ""),
        _titled(attachment, names),
        read_text(str(attachment.get("text") or ""), names),
        *(_field(each, names) for each in attachment.get("fields") or ()),
        *block_lines(attachment.get("blocks") or _message_blocks(attachment), names),
        "(picture)" if attachment.get("image_url") else "",
        read_text(str(attachment.get("footer") or ""), names),
    ]
    said = [line for line in lines if line.strip()]
    yield from said or filter(None, [read_text(str(attachment.get("fallback") or ""), names)])


def _message_blocks(attachment: Json) -> Sequence[Json]:
    """Of a message that was passed on its text stands for its blocks."""
    if attachment.get("text"):
        return ()
    inner = attachment.get("message_blocks") or ()
    return [block for each in inner for block in each.get("message", {}).get("blocks", ())]


def _titled(attachment: Json, names: Names) -> str:
    title, link = str(attachment.get("title") or ""), str(attachment.get("title_link") or "")
    shown = read_text(title, names)
    return f"[{shown}]({link})" if shown and link else shown


def _field(field: Json, names: Names) -> str:
    parts = (str(field.get("title") or ""), read_text(str(field.get("value") or ""), names))
    return ": ".join(filter(None, parts))


def _any(block: Json, names: Names) -> Iterator[str]:
    """What is read in a block of any kind, also one that came after this version."""
    for name in _SAID:
        said = _said(block.get(name), names)
        if said:
            yield said
    for name in _INSIDE:
        inner: object = block.get(name)
        if isinstance(inner, dict):
            yield from block_lines([cast("Json", inner)], names)
        elif isinstance(inner, list):
            items = cast("list[Any]", inner)
            yield from block_lines([as_object(each) for each in items], names)
            for row in items:
                if isinstance(row, list):
                    yield _row(cast("list[Any]", row), names)


def _row(cells: Sequence[Any], names: Names) -> str:
    return " | ".join(" ".join(block_lines([cell], names)) for cell in cells)


def _said(value: object, names: Names) -> str:
    """A text, or an object of text in one of Slack's two dialects."""
    if isinstance(value, str):
        return value
    if not isinstance(value, dict):
        return ""
    held = cast("Json", value)
    text: object = held.get("text", "")
    if not isinstance(text, str):
        return _said(text, names)
    return read_text(text, names) if held.get("type") == "mrkdwn" else with_emojis(text)


def _rich(elements: Sequence[Json], names: Names) -> Iterator[str]:
    for element in elements:
        inner = element.get("elements", ())
        match element.get("type"):
            case "rich_text_list":
                ordered = element.get("style") == "ordered"
                indent = "  " * int(element.get("indent") or 0)
                for number, item in enumerate(inner, int(element.get("offset") or 0) + 1):
                    mark = f"{number}." if ordered else "•"
                    yield f"{indent}{mark} {_inline(item.get('elements', ()), names)}"
            case "rich_text_quote":
                yield "\n".join(f"> {line}" for line in _inline(inner, names).split("\n"))
            case "rich_text_preformatted":
                yield f"```\n{_inline(inner, names)}\n```"
            case _:
                yield _inline(inner, names).rstrip("\n")


def _inline(elements: Sequence[Json], names: Names) -> str:
    return "".join(_span(each, names) for each in elements)


def _span(element: Json, names: Names) -> str:
    match element.get("type"):
        case "text":
            return _styled(str(element.get("text", "")), element.get("style") or {})
        case "user":
            return read_text(f"<@{element['user_id']}>", names)
        case "channel":
            return read_text(f"<#{element['channel_id']}>", names)
        case "usergroup":
            return read_text(f"<!subteam^{element['usergroup_id']}>", names)
        case "broadcast":
            return f"@{element['range']}"
        case "emoji":
            return emoji_of(str(element["name"]))
        case "link":
            address, label = str(element["url"]), str(element.get("text") or "")
            return f"[{label}]({address})" if label not in ("", address) else address
        case _:
            said = element.get("fallback") or element.get("text") or element.get("value") or ""
            return said if isinstance(said, str) else ""


def _styled(text: str, style: Json) -> str:
    if not text.strip():
        return text
    for name, mark in _STYLES:
        if style.get(name):
            text = f"{mark}{text}{mark}"
    return text
