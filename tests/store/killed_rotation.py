"""A program: replace the master key of a home, and be killed at a step of it.

    python killed_rotation.py HOME STEP

STEP: `pending` once the new key is durable, `sealing` in the middle of the transaction, `sealed`
once it is committed, `promoted` once the new key is the key.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from messengers.store import rotation, sealed


def killed_after(function: Callable[..., Any], count: int = 1) -> Callable[..., Any]:
    calls = [0]

    def whole(*args: object, **named: object) -> object:
        result = function(*args, **named)
        calls[0] += 1
        if calls[0] == count:
            os.kill(os.getpid(), signal.SIGKILL)
        return result

    return whole


def main(home: Path, step: str) -> None:
    match step:
        case "pending":
            rotation.put_pending = killed_after(rotation.put_pending)
        case "sealing":
            sealed.run = killed_after(sealed.run, 2)
        case "sealed":
            rotation.alone = killed_after(rotation.alone, 2)
        case _:
            rotation.promote = killed_after(rotation.promote)
    rotation.rotate(home, 0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
