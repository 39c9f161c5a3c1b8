"""What may stand in the event log, by type: for filters, and for the page that lists them."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Literal

from messengers.errors import InvalidInput

__all__ = ["EVENT_TYPES", "Kinds", "chosen_types"]

Kinds = Literal["all", "private", "groups"]
"""Of chats that events concern."""

EVENT_TYPES: Mapping[str, str] = {
    "message.received": "Somebody wrote.",
    "message.queued": "A message of ours waits to leave.",
    "message.delayed": "It waits longer; `why` says for what.",
    "message.sending": "It is on its way to the messenger; `attempt` counts.",
    "message.accepted": "The messenger took it.",
    "message.sent": "It is sent; also what the owner wrote on another device.",
    "message.delivered": "It arrived.",
    "message.read": "It was read.",
    "message.failed": "It did not get through, for certain; `why` says more.",
    "message.not_sent": "It never left; `why` says more.",
    "message.unknown": "It may have arrived, or not.",
    "message.edited": "Its text was changed.",
    "message.deleted": "It was deleted.",
    "message.transcribed": "A recording of it stands in words.",
    "message.reaction": "Its reactions changed.",
    "message.voted": "The votes of its poll changed.",
    "chat.read": "The owner or an agent read a chat.",
    "chat.decided": "The owner gave a chat a standing answer, or took it back.",
    "approval.waiting": "Something waits for the owner; `approval` is its id.",
    "approval.approved": "The owner approved it.",
    "approval.rejected": "The owner rejected it.",
    "approval.expired": "Nobody decided in time.",
    "instance.created": "An account was set up.",
    "instance.updated": "Its credentials or policy changed.",
    "instance.renamed": "It has another name.",
    "instance.connected": "The owner wants it connected.",
    "instance.stopped": "The owner wants it stopped.",
    "instance.logged_out": "Its session was ended.",
    "instance.adopted": "It took over another program's session.",
    "instance.removed": "It was removed.",
    "webhook.disabled": "An endpoint is told nothing any more; `reason` says why.",
    "instance.health": "How it fares changed: `lifecycle`, `user_action`, `reason`.",
}
"""Type → what happened."""


def chosen_types(names: Iterable[str]) -> frozenset[str]:
    """The types of these names; `message.*` is all of its kind, none means no filter.

    Raises:
        InvalidInput: there is no such type. Ignored, what it stands for would never come.
    """
    chosen: set[str] = set()
    for name in names:
        family = name.removesuffix("*")
        found = {each for each in EVENT_TYPES if each == name}
        if family != name and family.endswith("."):
            found = {each for each in EVENT_TYPES if each.startswith(family)}
        if not found:
            near = difflib.get_close_matches(name, EVENT_TYPES, n=1)
            hint = f"Did you mean {near[0]}? " if near else ""
            families = sorted({each.partition(".")[0] for each in EVENT_TYPES})
            raise InvalidInput(
                "There is no event type of that name.",
                f"{hint}There are {', '.join(f'{each}.*' for each in families)}.",
            )
        chosen |= found
    return frozenset(chosen)
