"""The worker: one WhatsApp account's engine in a process of its own.

    python -m messengers.providers.whatsapp_web.worker SESSION

It speaks the lines of protocol.py on its first stdin and stdout and ends when its daemon is gone.
The engine writes to file descriptor 1 whatever it likes, so that is another pipe before the engine
is imported; of what comes there only the outcome of a login is read.
"""

import os
import re
import sys
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import orjson

__all__ = ["main"]

_CALLS_AT_ONCE = 16
_LOGIN = re.compile(rb"^Login event: *([\w-]+)")


class Line:
    """Writes one object a line; whoever writes waits until the daemon has room for it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._lock = threading.Lock()

    def __call__(self, value: object) -> None:
        line = orjson.dumps(value) + b"\n"
        with self._lock:
            self._file.write(line)
            self._file.flush()


def _guarded(told: Callable[[str], None]) -> BinaryIO:
    """Our own way out; descriptor 1 becomes a pipe of which `told` gets the login events."""
    out = os.fdopen(os.dup(1), "wb")
    reading, writing = os.pipe()
    os.dup2(writing, 1)
    os.close(writing)

    def listen() -> None:
        with os.fdopen(reading, "rb") as lines:
            for line in lines:
                found = _LOGIN.match(line)
                if found:
                    told(found[1].decode())

    threading.Thread(target=listen, daemon=True).start()
    return out


def main(session: str) -> None:
    """Serve one session file until stdin ends. Never returns: the engine's threads do not end."""
    os.umask(0o077)
    logins: list[str] = []
    heard: list[Callable[[str], None]] = [logins.append]
    line = Line(_guarded(lambda word: heard[0](word)))
    try:
        _serve(Path(session), line, heard)
    except BrokenPipeError:
        pass
    except Exception:  # noqa: BLE001 - its last words
        traceback.print_exc()
    finally:
        os._exit(0)


def _serve(session: Path, line: Line, heard: list[Callable[[str], None]]) -> None:
    try:
        # Here, because the engine may write as soon as it is loaded.
        from messengers.providers.whatsapp_web.calls import Calls
        from messengers.providers.whatsapp_web.engine import Engine
    except ImportError as exc:
        line({"event": "unusable", "why": f"{type(exc).__name__}: {exc}"[:300]})
        return
    engine = Engine(session, line)
    heard[0] = engine.login_ended
    asking = Calls(engine)
    line(engine.hello())
    with ThreadPoolExecutor(_CALLS_AT_ONCE) as calls:
        for request in sys.stdin.buffer:
            calls.submit(_answer, asking.answer, orjson.loads(request), line)
        os._exit(0)  # nobody is left to answer


def _answer(answer: Callable[[str, Any], dict[str, object]], asked: Any, line: Line) -> None:  # noqa: ANN401 - the daemon's own JSON
    try:
        line({"id": asked["id"], **answer(asked["call"], asked["with"])})
    except BrokenPipeError:
        os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
