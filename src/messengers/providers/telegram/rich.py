"""Page-like messages (https://core.telegram.org/bots/api#richmessage) as plain lines."""

from collections.abc import Iterator, Sequence
from typing import Any, cast

from messengers.providers.telegram.people import Json

__all__ = ["inner_blocks", "rich_lines"]


def rich_lines(blocks: Sequence[Json]) -> Iterator[str]:
    """All that people read in them, block by block."""
    for block in blocks:
        yield from _block(block)
        caption = block.get("caption")
        if caption:
            # Of a table the caption is text itself, of media it has a text.
            yield _inline(caption)
        if block.get("credit"):
            yield f"— {_inline(block['credit'])}"


def inner_blocks(blocks: Sequence[Json]) -> Iterator[Json]:
    """Every block, those within others as well."""
    for block in blocks:
        yield block
        yield from inner_blocks(block.get("blocks", ()))
        for item in block.get("items", ()):
            yield from inner_blocks(item["blocks"])


def _block(block: Json) -> Iterator[str]:
    match block["type"]:
        case "list":
            for item in block["items"]:
                box = "[x] " if item.get("is_checked") else "[ ] "
                mark = f"{item['label']} {box if item.get('has_checkbox') else ''}"
                yield mark + "\n  ".join(rich_lines(item["blocks"]))
        case "table":
            for row in block["cells"]:
                yield " | ".join(_inline(cell.get("text", "")) for cell in row)
        case "divider":
            yield "———"
        case "map":
            place = block["location"]
            yield f"Location: {place['latitude']:.6f}, {place['longitude']:.6f}"
        case _:
            said = _inline(block.get("summary") or block.get("text") or block.get("expression", ""))
            if said:
                yield said
            yield from rich_lines(block.get("blocks", ()))


def _inline(value: Any) -> str:  # noqa: ANN401 - text, a span, or a list of both
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "".join(map(_inline, cast("list[Any]", value)))
    span = cast("Json", value)
    said = _inline(span.get("text") or span.get("alternative_text") or span.get("expression", ""))
    address = span.get("url", "")
    return f"{said} ({address})" if address and address != said else said
