"""Access rules and what they keep back, as their owner sees it."""

from datetime import datetime
from typing import Literal

from messengers.models import Model

__all__ = [
    "AccessRule",
    "Direction",
    "Effect",
    "Explanation",
    "Pairing",
    "Side",
    "SubjectKind",
    "WithheldMessage",
]

Side = Literal["in", "out"]
Direction = Literal["in", "out", "both"]
Effect = Literal["allow", "deny", "silent", "read_only"]
SubjectKind = Literal["phone", "username", "native_id", "chat", "phone_prefix", "glob", "any"]


class AccessRule(Model):
    """A rule as its owner sees it."""

    id: str
    instance: str = ""
    """Its name; empty: whatever the instance."""
    direction: Direction
    kind: SubjectKind
    subject: str
    effect: Effect
    priority: int = 0
    note: str = ""
    created_at: datetime
    expires_at: datetime | None = None

    @property
    def who(self) -> str:
        """Whom it means, as one writes it: `+4917*`, `@anna`, `any`."""
        if self.kind == "phone_prefix":
            return f"{self.subject}*"
        return self.subject or "any"


class Explanation(Model):
    """What holds for somebody, each way, and why."""

    who: str
    direction: Side
    verdict: Literal["allow", "deny", "silent", "read_only", "no rule"]
    rule: str = ""
    """The one that holds."""
    result: str
    """What comes of it, with the policy where no rule holds: `kept back: the policy is off`."""
    others: tuple[AccessRule, ...] = ()
    """Which else fit, in their order."""


class WithheldMessage(Model):
    """One that agents are not shown, for the owner."""

    id: str
    chat: str
    instance: str
    sender: str
    text: str
    received_at: datetime
    why: str
    """As in `deny r3`."""


class Pairing(Model):
    """A stranger who waits, as the owner sees him."""

    code: str
    instance: str
    chat: str
    name: str
    """As he calls himself."""
    native_id: str
    expires_at: datetime
