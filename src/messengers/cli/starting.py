"""Starting a missing daemon, detached, and waiting until it answers.

Several clients may do this at once: the lock lets one daemon win, and the others connect to it.
"""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from messengers.cli.stdio import connect
from messengers.home import (
    LOG_FILE,
    START_LOG_FILE,
    child_environment,
    make_private,
)
from messengers.lock import is_held

__all__ = ["ALREADY_RUNNING", "start"]

_QUICK = {"PYDANTIC_DISABLE_PLUGINS": "__all__"}
"""There are none, and looking for them in all that is installed is a tenth of a daemon's start."""
ALREADY_RUNNING = 75
"""Exit code of a daemon that found another one: the winner of a race answers in a moment."""
_WAIT_S = 30.0
"""Small boards take long to load everything; a daemon that fails is seen at once."""
_DRAIN_S = 10.0
"""How long an older daemon, asked to go, may take beyond that."""
_LOG_LINES = 20


def start(home: str) -> socket.socket | str:
    """A connection to a daemon that was started now, or why there is none, with its last words."""
    try:
        make_private(home)
        make_private(os.path.join(home, "log"))
    except OSError as exc:
        return f"The data directory {home} cannot be used: {exc.strerror or exc}."
    began = time.monotonic()
    child: subprocess.Popen[bytes] | None = None
    while time.monotonic() - began < _WAIT_S + (_DRAIN_S if child is None else 0):
        stream = connect(home)
        if stream is not None:
            return stream
        if child is None and not is_held(Path(home)):
            child = _spawn(home)
            began = time.monotonic()
        if child is not None and child.poll() is not None:
            if child.returncode != ALREADY_RUNNING:
                return _last_words(home, "The Messengers daemon did not start.")
            child = None
        time.sleep(0.03)
    return _last_words(home, f"The Messengers daemon did not answer within {_WAIT_S:.0f} s.")


def _spawn(home: str) -> "subprocess.Popen[bytes]":
    """The daemon in a session of its own, so that closing a terminal or a client spares it."""
    output = os.open(
        os.path.join(home, START_LOG_FILE), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600
    )
    try:
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", "messengers", "serve", "--home", home, "--detached"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=home,
            env={**child_environment(), **_QUICK},
            umask=0o077,
            start_new_session=True,
        )
    finally:
        os.close(output)


def _last_words(home: str, cause: str) -> str:
    for name in (START_LOG_FILE, LOG_FILE):
        try:
            with open(os.path.join(home, name), encoding="utf-8", errors="replace") as stream:
                lines = stream.read()[-4_000:].splitlines()[-_LOG_LINES:]
        except OSError:
            continue
        if lines:
            return "\n".join((cause, *lines))
    return f"{cause} It left no log."
