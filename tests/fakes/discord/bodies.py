"""Parts of a JSON object, in the kind they are expected to be."""

from typing import cast

from tests.fakes.discord.people import Json

__all__ = ["ids", "part", "parts", "words"]


def part(body: Json, name: str) -> Json:
    """An object; empty where it is absent."""
    return cast("Json", body.get(name) or {})


def parts(body: Json, name: str) -> list[Json]:
    return cast("list[Json]", body.get(name) or [])


def words(body: Json, name: str) -> list[str]:
    return cast("list[str]", body.get(name) or [])


def ids(body: Json, name: str) -> list[int]:
    """Written as texts or as numbers."""
    return [int(each) for each in words(body, name)]
