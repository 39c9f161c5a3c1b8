"""Asking the daemon, over its control socket."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, cast
from urllib.parse import quote

import httpx2
import orjson
from pydantic import TypeAdapter, ValidationError

from messengers.cli import starting
from messengers.errors import MessengersError, NotReady
from messengers.home import home_directory
from messengers.lock import is_held, recorded

__all__ = ["ask", "place_of", "segment"]

T = TypeVar("T")
_DEADLINE_S = 90.0
"""Longer than any question waits for its outcome."""


def place_of(home: Path | None) -> Path:
    """The data directory that a command means."""
    return Path(home_directory(str(home or "")))


def segment(text: str) -> str:
    """A name or id as one segment of a path; `..` is a step up even when it was meant as a name."""
    return quote(text, safe="").replace(".", "%2E")


def ask(
    method: str,
    path: str,
    answer: TypeAdapter[T],
    body: Mapping[str, object] | None = None,
    *,
    home: Path | None,
    start: bool = True,
    **query: str,
) -> T:
    """One question to the daemon of a home, which is started when none runs.

    Raises:
        NotReady: no daemon runs, and none was to be started or came up.
        MessengersError: the daemon's own, with its code.
    """
    place = place_of(home)
    reply = _try(place, method, path, body, query)
    if reply is None and start:
        started = starting.start(str(place))
        if isinstance(started, str):
            raise NotReady(started, "`messengers doctor` looks for the reason.")
        started.close()
        reply = _try(place, method, path, body, query)
    if reply is None:
        raise _silent(place)
    return _read(reply, answer)


def _try(
    place: Path,
    method: str,
    path: str,
    body: Mapping[str, object] | None,
    query: Mapping[str, str],
) -> httpx2.Response | None:
    """The daemon's reply, or None when nobody listens: then nothing was asked."""
    address = str(recorded(place).get("control", ""))
    if not address or not _is_open(address):
        return None
    transport = httpx2.HTTPTransport(uds=address)
    with httpx2.Client(transport=transport, base_url="http://messengers") as client:
        try:
            return client.request(
                method, path, json=body, params=query or None, timeout=_DEADLINE_S
            )
        except httpx2.TransportError as exc:
            raise NotReady(
                "The daemon ended before it answered.", "`messengers status` shows how it fares."
            ) from exc


def _is_open(address: str) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False
    return True


def _silent(place: Path) -> NotReady:
    if not is_held(place):
        return NotReady(f"No Messengers daemon runs for {place}.", "`messengers serve` starts one.")
    pid = recorded(place).get("pid")
    process = f"process {pid}" if pid else "a process"
    return NotReady(
        f"The data directory {place} is held by {process}, which does not answer.",
        "It may be starting or ending: repeat in a moment, or see `messengers logs`.",
    )


def _read(reply: httpx2.Response, answer: TypeAdapter[T]) -> T:
    if reply.is_error:
        raise _refusal(reply.content)
    try:
        return answer.validate_json(reply.content)
    except ValidationError as exc:
        raise _other_version() from exc


def _refusal(content: bytes) -> MessengersError:
    """The daemon's error, under its own code."""
    try:
        told = TypeAdapter(dict[str, dict[str, object]]).validate_python(orjson.loads(content))
    except (orjson.JSONDecodeError, ValidationError):
        return _other_version()
    told = told.get("error", {})
    remedy, fitting = str(told.get("remedy", "")), told.get("candidates")
    if isinstance(fitting, list):
        remedy = f"{remedy} It may be: {', '.join(map(str, cast('list[object]', fitting)))}."
    error = MessengersError(str(told.get("cause", "")), remedy)
    error.code = str(told.get("code", error.code))
    return error


def _other_version() -> NotReady:
    return NotReady(
        "The daemon that runs is of another version than this command.",
        "`messengers stop` ends it; the next command starts this version's.",
    )
