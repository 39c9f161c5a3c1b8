"""What the daemon and a worker say to each other: one JSON object a line, over two pipes.

The daemon asks `{"id": 7, "call": "send", "with": {…}}`; the worker answers `{"id": 7, "ok": {…}}`
or `{"id": 7, "error": "refused", "why": "…"}`, in any order. What happens at the messenger comes
as `{"event": "message", …}`, in the order in which the engine told it. A daemon that reads slowly
holds the engine back: the pipe is the only queue. The first line of a worker is its `hello`.
Nothing in these words is one engine's own, so that another engine can take its place.
"""

import hashlib
from collections.abc import Mapping
from typing import Final, Literal, TypedDict

__all__ = [
    "ERRORS",
    "PROTOCOL",
    "Chat",
    "ErrorKind",
    "File",
    "Person",
    "Refusal",
    "WireMessage",
    "secret_of",
]

PROTOCOL: Final = 1

ErrorKind = Literal["refused", "unreachable", "uncertain", "not_ready", "unsupported", "gone"]
"""refused, unreachable, not_ready, unsupported, gone (no such thing): certain that nothing
happened. uncertain: it may have."""

ERRORS: Mapping[str, ErrorKind] = {
    "websocket not connected": "unreachable",
    "info query timed out": "unreachable",
    "failed to get device list": "unreachable",
    "failed to get user info": "unreachable",
    "failed to get group members": "refused",
    "the store doesn't contain a device JID": "not_ready",
    "client is nil": "not_ready",
    "server returned error": "refused",
    "no LID found": "gone",
    "that group does not exist": "gone",
    "not participating in that group": "gone",
    "does not have a profile picture": "gone",
    "hidden their profile picture": "gone",
    "broadcast lists is not yet supported": "unsupported",
    "can't send message to unknown server": "unsupported",
    "status code 403": "gone",
    "status code 404": "gone",
    "status code 410": "gone",
}
"""What an error text of the engine (whatsmeow's errors.go and download.go, neonize before it is
connected) means for a send; any other leaves it open whether the message left."""


class Refusal(Exception):
    """What the worker does not do, in the words of its answer; certain that nothing was done."""


class Person(TypedDict, total=False):
    """A person as the messenger names him."""

    id: str
    """`371…@s.whatsapp.net` where the number is known, else `…@lid`."""
    alt: list[str]
    """His other ids."""
    phone: str
    """E.164; never made of a LID."""
    name: str
    by: str
    """Who gave the name: owner, platform, stranger."""


class Chat(Person, total=False):
    """A conversation: of a person, or a group (`…@g.us`), or a channel (`…@newsletter`)."""

    kind: str


class File(TypedDict, total=False):
    """An attachment that the messenger still holds."""

    kind: str
    ref: str
    """Base64 of what the engine needs to fetch and decrypt it: as secret as the file."""
    mime: str
    name: str
    size: int
    seconds: int
    width: int
    height: int


class WireMessage(TypedDict, total=False):
    """A message. `at` is in seconds since 1970; what is empty is left out."""

    id: str
    chat: Chat
    sender: Person
    mine: bool
    at: float
    text: str
    files: list[File]
    reply_to: str
    album: str
    mentions_me: bool
    location: dict[str, object]
    contact: dict[str, str]
    poll: dict[str, object]
    buttons: list[str]
    marks: list[str]
    expires_s: int
    delivery: str


def secret_of(key: str) -> bytes:
    """The 32 bytes that go into a message as its secret.

    The engine stores them beside the id that it chose before anything leaves, so that after a
    crash the session file tells whether, and under which id, a send was begun.
    """
    return hashlib.sha256(b"messengers send " + key.encode()).digest()
