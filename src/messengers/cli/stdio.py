"""`messengers stdio`: what an MCP client runs. A pump of bytes between it and the daemon.

Only `os`, `socket`, `sys`, `threading`, `json` and `hashlib` are imported while a daemon runs:
clients start one of these for every window, and wait for it. What starting a daemon takes stands
in `cli/starting.py`.

The first line on the socket is ours, `{"messengers": 1, "version", "preset", "cwd", …}`; the
daemon answers one line; from then on the bytes are the client's and the server's own.
"""
# ruff: noqa: TID251, T201  # settings are too heavy here, and people read stderr

import json
import os
import socket
import sys
import threading
from hashlib import blake2b

from messengers import __version__
from messengers.home import DAEMON_FILE, LOCAL_KEY_FILE, home_directory

__all__ = ["connect", "main"]

PROTOCOL = 1
USAGE = """\
usage: messengers stdio [--home DIR] [--preset reader|messenger|setup|admin] [--toolsets A,B]
                        [--channel] [--embedded]

Serves MCP on stdin and stdout. Starts the daemon when none runs.

  --home DIR      the data directory (else MESSENGERS_HOME, else the platform's)
  --preset NAME   which tools this client gets
  --toolsets A,B  more tools: rich, groups, access
  --channel       messages of chats you know wake Claude Code (its research preview)
  --embedded      no daemon: everything in this one process, for containers
"""
_VALUED = ("--home", "--preset", "--toolsets")
_CHUNK = 65_536
_HELLO_MAX_BYTES = 65_536
_GRACE_S = 1.5
"""How long answers under way may take once the client closed our stdin."""
_TRIES = 5
"""Daemons that end before they answer, until that is a fault."""
_SECRET_WORDS = ("KEY", "TOKEN", "SECRET", "PASSWORD")

Options = dict[str, str]


def main(arguments: list[str]) -> int:
    """Serve until one side ends; 0 only when the client ended it."""
    try:
        options = _options(arguments)
    except ValueError as exc:
        print(f"messengers stdio: {exc}\n\n{USAGE}", file=sys.stderr)
        return 2
    if "--help" in options:
        print(USAGE)
        return 0
    if "--embedded" in options:
        # Here, because it loads the whole product into this process.
        from messengers.cli.embedded import serve_embedded

        return serve_embedded(options)
    try:
        return _serve(options)
    except KeyboardInterrupt:
        return 130


def connect(home: str) -> socket.socket | None:
    """A connection to the daemon of this home, or None when none answers.

    Where it listens is what it wrote down: MCP clients strip the environment of their servers, so
    that what is derived here from TMPDIR or XDG_RUNTIME_DIR may be another place.
    """
    record = _recorded(home)
    path, port = record.get("socket"), record.get("stdio_port")
    if path and isinstance(path, str):
        stream = socket.socket(socket.AF_UNIX)
        try:
            stream.connect(path)
        except OSError:
            stream.close()
            return None
        return stream
    if not isinstance(port, int) or not port:
        return None
    try:
        return socket.create_connection(("127.0.0.1", port), timeout=5)
    except OSError:
        return None


def _options(arguments: list[str]) -> Options:
    """`--name value` and `--name=value`; argparse alone would double the time to start."""
    options: Options = {}
    left = iter(arguments)
    for argument in left:
        name, given, value = argument.partition("=")
        if name in _VALUED:
            options[name] = value if given else next(left, "")
            if not options[name]:
                raise ValueError(f"{name} needs a value.")
        elif argument in ("--channel", "--embedded", "--help"):
            options[argument] = "1"
        else:
            raise ValueError(f"there is no option {name}.")
    if "--channel" in options and "--embedded" in options:
        raise ValueError("--channel needs the daemon: leave --embedded out.")
    return options


def _serve(options: Options) -> int:
    home = home_directory(options.get("--home", ""))
    stream = connect(home)
    lost = 0
    while True:
        if stream is None:
            # Here, because it is the rare and slow way.
            from messengers.cli.starting import start

            stream = start(home)
        if isinstance(stream, str):
            print(stream, file=sys.stderr)
            return 1
        answer, rest = _greet(stream, home, options)
        if answer.get("warning"):
            print(answer["warning"], file=sys.stderr)
        if answer.get("ok"):
            return _pump(stream, rest)
        stream.close()
        stream = None
        reason = answer.get("reason")
        if reason == "closed" and lost < _TRIES:
            lost += 1  # it was about to end, and nothing was asked of it
        elif reason != "older_daemon":
            print(answer.get("message") or "The Messengers daemon gave no answer.", file=sys.stderr)
            return 1
        # It makes way for us; until its socket is closed it would only say so again.
        threading.Event().wait(0.1)


def _greet(stream: socket.socket, home: str, options: Options) -> "tuple[dict[str, object], bytes]":
    """Say hello; the daemon's answer, and what it sent after it."""
    stream.settimeout(10)
    hello: dict[str, object] = {
        "messengers": PROTOCOL,
        "version": __version__,
        "preset": options.get("--preset", ""),
        "toolsets": options.get("--toolsets", ""),
        "channel": "--channel" in options,
        "cwd": _cwd(),
        "settings": _variables(),
    }
    rest = b""
    try:
        if stream.family != getattr(socket, "AF_UNIX", None):
            nonce, rest = _line(stream, b"")
            hello["proof"] = _proof(home, str(nonce.get("nonce", "")))
        stream.sendall(json.dumps(hello).encode() + b"\n")
        answer, rest = _line(stream, rest)
        stream.settimeout(None)
    except TimeoutError:
        return {}, b""
    except (OSError, ValueError):
        return {"reason": "closed"}, b""
    return answer, rest


def _line(stream: socket.socket, buffer: bytes) -> "tuple[dict[str, object], bytes]":
    while b"\n" not in buffer:
        data = stream.recv(_CHUNK)
        if not data or len(buffer) > _HELLO_MAX_BYTES:
            raise ValueError("no line")
        buffer += data
    line, rest = buffer.split(b"\n", 1)
    value: dict[str, object] | list[object] | None = json.loads(line)
    return value if isinstance(value, dict) else {}, rest


def _pump(stream: socket.socket, first: bytes) -> int:
    """Copy both ways until one side ends."""
    ended = threading.Event()
    finished = threading.Event()

    def up() -> None:
        try:
            while data := os.read(0, _CHUNK):
                stream.sendall(data)
            ended.set()
            stream.shutdown(socket.SHUT_WR)
        except OSError:
            # The daemon is gone: the other direction sees it and says so.
            return
        if not finished.wait(_GRACE_S):
            # The client left and an answer hangs: nobody waits for it.
            os._exit(0)

    threading.Thread(target=up, daemon=True).start()
    try:
        data = first or stream.recv(_CHUNK)
        while data:
            _write(data)
            data = stream.recv(_CHUNK)
    except BrokenPipeError:
        return 0
    except OSError:
        pass
    finally:
        finished.set()
    if ended.is_set():
        return 0
    print("The Messengers daemon ended; start this MCP server again.", file=sys.stderr)
    return 1


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(1, data) :]


def _recorded(home: str) -> "dict[str, object]":
    try:
        with open(os.path.join(home, DAEMON_FILE), encoding="utf-8") as stream:
            record: dict[str, object] | list[object] | None = json.load(stream)
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}


def _proof(home: str, nonce: str) -> str:
    """That we can read the local key, without telling it to whoever holds the port."""
    with open(os.path.join(home, LOCAL_KEY_FILE), encoding="ascii") as stream:
        key = stream.read().strip()
    return blake2b(nonce.encode(), key=key.encode()[:64]).hexdigest()


def _cwd() -> str:
    try:
        return os.getcwd()
    except OSError:
        return ""


def _variables() -> "dict[str, str]":
    """Our settings, so that the daemon can say where its own differ."""
    return {
        name: value
        for name, value in os.environ.items()
        if name.startswith("MESSENGERS_") and not any(word in name for word in _SECRET_WORDS)
    }
