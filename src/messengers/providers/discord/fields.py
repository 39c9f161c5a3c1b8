"""Fields of Discord's objects that may be missing or null."""

from collections.abc import Mapping, Sequence
from typing import Any

__all__ = ["Json", "part", "parts"]

Json = Mapping[str, Any]


def part(whole: Json, name: str) -> Json:
    """An object, or an empty one."""
    found: Json | None = whole.get(name)
    return {} if found is None else found


def parts(whole: Json, name: str) -> Sequence[Json]:
    """A list of objects, or an empty one."""
    found: Sequence[Json] | None = whole.get(name)
    return () if found is None else found
