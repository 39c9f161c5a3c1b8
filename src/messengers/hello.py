"""The first line of a stdio client, and what the daemon answers to it."""

import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Literal

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from messengers import __version__
from messengers.core.callers import Caller
from messengers.errors import InvalidInput
from messengers.models import Preset
from messengers.settings import Settings, describe_differences, known_toolsets
from messengers.wire import parse

__all__ = ["Hello", "Welcome", "proof_of", "welcome"]

PROTOCOL = 1


class Hello(BaseModel):
    """Who a client is. Fields of a later version are let pass: it asks for what we do not have."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    messengers: Literal[1]
    version: str
    preset: Preset | Literal[""] = ""
    toolsets: str = ""
    channel: bool = False
    cwd: str = ""
    settings: Mapping[str, str] = {}
    proof: str = ""


@dataclass(frozen=True, slots=True)
class Welcome:
    """What a hello leads to: a caller, or none and the connection ends."""

    answer: bytes
    """One line, for the client."""
    caller: Caller | None = None
    is_older: bool = False
    """This daemon is older than its client and makes way."""


def welcome(line: bytes, settings: Settings, is_proven: Callable[[str], bool]) -> Welcome:
    """Judge a hello. `is_proven` checks its proof; on a unix socket the file's mode is proof."""
    try:
        hello = Hello.model_validate(parse(line))
    except (InvalidInput, ValidationError):
        return _refusal("malformed", "The first line is no hello of a Messengers client.")
    if not is_proven(hello.proof):
        return _refusal("unauthorized", "The client does not know the local key of this home.")
    ours, theirs = _parts(__version__), _parts(hello.version)
    if theirs > ours:
        told = f"The daemon is Messengers {__version__}; it makes way for {hello.version}."
        return Welcome(_refusal("older_daemon", told).answer, is_older=True)
    try:
        toolsets = known_toolsets(hello.toolsets.replace(",", " ").split())
    except InvalidInput as exc:
        return _refusal("unknown_toolset", f"--toolsets does not fit: {exc.cause} {exc.remedy}")
    warnings: list[str] = []
    if theirs < ours:
        warnings.append(
            f"This client is Messengers {hello.version}, the daemon {__version__}: "
            "restart the client to use the new version."
        )
    different = describe_differences(settings, hello.settings)
    if different:
        warnings.append(
            f"The daemon runs with other settings than this client asks for: "
            f"{', '.join(different)}. They take effect after `messengers stop`."
        )
    caller = Caller(
        "stdio",
        preset=hello.preset or settings.preset,
        toolsets=frozenset(toolsets or settings.toolsets),
        local=True,
        channel=hello.channel,
    )
    answer = {"ok": True, "warning": "\n".join(warnings)}
    return Welcome(_line(answer), caller)


def proof_of(key: str, nonce: str) -> str:
    """What only who can read the local key can say to a nonce, without saying the key."""
    return blake2b(nonce.encode(), key=key.encode()[:64]).hexdigest()


def proves(key: str, nonce: str, proof: str) -> bool:
    """Whether a client can read the local key."""
    return hmac.compare_digest(proof_of(key, nonce).encode(), proof.encode())


def _refusal(reason: str, message: str) -> Welcome:
    return Welcome(_line({"ok": False, "reason": reason, "message": message}))


def _line(values: Mapping[str, object]) -> bytes:
    return orjson.dumps({"messengers": PROTOCOL, "version": __version__, **values}) + b"\n"


def _parts(version: str) -> tuple[int, ...]:
    """1.10 is more than 1.9. A pre-release counts as its release."""
    return tuple(int(part) for part in re.findall(r"\d{1,9}", version)[:3])
