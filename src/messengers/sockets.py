"""Opening the sockets that the daemon listens on."""

import errno
import os
import socket
from pathlib import Path

from messengers.errors import AlreadyRunning, NotReady, StorageUnavailable
from messengers.home import make_private

__all__ = ["bind_tcp", "bind_unix"]

_BACKLOG = 512
_SILENCE_MS = 20_000


def bind_tcp(host: str, port: int, *, must: bool) -> socket.socket:
    """Listen on a port; when it is taken and not a `must`, on a free one.

    Raises:
        AlreadyRunning: the port is taken.
        NotReady: the address cannot be used at all.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as exc:
        raise NotReady("The address to listen on is not known here.", "Check --host.") from exc
    bound = socket.socket(family, kind, protocol)
    bound.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):
            # Every connection inherits it: a peer that vanished without a word is found by the
            # next bytes it does not take, not after a quarter of an hour.
            bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENCE_MS)
        bound.bind(address)
        # At once: two sockets may be bound to one port until one of them listens.
        bound.listen(_BACKLOG)
    except OSError as exc:
        bound.close()
        if exc.errno != errno.EADDRINUSE:
            raise NotReady(
                f"Port {port} cannot be used: {exc.strerror}.", "Choose another: --port."
            ) from exc
        if must:
            raise AlreadyRunning(
                f"Port {port} is taken.",
                "Stop what listens there, or choose another: --port or MESSENGERS_PORT.",
            ) from exc
        return bind_tcp(host, 0, must=True)
    return bound


def bind_unix(path: Path) -> socket.socket:
    """Listen on a unix socket that only this user can open.

    The caller holds the home's lock, so a socket that is there belongs to a daemon that died.

    Raises:
        StorageUnavailable: the directory cannot be used.
    """
    bound = socket.socket(socket.AF_UNIX)
    bound.setblocking(False)  # noqa: FBT003 - the standard library's own signature
    try:
        make_private(os.path.realpath(path.parent))
        path.unlink(missing_ok=True)
        bound.bind(str(path))
        path.chmod(0o600)
        bound.listen(_BACKLOG)
    except OSError as exc:
        bound.close()
        raise StorageUnavailable(
            f"The socket {path} cannot be made: {exc.strerror or exc}.",
            "Remove what is there, or choose another data directory.",
        ) from exc
    return bound
