"""A person at a terminal: a command under a pseudo-terminal, read and answered step by step."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Terminal", "sitting"]

_DEADLINE_S = 60.0


@dataclass
class Terminal:
    """What the person sees and types."""

    process: "subprocess.Popen[bytes]"
    descriptor: int
    shown: str = field(default="")
    _looked_at: int = 0

    def until(self, text: str) -> str:
        """What is shown from where was last looked, up to and with `text`."""
        ends = time.monotonic() + _DEADLINE_S
        while (at := self.shown.find(text, self._looked_at)) < 0:
            if time.monotonic() > ends or not self._read(ends - time.monotonic()):
                raise AssertionError(f"{text!r} is not shown:\n{self.shown}")
        start, self._looked_at = self._looked_at, at + len(text)
        return self.shown[start : self._looked_at]

    def type(self, line: str) -> None:
        """Type a line."""
        os.write(self.descriptor, f"{line}\n".encode())

    def end(self) -> int:
        """Wait for the command; its exit code."""
        ends = time.monotonic() + _DEADLINE_S
        while self._read(ends - time.monotonic()):
            pass
        return self.process.wait(_DEADLINE_S)

    def _read(self, wait_s: float) -> bool:
        """More of what is shown; False once the command has closed the terminal."""
        if not select.select([self.descriptor], [], [], max(0.0, wait_s))[0]:
            return False
        try:
            data = os.read(self.descriptor, 65_536)
        except OSError:
            return False
        self.shown += data.decode("utf-8", "replace").replace("\r\n", "\n")
        return bool(data)


@contextmanager
def sitting(command: Sequence[str], env: Mapping[str, str], cwd: Path) -> Generator[Terminal]:
    """Run a command at a terminal of its own; what still runs afterwards is ended."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env=env,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        yield Terminal(process, ours)
    finally:
        process.terminate()
        process.wait(_DEADLINE_S)
        os.close(ours)
