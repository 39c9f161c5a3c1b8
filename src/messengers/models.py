"""Domain types: one set for providers, core, MCP and HTTP.

All are frozen. Quantities carry their unit in the name; every datetime is aware and UTC.
Tables convert to and from these at the edge of `store/`.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict

from messengers.ids import IdKind, decode_id, encode_id, require_id

__all__ = [
    "Attachment",
    "Button",
    "Card",
    "Chat",
    "ChatKind",
    "Confirm",
    "Contact",
    "Decision",
    "Delivery",
    "Direction",
    "DmPolicy",
    "Draft",
    "Event",
    "GroupPolicy",
    "Health",
    "IdKind",
    "Instance",
    "InstanceKind",
    "Lifecycle",
    "Location",
    "Mark",
    "MediaKind",
    "Message",
    "MessageRef",
    "Model",
    "NameSource",
    "OnUnknown",
    "Origin",
    "Outcome",
    "Pacing",
    "Poll",
    "Preset",
    "Reaction",
    "Sender",
    "SentMessage",
    "Toolset",
    "UserAction",
    "decode_id",
    "encode_id",
    "require_id",
]


class Model(BaseModel):
    """The base of every domain type: frozen, closed, documented attribute by attribute."""

    model_config = ConfigDict(frozen=True, extra="forbid")


InstanceKind = Literal["personal", "bot"]
ChatKind = Literal["dm", "group", "channel", "thread"]
NameSource = Literal["owner", "platform", "stranger"]
"""Who gave a name: the owner's side (address book, own history, alias), the platform or a group's
admins (a title), or the counterpart himself. Only an owner's name may choose a recipient."""
Confirm = Literal["never", "unknown_chats", "always"]
Decision = Literal["always", "never"]
DmPolicy = Literal["open", "allowlist", "pairing", "off"]
"""Who is heard in a dm where no rule says it: everybody, whom the owner knows, nobody."""
GroupPolicy = Literal["open", "mention", "allowlist", "pairing", "off"]
"""The same for groups and channels; mention: only what mentions the account."""
Pacing = Literal["off", "normal", "careful"]
"""How fast an instance sends; `core/pacing.py` has the figures."""
OnUnknown = Literal["hold", "resend"]
"""What follows where nobody can tell whether a message was sent: it is told, or sent again, which
may send it twice."""
Preset = Literal["reader", "messenger", "setup", "admin"]
Toolset = Literal["rich", "groups", "access"]
"""Tools that nobody has whom they were not given, beside the preset's."""
Delivery = Literal["pending", "sent", "delivered", "read", "failed", "unknown"]
Direction = Literal["in", "out"]
Origin = Literal["realtime", "history", "api", "device", "import"]
MediaKind = Literal["image", "video", "audio", "voice", "document", "sticker", "gif"]


Mark = Literal["forwarded", "view_once", "undecrypted", "service"]
"""What else there is to know of a message. undecrypted: its text is ours until the real one comes;
service: what the app says between messages (who joined), which nobody needs to answer."""


class Lifecycle(StrEnum):
    """Where an instance stands. *connected* means that it receives."""

    CREATED = "created"
    STARTING = "starting"
    AWAITING_LOGIN = "awaiting_login"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    DEGRADED = "degraded"
    BACKOFF = "backoff"
    CONFLICT = "conflict"
    LOGGED_OUT = "logged_out"
    BAD_CREDENTIALS = "bad_credentials"
    BANNED = "banned"
    ENGINE_OUTDATED = "engine_outdated"
    STOPPED = "stopped"
    ERROR = "error"


class UserAction(StrEnum):
    """What the owner must do, if anything."""

    NONE = "none"
    SCAN_QR = "scan_qr"
    ENTER_CODE = "enter_code"
    ENTER_CREDENTIALS = "enter_credentials"
    RELOGIN = "relogin"
    FIX_CREDENTIALS = "fix_credentials"
    OPEN_PHONE = "open_phone"
    UPGRADE = "upgrade"


class Health(Model):
    """How an instance fares. Our own outgoing success never makes it healthy."""

    lifecycle: Lifecycle
    user_action: UserAction = UserAction.NONE
    reason: str = ""
    """One sentence, redacted, ours; empty when there is nothing to say."""
    retry_at: datetime | None = None
    last_transport_at: datetime | None = None
    """The last sign of life of the connection itself."""
    last_inbound_at: datetime | None = None
    last_outbound_at: datetime | None = None
    last_probe_ok_at: datetime | None = None


class Instance(Model):
    """One connected account of a provider."""

    id: str
    """A UUID, lower case, with dashes."""
    name: str
    provider: str
    kind: InstanceKind
    """personal: a person's own account; bot: an account made for programs."""
    wanted: Literal["connected", "stopped"]
    """What the owner asked for; it survives restarts."""
    confirm: Confirm = "unknown_chats"
    read_only: bool = False
    pacing: Pacing = "off"
    on_unknown: OnUnknown = "hold"
    dm_policy: DmPolicy = "open"
    group_policy: GroupPolicy = "open"
    quiet_hours: str = ""
    """`22:00-08:00` in the owner's zone: nothing leaves then that nobody waits for."""
    retention_days: int = 0
    """How long messages are kept; 0: for good."""
    sends_per_hour: int = 0
    """The most that agents send, and the most people they write to first; 0: no bound."""
    sends_per_day: int = 0
    new_recipients_per_day: int = 0
    created_at: datetime
    history_since: datetime | None = None
    """Sending time of the oldest stored message; None without any."""


class Sender(Model):
    """Who wrote a message, as one instance sees it."""

    native_id: str
    display_name: str = ""
    username: str = ""
    phone: str = ""
    """E.164, only where the platform gave a phone number."""
    alt_ids: tuple[str, ...] = ()
    is_me: bool = False
    is_bot: bool = False


class Attachment(Model):
    """A file of a message. `media` stays resolvable whatever the message's age."""

    kind: MediaKind
    media: str = ""
    """Our media id (`f3k`) once the bytes are stored; empty while only the platform has them."""
    native_ref: str = ""
    """The provider's own reference, opaque outside it."""
    mime: str = ""
    name: str = ""
    size_bytes: int | None = None
    duration_s: float | None = None
    width: int | None = None
    height: int | None = None
    transcript: str = ""


class Reaction(Model):
    """One emoji and how many gave it."""

    emoji: str
    count: int = 1
    by_me: bool = False
    by: tuple[str, ...] = ()
    """Native ids of the others who gave it, where the platform tells."""


class Location(Model):
    """A place in degrees (WGS 84)."""

    latitude_deg: float
    longitude_deg: float
    title: str = ""


class Card(Model):
    """A shared contact."""

    name: str
    phone: str = ""


class Poll(Model):
    """A question with options and, where the platform tells, their votes."""

    question: str
    options: tuple[str, ...]
    votes: tuple[int, ...] = ()
    multiple: bool = False
    """Whoever votes may choose several."""


class Button(Model):
    """Something to press under a message, or in place of the keyboard."""

    text: str
    url: str = ""
    """The page it opens; without one a press comes back as a message."""


class MessageRef(Model):
    """What a platform needs to know of a message that is answered, changed or marked."""

    native_id: str
    sender_native_id: str = ""
    """Empty for our own."""
    from_me: bool = False
    text: str = ""
    more_ids: tuple[str, ...] = ()
    """Of an album of ours: the messages of its other files."""


class Message(Model):
    """A stored message. Its text is never empty where the app shows something."""

    id: str
    instance: str
    """Name of the instance."""
    chat: str
    native_id: str = ""
    """Empty until the platform gave one."""
    more_ids: tuple[str, ...] = ()
    """Of an album of ours: the platform's ids of its other files' messages."""
    sender: Sender
    sent_at: datetime | None
    """The platform's time; None while a draft is held for approval or was never sent."""
    received_at: datetime
    direction: Direction
    origin: Origin
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    reply_to: str = ""
    """Our id of the quoted message, else the platform's."""
    thread: str = ""
    album: str = ""
    part: str = ""
    """`2/3` when a long text became three messages."""
    mentions_me: bool = False
    location: Location | None = None
    contact: Card | None = None
    poll: Poll | None = None
    buttons: tuple[str, ...] = ()
    marks: tuple[Mark, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    status: Literal["active", "edited", "deleted"] = "active"
    delivery: Delivery | None = None
    """None for what others wrote and for drafts that wait or were refused."""


class Chat(Model):
    """A conversation inside an instance, with its summary."""

    id: str
    instance: str
    """Name of the instance."""
    provider: str
    native_id: str
    kind: ChatKind
    name: str
    """The alias, else the known name, else the handle, number or native id."""
    name_source: NameSource
    phone: str = ""
    username: str = ""
    parent: str = ""
    """Chat id of the group or channel a thread belongs to."""
    unread: int = 0
    last_message_at: datetime | None = None
    last_text: str = ""
    last_sender: str = ""
    last_direction: Direction | None = None
    waiting_for_reply: bool = False
    """The last word is theirs."""
    owner_wrote_at: datetime | None = None
    """When the owner himself (own device, history, approved once) last wrote here."""
    peer_wrote_at: datetime | None = None
    decision: Decision | None = None
    """The owner's standing answer for this chat; None asks by policy."""


class Contact(Model):
    """A counterpart seen by one instance."""

    id: str
    instance: str
    native_id: str
    display_name: str = ""
    name_source: NameSource = "stranger"
    username: str = ""
    phone: str = ""
    is_bot: bool = False
    chat: str = ""
    """The dm with this contact, if there is one."""


class Event(Model):
    """Anything that happened, in one ordered log."""

    id: str
    at: datetime
    kind: str
    """`message.received`, `message.sent`, `message.edited`, `chat.updated`, `instance.health` …"""
    instance: str = ""
    chat: str = ""
    message: str = ""
    data: Mapping[str, object] = {}


class Outcome(StrEnum):
    """What became of a draft. Only `unknown` leaves doubt whether it was sent."""

    QUEUED = "queued"
    ACCEPTED = "accepted"
    NEEDS_APPROVAL = "needs_approval"
    NOT_SENT = "not_sent"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Draft(Model):
    """What a caller asks to send."""

    text: str = ""
    format: Literal["markdown", "plain"] = "markdown"
    attachments: tuple[str, ...] = ()
    """Message or media ids, web addresses, paths under a media root, or base64 `data:` URIs."""
    reply_to: str = ""
    """Message id."""
    silent: bool = False
    location: Location | None = None
    contact: Card | None = None
    poll: Poll | None = None
    sticker: str = ""
    """One source as in `attachments`, sent as a sticker."""
    buttons: tuple[Button, ...] = ()
    keyboard: bool = False
    """The buttons take the place of the keyboard: a press writes what stands on them."""
    send_at: datetime | timedelta | None = None
    """Not before this time, or this long after it was taken on."""
    time_to_live_s: int = 86_400


class SentMessage(Model):
    """The answer to a write."""

    message: str = ""
    """Id of the (first) message."""
    chat: str
    outcome: Outcome
    delivery: str = ""
    sent_at: str = ""
    """ISO 8601 in the owner's zone."""
    link: str = ""
    """Where the owner approves, when approval is needed; of an invitation, the link itself."""
    approval: str = ""
    notes: tuple[str, ...] = ()
