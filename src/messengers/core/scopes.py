"""Scopes: what a key may do, in words like `messages:send`.

`messages:*` covers every word of its noun and `*` all there are. What a key may is never more than
its scopes, and its preset narrows the tools further. Which door needs which: `web/doors.py` for
routes, `mcp_server/table.py` for tools and resources.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Literal, get_args

from messengers.errors import InvalidInput
from messengers.models import Preset

__all__ = ["ALL", "PRESETS", "PRESET_SCOPES", "Scope", "covers", "known_scopes"]

Scope = Literal[
    "instances:read",
    "instances:write",
    "instances:delete",
    "messages:read",
    "messages:send",
    "events:read",
    "persons:read",
    "access:read",
    "access:write",
    "settings:write",
    "webhooks:read",
    "webhooks:write",
    "admin:read",
    "admin:write",
]
"""What one door asks for."""
ALL = "*"
_SCOPES: tuple[Scope, ...] = get_args(Scope)
_NOUNS = tuple(dict.fromkeys(f"{scope.partition(':')[0]}:{ALL}" for scope in _SCOPES))
_WORDS = (ALL, *sorted((*_NOUNS, *_SCOPES)))
"""All that a key may be given."""
PRESETS: tuple[Preset, ...] = get_args(Preset)
"""From least to most: each holds the tools of those before it."""
_READER = frozenset({"instances:read", "messages:read", "events:read", "persons:read"})
_MESSENGER = _READER | {"messages:send"}
PRESET_SCOPES: Mapping[Preset, frozenset[str]] = {
    "reader": _READER,
    "messenger": _MESSENGER,
    "setup": _MESSENGER | {"instances:write"},
    "admin": frozenset({ALL}),
}
"""What a key has that was given none by name."""


def covers(given: Collection[str], scope: str) -> bool:
    """Whether what was given holds a scope, or all that a `noun:*` or `*` stands for."""
    return ALL in given or scope in given or f"{scope.partition(':')[0]}:{ALL}" in given


def known_scopes(names: Iterable[str]) -> tuple[str, ...]:
    """The scopes of these names, each once and in one order.

    Raises:
        InvalidInput: one does not exist. Ignored, a key would quietly hold less than was meant.
    """
    asked = set(names)
    if asked.difference(_WORDS):
        raise InvalidInput("There is no scope of that name.", f"There are {', '.join(_WORDS)}.")
    return tuple(each for each in _WORDS if each in asked)
