"""Every route: what opens it, and the scope that a key needs.

Those of tools and resources stand in `mcp_server/table.py`. A route that nobody thought of is
closed by that, to every key too; a test holds the lists to the routes there are.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from messengers.core.scopes import Scope

__all__ = ["CONTROL_SCOPES", "KEY_DOORS", "NOWHERE", "OPEN_DOORS", "Door", "door_of"]


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
    scope: Scope | Literal[""] = ""
    """What a key needs beside holding; empty where what is asked for decides, as with tools."""
    takes_oauth: bool = False
    """A token of the owner's issuer opens it like a key, where there is an issuer."""
    takes_ticket: bool = False
    """A ticket opens it in place of a key: browsers send no headers from an EventSource."""


OPEN_DOORS = (
    Door("/health", "anyone"),
    Door("/static/", "anyone"),
    Door("/chat/", "visitor", "any"),
    Door("/webhooks/", "signature", "any"),
    Door("/forms/", "link", "form"),
    Door("/login/", "link", "json"),
    Door("/approvals", "owner"),
    Door("/approvals/", "owner", "form"),
    Door("/.well-known/", "anyone"),
)
KEY_DOORS = (
    Door("/mcp", "key", "json", takes_oauth=True),
    Door("/sse", "key", "json", takes_oauth=True),
    Door("/messages/", "key", "json", takes_oauth=True),
    Door("/events", "key", scope="events:read", takes_ticket=True),
    Door("/tickets", "key", "json"),
    Door("/instances/", "key", "json", scope="instances:write"),
)
NOWHERE = Door("/", "key", "json")
"""The door of what has none: who has a key learns that nothing is behind it."""

CONTROL_SCOPES: Mapping[str, Scope] = {
    "GET /status": "admin:read",
    "POST /stop": "admin:write",
    "POST /backup": "admin:write",
    "GET /log": "admin:read",
    "GET /providers": "instances:read",
    "GET /findings": "instances:read",
    "GET /instances": "instances:read",
    "POST /instances": "instances:write",
    "GET /instances/{ref}": "instances:read",
    "PATCH /instances/{ref}": "settings:write",
    "DELETE /instances/{ref}": "instances:delete",
    "PUT /instances/{ref}/credentials": "instances:write",
    "POST /instances/{ref}/connect": "instances:write",
    "POST /instances/{ref}/disconnect": "instances:write",
    "POST /instances/{ref}/login": "instances:write",
    "POST /instances/{ref}/logout": "instances:write",
    "PUT /instances/{ref}/session": "instances:write",
    "GET /instances/{ref}/blocked": "access:read",
    "GET /keys": "admin:read",
    "POST /keys": "admin:write",
    "DELETE /keys/{ref}": "admin:write",
    "POST /keys/{ref}/regenerate": "admin:write",
    "GET /approvals": "access:read",
    "GET /approvals/{ref}": "access:read",
    "POST /approvals/{ref}": "access:write",
    "GET /audit": "admin:read",
    "POST /owner-sessions": "access:write",
    "DELETE /owner-sessions": "access:write",
    "GET /access/rules": "access:read",
    "POST /access/rules": "access:write",
    "DELETE /access/rules/{ref}": "access:write",
    "PUT /access/policy/{ref}": "access:write",
    "GET /access/pairings": "access:read",
    "POST /access/pairings/{ref}": "access:write",
    "POST /access/check": "access:read",
    "GET /access/withheld": "access:read",
    "GET /chats": "messages:read",
    "GET /chats/decided": "access:read",
    "PUT /chats/{ref}/alias": "access:write",
    "PUT /chats/{ref}/decision": "access:write",
    "GET /batches": "messages:read",
    "GET /batches/{ref}": "messages:read",
    "POST /batches/{ref}": "messages:send",
    "GET /opt-outs": "access:read",
    "POST /opt-outs": "access:write",
    "DELETE /opt-outs": "access:write",
    "GET /dead-letters": "admin:read",
    "GET /dead-letters/{ref}": "admin:read",
    "POST /dead-letters/{ref}/replay": "admin:write",
    "GET /webhooks": "webhooks:read",
    "POST /webhooks": "webhooks:write",
    "GET /webhooks/{ref}": "webhooks:read",
    "DELETE /webhooks/{ref}": "webhooks:write",
    "GET /webhooks/{ref}/log": "webhooks:read",
    "POST /webhooks/{ref}/test": "webhooks:write",
    "POST /webhooks/{ref}/replay": "webhooks:write",
    "POST /webhooks/{ref}/rotate": "webhooks:write",
    "POST /webhooks/{ref}/enable": "webhooks:write",
    "POST /webhooks/{ref}/disable": "webhooks:write",
}
"""Of the control socket, where the owner asks, who has them all."""


def door_of(path: str) -> Door:
    """The door before a path."""
    for door in (*OPEN_DOORS, *KEY_DOORS):
        if path == door.path or (door.path.endswith("/") and path.startswith(door.path)):
            return door
    return NOWHERE
