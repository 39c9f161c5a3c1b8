"""`messengers stop`: end the daemon in an orderly way."""

import os
import sys
import time
from pathlib import Path

from pydantic import TypeAdapter

from messengers.cli.control import ask, place_of
from messengers.cli.terminal import Home, fail, say
from messengers.lock import is_held

__all__ = ["stop"]

_PATIENCE_S = 30.0
_ANSWER = TypeAdapter(dict[str, int])


def stop(home: Home = None) -> None:
    """End the daemon: calls under way get a moment, nothing that is stored is lost."""
    place = place_of(home)
    if not is_held(place):
        say(f"No daemon runs for {place}.")
        return
    pid = ask("POST", "/stop", _ANSWER, home=home, start=False)["pid"]
    until = time.monotonic() + _PATIENCE_S
    # Its lock goes first, its process after it; whoever asked may want to start or remove things.
    while is_held(place) or _lives(pid):
        if time.monotonic() > until:
            fail(f"The daemon (process {pid}) has not ended yet.", "`messengers logs` tells why.")
        time.sleep(0.02)
    say("Messengers ended.")


def _lives(pid: int) -> bool:
    """Whether the process runs. One that ended stays known where nobody looks at the dead."""
    try:
        os.kill(pid, 0)
        if sys.platform != "linux":
            return True
        state = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace").rpartition(") ")[2][:1]
    except (ProcessLookupError, FileNotFoundError):
        return False
    return state not in ("Z", "X")
