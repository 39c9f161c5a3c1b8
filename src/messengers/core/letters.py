"""Dead letters as their owner and agents see them."""

from datetime import datetime

from messengers.models import Model

__all__ = ["DeadLetter", "Replayed"]


class DeadLetter(Model):
    """One event that no attempt understood. Its chat, error and content are strangers' words."""

    id: str
    instance: str
    """Name of the instance."""
    chat: str
    """The platform's own id of the chat."""
    kind: str
    received_at: datetime
    attempts: int
    error: str
    size_bytes: int
    payload: str = ""
    """As it came; empty in lists."""


class Replayed(Model):
    """What became of letters that were tried again."""

    understood: int = 0
    waiting: int = 0
    """Not decided within the time."""
    dead: tuple[str, ...] = ()
    """Those that failed again."""
    error: str = ""
    """Of the last that failed."""
