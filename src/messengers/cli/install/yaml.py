"""YAML configs (Goose): shown, never edited. Nothing here keeps the comments of a YAML file."""

import json
from collections.abc import Mapping, Sequence
from typing import cast

__all__ = ["SUFFIX", "show"]

SUFFIX = "yaml"


def show(path: Sequence[str], entry: Mapping[str, object]) -> str:
    """A document that holds the entry and nothing else."""
    value: Mapping[str, object] = entry
    for key in reversed(path):
        value = {key: value}
    return "\n".join(_lines(value, "")) + "\n"


def _lines(mapping: Mapping[str, object], indent: str) -> list[str]:
    lines: list[str] = []
    for key, value in mapping.items():
        if isinstance(value, Mapping):
            lines.append(f"{indent}{key}:")
            lines += _lines(cast("Mapping[str, object]", value), indent + "  ")
        else:
            # Every JSON value is YAML, quoting included.
            lines.append(f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}")
    return lines
