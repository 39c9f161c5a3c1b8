"""TOML configs (Codex, Grok), edited by tomlkit, which keeps comments and order."""

import tomllib
from collections.abc import Mapping, MutableMapping, Sequence
from typing import cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Table

from messengers.errors import InvalidInput

__all__ = ["SUFFIX", "put", "read", "remove", "show", "whole"]

SUFFIX = "toml"


def whole(text: str) -> Mapping[str, object]:
    """All the text says."""
    return _plain(text)


def read(text: str, path: Sequence[str]) -> Mapping[str, object] | None:
    """The table at the path, or None. Raises InvalidInput when the text is no TOML."""
    found = _plain(text)
    for depth, key in enumerate(path, 1):
        if key not in found:
            return None
        below = found[key]
        if not isinstance(below, dict):
            raise InvalidInput(f"Its {'.'.join(path[:depth])} is no table.")
        found = cast("dict[str, object]", below)
    return found


def put(text: str, path: Sequence[str], entry: Mapping[str, object]) -> str:
    """The text with the entry as a table at the path."""
    document = tomlkit.parse(text)
    parent = cast("MutableMapping[str, object]", document)
    for key in path[:-1]:
        if key not in parent:
            parent[key] = tomlkit.table(is_super_table=True)
        parent = cast("MutableMapping[str, object]", parent[key])
    parent[path[-1]] = _table(entry)
    return tomlkit.dumps(document)


def remove(text: str, path: Sequence[str]) -> str:
    """The text without the table at the path."""
    if read(text, path) is None:
        return text
    document = tomlkit.parse(text)
    parent = cast("MutableMapping[str, object]", document)
    for key in path[:-1]:
        parent = cast("MutableMapping[str, object]", parent[key])
    del parent[path[-1]]
    return tomlkit.dumps(document)


def show(path: Sequence[str], entry: Mapping[str, object]) -> str:
    """A document that holds the entry and nothing else."""
    return put("", path, entry)


def _plain(text: str) -> dict[str, object]:
    try:
        tomlkit.parse(text)
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, TOMLKitError) as exc:
        raise InvalidInput(f"It is no TOML: {exc}.") from exc


def _table(entry: Mapping[str, object]) -> Table:
    table = tomlkit.table()
    for key, value in entry.items():
        table.add(
            key,
            _table(cast("Mapping[str, object]", value)) if isinstance(value, Mapping) else value,
        )
    return table
