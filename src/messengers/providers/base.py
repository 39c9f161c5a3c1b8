"""The contract between the core and a messenger.

A provider is built once per instance and run by the supervisor. *Having the method is having the
capability*: the optional protocols below are checked with isinstance, and a contract test holds
the declared levels to them. Chat, sender and message keys that cross this border are the
platform's own ids, opaque to the core.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

from pydantic import BaseModel

from messengers.clock import Clock
from messengers.guarded import Guard
from messengers.models import (
    Attachment,
    Button,
    Card,
    Delivery,
    Health,
    InstanceKind,
    Location,
    MediaKind,
    MessageRef,
    Pacing,
    Poll,
)
from messengers.providers.arrangement import ArrangesChats, BlocksPeople
from messengers.providers.capabilities import Capabilities
from messengers.providers.groups import ManagesGroups
from messengers.providers.login import LoginStep
from messengers.providers.requirements import Requirement
from messengers.providers.seen import (
    ChatSeen,
    ContactSeen,
    Happening,
    HistorySeen,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    PollCounted,
    PollVoted,
    ReactionChanged,
    ReactionSeen,
    ReactionTurned,
    ReadElsewhere,
    ReceiptSeen,
)
from messengers.providers.visitors import HostsVisitors
from messengers.providers.webhooks import ReceivesWebhooks

__all__ = [
    "ChatSeen",
    "ContactSeen",
    "Deletes",
    "DownloadsMedia",
    "Edits",
    "FetchesHistory",
    "GathersFiles",
    "Happening",
    "HistorySeen",
    "HostsVisitors",
    "LogsIn",
    "MarksRead",
    "MediaBytes",
    "MessageDeleted",
    "MessageEdited",
    "MessageSeen",
    "Part",
    "Pins",
    "PollCounted",
    "PollVoted",
    "Provider",
    "ProviderContext",
    "ProviderInfo",
    "ReactionChanged",
    "ReactionSeen",
    "ReactionTurned",
    "Reacts",
    "ReadElsewhere",
    "ReadsDialect",
    "ReceiptSeen",
    "Reconciles",
    "ResolvesRecipients",
    "SearchesHistory",
    "Sent",
    "ShowsPortraits",
    "Sink",
    "Types",
]


@dataclass(frozen=True, slots=True)
class MediaBytes:
    """A file on its way out, sniffed and within the provider's limits. Never a path or a URL."""

    kind: MediaKind
    mime: str
    name: str
    data: bytes = field(repr=False)
    media: str = ""
    """Our media id."""
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """One platform call of a draft. `text` is already in the provider's dialect and size."""

    text: str = ""
    media: MediaBytes | None = None
    reply_to: MessageRef | None = None
    silent: bool = False
    location: Location | None = None
    contact: Card | None = None
    poll: Poll | None = None
    buttons: tuple[Button, ...] = ()
    keyboard: bool = False
    """The buttons take the place of the keyboard."""
    more: tuple[MediaBytes, ...] = ()
    """Further files of the same message, of a provider that GathersFiles."""


@dataclass(frozen=True, slots=True)
class Sent:
    """The platform took it."""

    native_id: str
    at: datetime
    delivery: Delivery = "sent"
    notes: tuple[str, ...] = ()
    more_ids: tuple[str, ...] = ()
    """Of further messages that the platform made of the same part."""


class Sink(Protocol):
    """The only way from a provider up into the product."""

    async def ingest(self, event_key: str, chat_key: str, kind: str, payload: bytes) -> bool:
        """Store what arrived; returns once it is durable. Acknowledge to the platform only then.

        `event_key` is unique per instance and names the event, not the delivery. Returns False for
        a duplicate, which is a no-op. Events of one `chat_key` are translated in order.
        """
        ...

    def signal(self, chat_key: str, kind: Literal["typing", "presence"], data: str) -> None:
        """Tell what is not worth storing."""
        ...

    def report(self, health: Health) -> None:
        """Tell the state; times that are None keep what is known."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderContext:
    """What a provider gets when it is built."""

    instance_id: str
    instance_name: str
    config: BaseModel
    """An instance of the provider's own config model."""
    endpoints: Mapping[str, str]
    """Base URLs that only the command line or the environment may set."""
    directory: Path
    """0700, this instance's own; made on first use by whoever writes there."""
    clock: Clock
    webhook_url: str = ""
    """Where the messenger may deliver to; empty when the internet does not reach this daemon."""
    guard: Guard = field(default_factory=Guard, repr=False)
    """The way to every address that an event names: a file's, a picture's."""


@runtime_checkable
class Provider(Protocol):
    """What every messenger must do."""

    def __init__(self, context: ProviderContext) -> None: ...

    async def run(self, sink: Sink) -> None:
        """Receive. To return or raise is to be run again later; BadCredentials ends it for good."""
        ...

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        """What works here, or in one chat."""
        ...

    def parse_target(self, text: str) -> str | None:
        """The native chat id that a recipient written by a person names; None when it names none.

        Strict: an id that belongs to another provider raises InvalidInput with a hint.
        """
        ...

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        """What a stored event means. Pure; may be called again for the same event."""
        ...

    def render(self, markdown: str) -> Sequence[str]:
        """The text in the platform's dialect, cut into parts that fit.

        Never inside a code fence or a grapheme.
        """
        ...

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        """One platform call.

        Raises PlatformRefused or Unreachable when it is certain that nothing happened, Uncertain
        when the request left without an answer.
        """
        ...

    async def probe(self) -> None:
        """Ask the platform whether the account is well; raises what is wrong."""
        ...


@runtime_checkable
class LogsIn(Protocol):
    """Has something to scan or type."""

    # Asked about once a second: the same phone gives the same code while that holds.
    async def login_step(self, phone: str = "") -> LoginStep: ...


@runtime_checkable
class Edits(Protocol):
    """Changes its own messages."""

    async def edit(self, chat_native_id: str, message: MessageRef, text: str) -> None: ...


@runtime_checkable
class Deletes(Protocol):
    """Deletes its own messages for everyone."""

    async def delete(self, chat_native_id: str, message: MessageRef) -> None: ...


@runtime_checkable
class Reacts(Protocol):
    """Sets or removes (empty emoji) its reaction."""

    async def react(self, chat_native_id: str, message: MessageRef, emoji: str) -> None: ...


@runtime_checkable
class Pins(Protocol):
    """Keeps a message at the top of its chat for everyone there, or takes it down."""

    async def pin(self, chat_native_id: str, message: MessageRef, pinned: bool) -> None: ...


@runtime_checkable
class Types(Protocol):
    """Shows that an answer is being written."""

    async def typing(self, chat_native_id: str, active: bool) -> None: ...


@runtime_checkable
class GathersFiles(Protocol):
    """Sends several files as one message."""

    def gather(self, files: Sequence[MediaBytes]) -> Sequence[Sequence[MediaBytes]]:
        """The same files in the same order, those of one message together, none empty."""
        ...


@runtime_checkable
class MarksRead(Protocol):
    """Sends read receipts for what others wrote, up to and including the last of `messages`."""

    async def mark_read(self, chat_native_id: str, messages: Sequence[MessageRef]) -> None:
        """`messages` are at most 200 of a chat, oldest first, never none."""
        ...


@runtime_checkable
class DownloadsMedia(Protocol):
    """Fetches the bytes behind an attachment's native reference."""

    async def download(self, attachment: Attachment, max_bytes: int) -> bytes: ...


@runtime_checkable
class ShowsPortraits(Protocol):
    """Fetches the picture that a person or a group has of itself."""

    async def portrait(self, chat_native_id: str, max_bytes: int) -> bytes:
        """Raises NotFound when there is none or the account may not see it."""
        ...


@runtime_checkable
class FetchesHistory(Protocol):
    """Reads older messages of a chat, as ingestible happenings; fewer where there are no more."""

    async def history(
        self, chat_native_id: str, before: datetime, limit: int
    ) -> Sequence[Happening]: ...


@runtime_checkable
class SearchesHistory(Protocol):
    """Searches what the account may read at the platform, stored here or not."""

    async def search(self, query: str, limit: int) -> Sequence[Happening]:
        """The newest messages that fit, as ingestible happenings.

        Raises Unsupported where this account may not search.
        """
        ...


@runtime_checkable
class ResolvesRecipients(Protocol):
    """Says under which native ids the platform knows a recipient."""

    async def resolve(self, target: str) -> Sequence[str]:
        """All ids of what `parse_target` gave, the one to use first; none when it is not there."""
        ...


@runtime_checkable
class ReadsDialect(Protocol):
    """Renders into a dialect that people never see as it is written."""

    def plain(self, text: str) -> str:
        """A rendered text as people read it: how the transcript has a part of a long one."""
        ...


@runtime_checkable
class Reconciles(Protocol):
    """Chooses the id of a message before it leaves, and keeps it."""

    async def begun(self, key: str) -> str | None:
        """The native id under which a send with this key may have left; None: it did not.

        '' where that is no longer known, as after a logout.
        Asked when no call is under way, also of a provider that does not run.
        """
        ...


@dataclass(frozen=True, slots=True)
class ProviderInfo:
    """What a provider's package declares without importing its SDK."""

    name: str
    title: str
    kind: InstanceKind
    class_path: str
    """`module:Class`, imported when its first instance starts."""
    config: type[BaseModel]
    """Credentials and options: documented fields, SecretStr for secrets."""
    summary: str
    """One sentence for people who choose."""
    setup: str
    """The steps to get there, one short paragraph."""
    capabilities: Capabilities
    endpoints: tuple[str, ...] = ()
    """Names of base URLs that may be overridden."""
    docs: str = ""
    extra: str = ""
    """Name of the optional extra that carries the engine, if any."""
    pacing: Pacing = "off"
    """How fast its instances send until the owner chooses."""
    caution: str = ""
    """What the owner must know before he sets an account up, one sentence."""
    programs: tuple[Requirement, ...] = ()
    kind_of: Callable[[BaseModel], InstanceKind] | None = None
    """The kind of one instance, where what was entered decides it; `kind` is the usual one."""
    capability_methods: ClassVar[Mapping[str, type]] = {
        "edit": Edits,
        "delete": Deletes,
        "react": Reacts,
        "typing": Types,
        "mark_read": MarksRead,
        "download_media": DownloadsMedia,
        "fetch_history": FetchesHistory,
        "search_history": SearchesHistory,
        "visitors": HostsVisitors,
        "webhooks": ReceivesWebhooks,
        "groups": ManagesGroups,
        "arrange": ArrangesChats,
        "block": BlocksPeople,
        "portraits": ShowsPortraits,
        "pin": Pins,
    }
