"""An address that somebody named: a user, an agent, a message, an answer's header.

Its form is settled here, once and strictly; whether it may be connected to is the guard's to say
(`messengers.guarded`), each time anew.
"""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, urljoin

from pydantic_core import CoreSchema, core_schema

from messengers.errors import InvalidInput

__all__ = ["SafeUrl"]

_MAX_LENGTH = 8_192
_FORM = re.compile(
    r"(?P<scheme>https?)://(?P<host>\[[0-9a-f:.]+\]|[^\s/?#@:\[\]%]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?][^#]*)?(?:#.*)?",
    re.IGNORECASE,
)
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""What other programs take for a part of an IPv4 address, https://url.spec.whatwg.org/#ends-in-a-number-checker."""
_KEPT = "!$%&'()*+,-./:;=?@[]_~"
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, repr=False)
class SafeUrl:
    """`http` or `https` with one meaning for every program: a plain host, no user, no tricks.

    Its text may hold secrets (a signature in the query): `repr` shows no more than its origin.
    """

    scheme: Literal["http", "https"]
    host: str
    """Lower case and ASCII; an IPv6 address without brackets."""
    port: int
    target: str
    """Path and query, in ASCII, beginning with a slash."""

    @classmethod
    def parse(cls, text: str) -> "SafeUrl":
        """Read an address.

        Raises:
            InvalidInput: it is none, or one that programs read in different ways. Never says it.
        """
        form = _FORM.fullmatch(text) if len(text) <= _MAX_LENGTH else None
        if form is None or "\\" in text or not all(_is_plain(char) for char in text):
            raise _refusal()
        scheme: Literal["http", "https"] = "https" if form["scheme"].lower() == "https" else "http"
        port = int(form["port"] or _PORTS[scheme])
        if not 0 < port < 65_536:
            raise _refusal()
        target = form["target"] or "/"
        target = quote(target if target.startswith("/") else f"/{target}", safe=_KEPT)
        return cls(scheme, _host(form["host"].lower()), port, target)

    def join(self, location: str) -> "SafeUrl":
        """The address that a `Location` header names from here. Raises InvalidInput."""
        try:
            following = urljoin(str(self), location)
        except ValueError as exc:
            raise _refusal() from exc
        return self.parse(following)

    @property
    def origin(self) -> str:
        """Scheme, host and, where it is not the scheme's own, port."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}"

    def __str__(self) -> str:
        return f"{self.origin}{self.target}"

    def __repr__(self) -> str:
        return f"<SafeUrl {self.origin}/…>"

    @classmethod
    def __get_pydantic_core_schema__(
        cls, _source: object, _handler: Callable[[Any], CoreSchema]
    ) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _validated,
            json_schema_input_schema=core_schema.str_schema(max_length=_MAX_LENGTH),
            serialization=core_schema.to_string_ser_schema(),
        )


def _validated(value: object) -> SafeUrl:
    """For pydantic, which takes no error of ours for a refusal."""
    if isinstance(value, SafeUrl):
        return value
    try:
        return SafeUrl.parse(value if isinstance(value, str) else "")
    except InvalidInput as exc:
        raise ValueError(exc.cause) from exc


def _host(host: str) -> str:
    """A host in its one spelling: an IP address as standards write it, or a name."""
    try:
        if host.startswith("["):
            return ipaddress.IPv6Address(host[1:-1]).compressed
        name = host if host.isascii() else _ascii(host)
        labels = name.removesuffix(".").split(".")
        if _NUMBER.fullmatch(labels[-1]):
            return ipaddress.IPv4Address(name).compressed
    except ValueError as exc:
        raise _refusal() from exc
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _refusal()
    return ".".join(labels)


def _ascii(host: str) -> str:
    """A name in letters of the world as the DNS knows it; digits and dots in disguise are none."""
    import idna

    return idna.encode(host).decode("ascii")


def _is_plain(char: str) -> bool:
    return char.isprintable() and not char.isspace()


def _refusal() -> InvalidInput:
    return InvalidInput(
        "That is no web address that can be used.",
        "Write http:// or https://, a host, and nothing unusual.",
    )
