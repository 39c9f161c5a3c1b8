"""An act: something that leaves or changes the set-up, fully resolved before anyone is asked."""

import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeGuard, cast

import orjson

from messengers.core.callers import Caller
from messengers.models import Chat, IdKind, Model, SentMessage, decode_id

__all__ = [
    "Act",
    "Answer",
    "Approval",
    "BatchAnswer",
    "Choice",
    "InstanceAnswer",
    "Shown",
    "choices",
    "files_in",
]

Choice = Literal["once", "always", "never", "reject"]
_HOLD_FILES = frozenset({"media", "more", "attachments", "sticker", "picture"})
"""What names stored files in a payload."""
_ONCE_ONLY = frozenset(
    {
        "delete",
        "change_group_members",
        "renew_group_invite",
        "leave_group",
        "arrange_chat",
        "send_fetched",
    }
)
"""Actions in a chat that are agreed to one by one: no standing answer for the chat covers them."""


def choices(action: str, *, in_chat: bool) -> tuple[Choice, ...]:
    """What the owner may answer to an act."""
    stands = in_chat and action not in _ONCE_ONLY
    return ("once", "always", "never", "reject") if stands else ("once", "reject")


class Shown(Model):
    """What the owner sees before deciding: everything, nothing shortened."""

    title: str
    recipient: str = ""
    text: str = ""
    attachments: tuple[str, ...] = ()
    why: str = ""
    found: str = ""
    """What of it stands in another chat: nobody but the owner is told."""


class InstanceAnswer(Model):
    """The answer to an act on an instance."""

    instance: str
    id: str = ""
    provider: str
    state: str = ""
    user_action: str = ""
    reason: str = ""
    next_step: str = ""
    outcome: str = "done"
    """done | needs_approval | needs_form | not_done"""
    approval: str = ""
    link: str = ""
    chat: str = ""
    """Id of the chat it made."""
    notes: tuple[str, ...] = ()


class BatchAnswer(Model):
    """The answer to a bulk send, and to what pauses or ends one."""

    batch: str
    instance: str
    outcome: str
    """needs_approval | scheduled | running | paused | done | cancelled | aborted"""
    total: int = 0
    counts: Mapping[str, int] = {}
    """How many recipients came to which outcome; `waiting`: none yet."""
    approval: str = ""
    notes: tuple[str, ...] = ()


Answer = SentMessage | InstanceAnswer | BatchAnswer


@dataclass(frozen=True, slots=True)
class Act:
    """Bound to its content: `digest` covers who asks, the action, the place and the payload."""

    action: str
    caller: Caller
    shown: Shown
    payload: Mapping[str, object] = field(repr=False)
    """JSON; what the executor needs. Sealed where it is stored."""
    instance_id: str = ""
    instance: str = ""
    provider: str = ""
    chat: Chat | None = None
    needs_approval: bool = False
    why: str = ""
    """The reason it must be asked, or of the verdict."""

    @property
    def is_known(self) -> bool:
        """It only tells what became of a call that was made before."""
        return "known" in self.payload

    def digest(self, pepper: bytes) -> str:
        """Hex HMAC-SHA256 of who asks for what, where.

        Keyed, because it stays in the store: of a short text a plain hash would be a riddle
        that any dictionary solves.
        """
        chat = self.chat.id if self.chat else ""
        content = [self.caller.actor, self.action, self.instance_id, chat, self.payload]
        said = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
        return hmac.digest(pepper, b"act\0" + said, "sha256").hex()


class Approval(Model):
    """A held act as it stands."""

    id: str
    action: str
    instance: str = ""
    chat: str = ""
    shown: Shown
    state: str
    """waiting | approved | rejected | expired"""
    requested_by: str
    created_at: str
    expires_at: str
    decision: str = ""
    decided_at: str = ""
    decided_by: str = ""
    message: str = ""
    """Id of the held message, for sends."""
    batch: str = ""
    """Id of the held batch, for bulk sends and what waits for its time."""

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What the owner may answer."""
        return choices(self.action, in_chat=bool(self.chat))


def files_in(payload: object) -> Iterator[str]:
    """The ids of stored files, wherever they stand in what an act needs."""
    if isinstance(payload, dict):
        held = cast("dict[str, object]", payload)
        for name, value in held.items():
            named = [value] if isinstance(value, str) else value
            if name in _HOLD_FILES and isinstance(named, list):
                ids = cast("list[object]", named)
                yield from (each for each in ids if _is_media(each))
            else:
                yield from files_in(value)
    elif isinstance(payload, list):
        for each in cast("list[object]", payload):
            yield from files_in(each)


def _is_media(value: object) -> TypeGuard[str]:
    return isinstance(value, str) and decode_id(IdKind.MEDIA, value) is not None
