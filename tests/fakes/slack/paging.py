"""Pages of lists: a limit, and a cursor for what follows."""

import base64
import binascii
from collections.abc import Sequence
from typing import TypeVar

from tests.fakes.slack.people import Json
from tests.fakes.slack.refusal import Refused
from tests.fakes.slack.requests import Call
from tests.fakes.slack.world import World

__all__ = ["cursor_of", "limit_of", "metadata_for", "opened", "page_of"]

Item = TypeVar("Item")
LIMIT_MAX = 1000


def cursor_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def opened(cursor: str, prefix: str) -> str:
    """What a cursor says after its prefix; empty without a cursor."""
    if not cursor:
        return ""
    try:
        text = base64.b64decode(cursor, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise Refused("invalid_cursor") from error
    if not text.startswith(prefix):
        raise Refused("invalid_cursor")
    return text.removeprefix(prefix)


def limit_of(world: World, call: Call, default: int = 100, most: int = LIMIT_MAX) -> int:
    limit = call.number("limit", default)
    if not 1 <= limit <= most:
        raise Refused("invalid_limit")
    return min(limit, world.page_max or limit)


def metadata_for(cursor: str) -> Json:
    return {"response_metadata": {"next_cursor": cursor}}


def page_of(
    world: World, call: Call, items: Sequence[Item], default: int = 100
) -> tuple[Sequence[Item], Json]:
    """Those of this page, and where the next one begins."""
    place = opened(call.text("cursor"), "offset:")
    start = int(place) if place.isdigit() else 0
    end = start + limit_of(world, call, default)
    return items[start:end], metadata_for(cursor_of(f"offset:{end}") if end < len(items) else "")
