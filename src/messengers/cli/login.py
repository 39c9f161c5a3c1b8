"""The steps of a login at a terminal: one of them, or all of them until it is through."""

import shutil
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from time import sleep

import segno
import typer

from messengers.cli.remedies import at_terminal
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
from messengers.qr import blocks

__all__ = ["follow", "show_step"]

_LOOK_AGAIN_S = 1.0
_INK = "\033[97;40m{}\033[0m"
"""White on black whatever the terminal's own colours: scanners do not take every other."""
_INTERRUPTED = 130


def show_step(step: LoginStep, save: Path | None = None) -> None:
    """What the owner must do now. Ends the command with 1 when there is no way on from here."""
    match step:
        case ShowQr():
            _show_qr(step, save)
        case ShowCode():
            say(step.spaced, step.caption)
        case AskInput():
            fields = " ".join(f"--set {field}=@-" for field in step.fields)
            fail("It needs credentials.", f"`messengers instances connect NAME {fields}`")
        case Wait():
            fail(at_terminal(step.reason) or "There is nothing to show yet.", "Repeat in a moment.")
        case Done():
            say("Connected.")
        case LoginFailed():
            fail(step.reason)


def follow(step: LoginStep, ask: Callable[[], LoginStep]) -> None:
    """From this step on show each code as it comes until the login ends; 0 means connected.

    At a terminal a new code takes the place of the one before it. Elsewhere each is printed once.
    """
    screen = _Screen()
    try:
        while isinstance(step, ShowQr | ShowCode) or (isinstance(step, Wait) and screen.is_used):
            screen.show(step)
            sleep(_LOOK_AGAIN_S)
            step = ask()
    except KeyboardInterrupt:
        raise typer.Exit(_INTERRUPTED) from None
    finally:
        screen.leave()
    show_step(step)


class _Screen:
    """The place of the code on a terminal, or its mere succession elsewhere."""

    def __init__(self) -> None:
        self._is_live = sys.stdout.isatty()
        self._shown = ""
        self._height = 0
        """Lines that the next code may overwrite."""

    @property
    def is_used(self) -> bool:
        """Whether anything was shown."""
        return bool(self._shown)

    def show(self, step: ShowQr | ShowCode | Wait) -> None:
        """Draw what is new and say how long it holds."""
        if isinstance(step, Wait):
            self._status(step.reason or "Waiting…")
            return
        told = step.text if isinstance(step, ShowQr) else step.code
        if told != self._shown:
            self._shown = told
            self._draw(step)
        if step.expires_at is not None:
            left_s = (step.expires_at - datetime.now(UTC)).total_seconds()
            self._status(f"Holds for {max(0, round(left_s))} s more.")

    def leave(self) -> None:
        """Whatever comes next begins on a line of its own."""
        if self._is_live and self.is_used:
            typer.echo("")

    def _draw(self, step: ShowQr | ShowCode) -> None:
        lines = [step.spaced] if isinstance(step, ShowCode) else blocks(step.text).split("\n")
        if not self._is_live:
            say(*lines, step.caption)
            return
        size = shutil.get_terminal_size()
        if len(lines[0]) > size.columns:
            fail(
                f"The code is {len(lines[0])} columns wide, this terminal {size.columns}.",
                "Widen it, or write a picture with --save FILE.png.",
            )
        if self._height:
            typer.echo(f"\r\033[{self._height}A\033[J", nl=False)
        for line in lines:
            typer.echo(_INK.format(line) if isinstance(step, ShowQr) else line)
        say(step.caption)
        # Lines that have scrolled away cannot be written over: then the next code follows below.
        height = len(lines) + 1 + len(step.caption) // size.columns
        self._height = height if height < size.lines else 0

    def _status(self, text: str) -> None:
        if self._is_live:
            typer.echo(f"\r\033[K{text}", nl=False)


def _show_qr(step: ShowQr, save: Path | None) -> None:
    if save is not None:
        try:
            segno.make(step.text, micro=False).save(str(save), scale=8)
        except (OSError, ValueError) as exc:
            fail(f"The code cannot be written: {exc}.", "Name a file that ends with .png or .svg.")
        say(f"Written to {save}.")
    else:
        say(blocks(step.text))
    say(step.caption)
    if step.expires_at:
        say(f"It holds until {step.expires_at.astimezone():%H:%M:%S}.")
