"""What the fake knows: people, linked devices, groups, open lines, and what tests look at.

Everything else works on a `World`; the facade in `server.py` is one.
"""

from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import anyio
import structlog

from tests.fakes.whatsapp_web.appstate import Written
from tests.fakes.whatsapp_web.authority import NoiseAuthority
from tests.fakes.whatsapp_web.devices import Account, Companion, Peer
from tests.fakes.whatsapp_web.media import Cdn
from tests.fakes.whatsapp_web.nodes import Node, device_of, user_of
from tests.fakes.whatsapp_web.wire import Proto

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from tests.fakes.whatsapp_web.membership import Group

__all__ = ["Faults", "Line", "Offer", "Receipt", "Sent", "Typing", "World", "confirmation"]

_log = structlog.get_logger(__name__)
# Nobody keeps these for a device that is away.
_FLEETING = {"chatstate", "presence"}


class Line(Protocol):
    """An open connection."""

    async def send(self, node: Node) -> None: ...

    async def close(self) -> None: ...

    async def ask(self, iq: Node) -> Node: ...

    @property
    def client_static(self) -> bytes: ...

    @property
    def pairing(self) -> Proto: ...

    @property
    def port(self) -> int: ...


@dataclass
class Offer:
    """A pairing code an engine shows and waits for."""

    line: Line
    ref: bytes
    wrapped_key: bytes
    finished: anyio.Event = field(default_factory=anyio.Event)
    bundle: bytes = b""
    identity: bytes = b""

    def finish(self, bundle: bytes, identity: bytes) -> None:
        """The engine's part of the key agreement."""
        self.bundle, self.identity = bundle, identity
        self.finished.set()


@dataclass(frozen=True)
class Receipt:
    """A receipt an engine sent; `kind` as on the wire, `delivered` where the wire says nothing."""

    companion: Companion
    chat: str
    ids: tuple[str, ...]
    kind: str
    participant: str = ""


@dataclass(frozen=True)
class Typing:
    """`state` is composing, recording or paused."""

    companion: Companion
    chat: str
    state: str


@dataclass(frozen=True)
class Sent:
    """What a simulated phone sent, kept for those who could not read it."""

    sender: Peer
    message: Proto
    attrs: dict[str, str | int | None]
    group: str | None


@dataclass
class Faults:
    outdated: bool = False
    login_refusal: dict[str, str | int | None] | None = None
    message_refusal: int | None = None
    acks_to_lose: int = 0
    ack_delay_s: float = 0.0
    resend: bool = True  # phones answer an engine's retry receipts


@dataclass
class Records:
    """What tests look at."""

    receipts: list[Receipt] = field(default_factory=list[Receipt])
    typing: list[Typing] = field(default_factory=list[Typing])
    app_state_writes: list[Written] = field(default_factory=list[Written])
    unhandled: list[Node] = field(default_factory=list[Node])
    errors: list[Exception] = field(default_factory=list[Exception])
    counts: Counter[str] = field(default_factory=Counter[str])
    stanzas: list[Node] = field(default_factory=list[Node])  # everything engines sent


def confirmation(tag: str, node: Node) -> tuple[str, str]:
    """By what an engine's confirmation of a stanza is known: receipts of one message differ."""
    return tag, node["id"] if tag == "message" else f"{node['id']} {node.get('type')}"


class World:
    def __init__(self) -> None:
        self.authority = NoiseAuthority()
        self.cdn = Cdn()
        self.faults = Faults()
        self.records = Records()
        self.people: dict[str, Peer] = {}  # by phone number and by the lid's user
        self.companions: dict[str, Companion] = {}  # by jid
        self.groups: dict[str, Group] = {}
        self.lines: dict[Companion, Line] = {}
        self.refs: dict[str, Line] = {}  # QR codes on show
        self.offers: dict[str, Offer] = {}  # pairing codes on show, by phone number
        self.sent: dict[str, Sent] = {}
        self.histories: dict[str, list[Proto]] = {}  # notifications to give, by phone number
        self.stanza_count = 0
        self.tasks: TaskGroup

    def person(self, jid: str) -> Peer | None:
        return self.people.get(user_of(jid))

    def companion(self, jid: str) -> Companion | None:
        person = self.person(jid)
        return person.companions.get(device_of(jid)) if isinstance(person, Account) else None

    def stanza_id(self) -> str:
        self.stanza_count += 1
        return f"fake-{self.stanza_count}"

    def linked(self, people: Iterable[Peer]) -> list[Companion]:
        """All devices linked to them."""
        return [
            companion
            for person in people
            if isinstance(person, Account)
            for companion in person.companions.values()
        ]

    def everyone(self) -> list[Peer]:
        return list(dict.fromkeys(self.people.values()))

    async def deliver(self, companion: Companion, node: Node) -> None:
        """Now, or at the next login; kept until the engine confirms it."""
        line = self.lines.get(companion)
        if node.tag in _FLEETING:
            if line:
                await line.send(node)
        elif line is None:
            companion.waiting.append(node)
        else:
            companion.unconfirmed[confirmation(node.tag, node)] = node
            await line.send(node)

    @contextmanager
    def watched(self) -> Generator[None]:
        """A fault of the fake itself must be seen by the test, not by the engine."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 — the fake's outermost loop
            _log.exception("the fake WhatsApp failed")
            self.records.errors.append(error)
