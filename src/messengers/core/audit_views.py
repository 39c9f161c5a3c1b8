"""The lines of the audit as they are shown, and what may be asked of them."""

from dataclasses import dataclass
from datetime import datetime

from messengers.models import Model

__all__ = ["AuditFilter", "AuditLine"]


class AuditLine(Model):
    """Something that was done."""

    at: datetime
    actor: str
    """`owner`, `stdio`, `local`, or an API key's id."""
    key_name: str = ""
    client: str = ""
    """How the client named itself: nobody proves that."""
    action: str
    instance: str = ""
    chat: str = ""
    message: str = ""
    outcome: str
    text_hash: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What is looked for; empty means everything."""

    since: datetime | None = None
    who: str = ""
    """An actor, or a key's name."""
    instance: str = ""
    chat: str = ""
    action: str = ""
    """How it begins, `send` or `instance.`."""
