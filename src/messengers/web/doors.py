"""Which routes need no key, and why, and which scope a key needs. All others need a key.

A route that nobody thought of is closed by that; a test holds the list to the routes there are.
"""

from dataclasses import dataclass
from typing import Literal

__all__ = ["OPEN_DOORS", "SCOPED_DOORS", "Door", "door_of"]


@dataclass(frozen=True, slots=True)
class Door:
    """How a path, or all paths below it, are opened."""

    path: str
    """An exact path, or a prefix when it ends with a slash."""
    opened_by: Literal["anyone", "visitor", "signature", "link", "owner", "key"]
    """anyone; a visitor's cookie; a signature over the body; a single-use token in the path, on
    this machine only; the cookie of a browser that the owner let in, there too; an API key or the
    local key."""
    body: Literal["none", "json", "form", "any"] = "none"
    """What a request may carry: `any` is checked by the route itself, like a picture."""
    scope: str = ""
    """What a key needs beside holding; empty where the route itself judges, as tools do."""


OPEN_DOORS = (
    Door("/health", "anyone"),
    Door("/static/", "anyone"),
    Door("/chat/", "visitor", "any"),
    Door("/webhooks/", "signature", "any"),
    Door("/forms/", "link", "form"),
    Door("/login/", "link", "json"),
    Door("/approvals", "owner"),
    Door("/approvals/", "owner", "form"),
)
SCOPED_DOORS = (Door("/events", "key", scope="read"),)
_LOCKED = Door("/", "key", "json")


def door_of(path: str) -> Door:
    """The door before a path."""
    for door in (*OPEN_DOORS, *SCOPED_DOORS):
        if path == door.path or (door.path.endswith("/") and path.startswith(door.path)):
            return door
    return _LOCKED
