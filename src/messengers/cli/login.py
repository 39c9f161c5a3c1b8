"""The steps of a login at a terminal."""

from pathlib import Path

import segno
import typer

from messengers.cli.terminal import fail, say
from messengers.providers.login import (
    AskInput,
    Done,
    LoginFailed,
    LoginStep,
    ShowCode,
    ShowQr,
    Wait,
)

__all__ = ["show_step"]


def show_step(step: LoginStep, save: Path | None = None) -> None:
    """What the owner must do now. Ends the command with 1 when the login failed."""
    match step:
        case ShowQr():
            _show_qr(step, save)
        case ShowCode():
            say(step.code, step.caption)
        case AskInput():
            fields = " ".join(f"--set {field}=@-" for field in step.fields)
            say("It needs credentials.", f"  → `messengers instances connect NAME {fields}`")
        case Wait():
            say(step.reason or "There is nothing to show yet; repeat in a moment.")
        case Done():
            say("It is connected.")
        case LoginFailed():
            fail(step.reason)


def _show_qr(step: ShowQr, save: Path | None) -> None:
    code = segno.make(step.text, micro=False)
    if save is not None:
        try:
            code.save(str(save), scale=8)
        except (OSError, ValueError) as exc:
            fail(f"The code cannot be written: {exc}.", "Name a file that ends with .png or .svg.")
        say(f"Written to {save}.")
    else:
        code.terminal(typer.get_text_stream("stdout"), compact=True)
    say(step.caption)
    if step.expires_at:
        say(f"It holds until {step.expires_at.astimezone():%H:%M:%S}.")
