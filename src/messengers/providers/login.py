"""Logging in, step by step, each safe to ask for again under its transaction id; and out."""

from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from messengers.models import Model

__all__ = [
    "AdoptsSession",
    "AskInput",
    "Done",
    "LoginFailed",
    "LoginStep",
    "LogsOut",
    "ShowCode",
    "ShowQr",
    "Wait",
]

_CODE = 8


class ShowQr(Model):
    """A QR code to scan."""

    step: Literal["show_qr"] = "show_qr"
    transaction: str
    text: str
    """What the QR holds."""
    caption: str
    """What to do with it, one sentence."""
    expires_at: datetime | None = None


class ShowCode(Model):
    """A code to type on the phone."""

    step: Literal["show_code"] = "show_code"
    transaction: str
    code: str
    caption: str
    expires_at: datetime | None = None

    @property
    def spaced(self) -> str:
        """As a person reads it aloud: eight letters and digits in two groups."""
        whole = len(self.code) == _CODE and self.code.isalnum()
        return f"{self.code[:4]}-{self.code[4:]}" if whole else self.code


class AskInput(Model):
    """Fields the owner must fill, by form or terminal, never in a chat."""

    step: Literal["ask_input"] = "ask_input"
    transaction: str
    fields: tuple[str, ...]


class Wait(Model):
    """Nothing to show yet."""

    step: Literal["wait"] = "wait"
    transaction: str
    reason: str = ""


class Done(Model):
    """Logged in."""

    step: Literal["done"] = "done"
    transaction: str = ""


class LoginFailed(Model):
    """It ended; `reason` holds the cause and the remedy."""

    step: Literal["failed"] = "failed"
    transaction: str = ""
    reason: str


@runtime_checkable
class LogsOut(Protocol):
    """Ends its session at the messenger, which lists this computer no more."""

    async def logout(self) -> None: ...


@runtime_checkable
class AdoptsSession(Protocol):
    """Takes over a session that another program made with the same engine."""

    async def adopt(self, session: Path) -> None:
        """`session` is a private copy in the instance's directory, to be moved to its place.

        Called before the instance runs. Raises InvalidInput for what is no session of this kind.
        """
        ...


LoginStep = ShowQr | ShowCode | AskInput | Wait | Done | LoginFailed
