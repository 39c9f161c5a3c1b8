"""`messengers stop`: end the daemon in an orderly way."""

import time

from pydantic import TypeAdapter

from messengers.cli.control import ask, place_of
from messengers.cli.terminal import Home, fail, say
from messengers.lock import is_held

__all__ = ["stop"]

_PATIENCE_S = 15.0
_ANSWER = TypeAdapter(dict[str, int])


def stop(home: Home = None) -> None:
    """End the daemon: calls under way get a moment, nothing that is stored is lost."""
    place = place_of(home)
    if not is_held(place):
        say(f"No daemon runs for {place}.")
        return
    pid = ask("POST", "/stop", _ANSWER, home=home, start=False)["pid"]
    until = time.monotonic() + _PATIENCE_S
    while is_held(place):
        if time.monotonic() > until:
            fail(f"The daemon (process {pid}) has not ended yet.", "`messengers logs` tells why.")
        time.sleep(0.05)
    say("Messengers ended.")
