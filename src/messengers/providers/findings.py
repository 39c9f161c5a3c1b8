"""What a messenger says of an account when its owner looks for what is wrong."""

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from messengers.models import Model

__all__ = ["Examines", "Finding"]


class Finding(Model):
    """One thing that was looked at."""

    what: str
    """One or two words."""
    found: str
    """One sentence of ours."""
    state: Literal["ok", "warn", "fail"] = "ok"
    remedy: str = ""


@runtime_checkable
class Examines(Protocol):
    """Can be asked for the facts behind its health."""

    async def examine(self) -> Sequence[Finding]:
        """Asks the messenger and changes nothing, while `run` is under way. Raises what fails."""
        ...
