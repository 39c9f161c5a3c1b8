"""Hosts that the owner named in a setting."""

import re
from collections.abc import Iterable

from messengers.errors import InvalidInput
from messengers.urls import SafeUrl

__all__ = ["WEB_PORTS", "AllowedHosts"]

WEB_PORTS = frozenset({80, 443})
_PORT = re.compile(r"[^:\]]:[0-9]+$|\]:[0-9]+$")


class AllowedHosts:
    """Names and addresses, each for one port or, without one, for those of the web."""

    def __init__(self, entries: Iterable[str] = ()) -> None:
        """Raises InvalidInput when an entry is no `host` or `host:port`."""
        self._places: set[tuple[str, int]] = set()
        for entry in entries:
            url = SafeUrl.parse(f"http://{entry}")
            if url.target != "/" or not re.fullmatch(r"[^/?#]+", entry):
                raise InvalidInput("An allowed host is no host.", "Write name or name:port.")
            ports = {url.port} if _PORT.search(entry) else WEB_PORTS
            self._places |= {(url.host, port) for port in ports}

    def holds(self, host: str, port: int) -> bool:
        """Whether this host is meant, at this port."""
        return (host, port) in self._places
