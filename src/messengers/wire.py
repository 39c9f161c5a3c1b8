"""JSON as it may come in, on every transport: what a lenient reader lets pass breaks later.

Refused: NaN and infinities, invalid UTF-8 and lone surrogates (no database takes them), nesting
beyond 1024, and numbers beyond 64 bits, which would silently become another value.
"""

import math
import re
from collections.abc import Mapping
from typing import cast

import orjson

from messengers.errors import InvalidInput

__all__ = ["INVALID_REQUEST", "PARSE_ERROR", "fault", "parse", "request_fault"]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
_LARGEST = 2**63
_MAY_BE_LARGE = re.compile(rb"\d{19}|\d[eE]")
"""Only then is it worth looking at every number."""
_ANSWERS = ("result", "error")


def parse(data: bytes) -> object:
    """The value of one JSON text.

    Raises:
        InvalidInput: it is none, or one of those refused above. Repeats nothing of it.
    """
    try:
        value: object = orjson.loads(data)
    except orjson.JSONDecodeError as exc:
        raise InvalidInput("This is no valid JSON.", f"Near byte {exc.pos}.") from None
    if _MAY_BE_LARGE.search(data) and not all(map(_fits, _numbers(value))):
        raise InvalidInput("A number is beyond 64 bits.", "Write large ids as strings.")
    return value


def request_fault(message: object) -> str:
    """What keeps a JSON value from being one JSON-RPC 2.0 message; empty when nothing does."""
    if not isinstance(message, Mapping):
        return "One JSON-RPC object is expected; batches are not supported."
    fields = cast("Mapping[str, object]", message)
    if fields.get("jsonrpc") != "2.0":
        return 'The field jsonrpc must be "2.0".'
    if "id" in fields and not _is_id(fields["id"]) and "error" not in fields:
        return "The id must be a string or an integer."
    if not isinstance(fields.get("method"), str) and not any(name in fields for name in _ANSWERS):
        return "The method is missing."
    if not isinstance(fields.get("params", {}), dict):
        return "The params must be an object."
    return ""


def fault(code: int, message: str, request: object = None) -> bytes:
    """A JSON-RPC error answer, with the id of the request where it has one."""
    found = (
        cast("Mapping[str, object]", request).get("id") if isinstance(request, Mapping) else None
    )
    body = {
        "jsonrpc": "2.0",
        "id": found if _is_id(found) else None,
        "error": {"code": code, "message": message},
    }
    return orjson.dumps(body)


def _is_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _fits(number: float) -> bool:
    return math.isfinite(number) and abs(number) < _LARGEST


def _numbers(value: object) -> list[float]:
    """Every number in a tree, found without recursion: its depth is the sender's choice."""
    found: list[float] = []
    left = [value]
    while left:
        one = left.pop()
        if isinstance(one, dict):
            left.extend(cast("dict[str, object]", one).values())
        elif isinstance(one, list):
            left.extend(cast("list[object]", one))
        elif isinstance(one, int | float):
            found.append(one)
    return found
