"""A messenger in memory whose every answer the test chooses, with a ledger of what it accepted.

It speaks the real provider contract, so the engine runs against it unchanged. A platform is found
by the instance's token, as an account is by its credentials.
"""

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import anyio
import orjson
from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter

from messengers.errors import InvalidInput, NotFound, Unauthorized, Uncertain, Unreachable
from messengers.models import (
    Attachment,
    Delivery,
    Health,
    Lifecycle,
    MessageRef,
    Sender,
    UserAction,
)
from messengers.providers.arrangement import Arrangement
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    Part,
    ProviderContext,
    ProviderInfo,
    ReactionChanged,
    ReadElsewhere,
    ReceiptSeen,
    Sent,
    Sink,
)
from messengers.providers.capabilities import Capabilities, Level
from messengers.providers.login import LoginStep, ShowCode, ShowQr, Wait
from messengers.providers.requirements import FFMPEG, LIBMAGIC
from messengers.providers.webhooks import Delivered, WebhookAnswer, WebhookRequest
from messengers.urls import SafeUrl
from tests.fakes.groups import GroupSide, ScriptedGroups

__all__ = [
    "BOT",
    "EXTRA",
    "PERSONAL",
    "SCANNED",
    "SESSION",
    "Platform",
    "ScannedProvider",
    "ScriptedLogin",
    "ScriptedProvider",
    "platform",
]

SESSION = b"scripted session"
"""How a session file begins."""
_DELIVERY: TypeAdapter[Delivery | None] = TypeAdapter(Delivery | None)
EPOCH = datetime(2026, 11, 20, 12, tzinfo=UTC)
CAPABILITIES = Capabilities(
    max_text=200,
    edit=Level.FULL,
    delete=Level.FULL,
    react=Level.FULL,
    mark_read=Level.FULL,
    reply=Level.FULL,
    groups=Level.FULL,
    arrange=Level.FULL,
    block=Level.FULL,
    webhooks=Level.FULL,
    portraits=Level.FULL,
    download_media=Level.FULL,
    rich=Level.FULL,
    pin=Level.FULL,
    max_poll_options=12,
    max_buttons=3,
    login="token",
)


class ScriptedConfig(BaseModel):
    """How to find the platform."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    token: SecretStr
    """Names the account."""
    greeting: str = Field(default="hello", max_length=50)
    """Not used by anything."""


@dataclass
class ScriptedLogin:
    """An account that waits for its phone: what its owner is shown. The test moves it on."""

    text: str = ""
    """What the QR code holds; empty while there is none."""
    holds_s: float | None = 20.0
    code: str = "ABCD1234"
    """What any phone number gets."""
    refusal: Exception | None = None
    """What asking with a phone number raises instead."""
    phones: list[str] = field(default_factory=list[str])
    scanned: bool = False
    over: str = ""
    """Why it ended."""
    _moved: anyio.Event = field(default_factory=anyio.Event)

    def scan(self) -> None:
        """The owner scans or types what is shown."""
        self.scanned = True
        self._moved.set()

    def end(self, why: str) -> None:
        """The messenger shows no more codes."""
        self.over = why
        self._moved.set()

    async def through(self) -> bool:
        """Wait for either; whether it was scanned."""
        self.over = ""
        while not (self.scanned or self.over):
            self._moved = anyio.Event()
            await self._moved.wait()
        return self.scanned

    def step(self, transaction: str, now: datetime, phone: str) -> LoginStep:
        """What the owner is shown now."""
        ends = None if self.holds_s is None else now + timedelta(seconds=self.holds_s)
        if phone:
            self.phones.append(phone)
            if self.refusal is not None:
                raise self.refusal
            told = "Type it under Linked devices."
            return ShowCode(transaction=transaction, code=self.code, caption=told, expires_at=ends)
        if not self.text:
            return Wait(transaction=transaction, reason="The messenger makes a code.")
        told = "Scan it under Linked devices."
        return ShowQr(transaction=transaction, text=self.text, caption=told, expires_at=ends)


@dataclass
class Platform:
    """One account's other side."""

    capabilities: Capabilities = CAPABILITIES
    accepted: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    """(chat, text, key) of every call that took effect, in order."""
    contents: list[object] = field(default_factory=list[object])
    pinned: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """The location, contact, poll or file of every call that took effect and had one."""
    arranged: list[tuple[str, Arrangement]] = field(default_factory=list[tuple[str, Arrangement]])
    blocked: list[str] = field(default_factory=list[str])
    webhook_url: str = ""
    portraits: dict[str, bytes] = field(default_factory=dict[str, bytes])
    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """What it gives for a file's reference, as often as it is asked."""
    downloads: list[str] = field(default_factory=list[str])
    calls: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    """Edits, deletes, reactions and read marks."""
    answers: list[Callable[[], Exception | None]] = field(
        default_factory=list[Callable[[], Exception | None]]
    )
    """What the next sends, edits, deletes and reactions raise instead; None accepts."""
    bug: Exception | None = None
    """What the provider's own code raises wherever it is asked for anything but a call."""
    learned: bool = False
    """The provider understands riddles, as a newer one may what an older one did not."""
    down: bool = False
    """Nobody reaches it."""
    knocks: int = 0
    """Sends that did not reach it."""
    under_way: int = 0
    most_at_once: int = 0
    lost: int = 0
    """So many sends take effect, and their answers are lost."""
    hang: anyio.Event | None = None
    """Set: a send takes effect, then waits for this before it answers."""
    start: Callable[[], BaseException | None] = lambda: None
    """What the next run raises instead of receiving."""
    groups: GroupSide = field(default_factory=GroupSide)
    runs: int = 0
    connected: anyio.Event = field(default_factory=anyio.Event)
    sinks: list[Sink] = field(default_factory=list[Sink])
    login: ScriptedLogin = field(default_factory=ScriptedLogin)
    """Of an account that is scanned; others have none."""

    def answer(self) -> None:
        """Raises what the test chose for this call, if anything."""
        fault = self.answers.pop(0)() if self.answers else None
        if fault is not None:
            raise fault

    async def deliver(self, kind: str, chat: str = "ann", key: str = "", **data: object) -> bool:
        """An event of the platform; returns once the product made it durable."""
        await self.connected.wait()
        payload = {"chat": chat, **data}
        return await self.sinks[-1].ingest(key or f"{kind}-{data}", chat, kind, _dump(payload))

    async def say(self, text: str, chat: str = "ann", id_: str = "", **data: object) -> bool:
        """A person writes."""
        native = id_ or f"n{text}"
        fields: dict[str, object] = {"id": native, "text": text, "name": chat.title(), **data}
        return await self.deliver("message", chat, f"message-{chat}-{native}", **fields)


PLATFORMS: dict[str, Platform] = {}


def platform(token: str) -> Platform:
    """The account behind a token, made when first asked for."""
    return PLATFORMS.setdefault(token, Platform())


def _dump(value: Mapping[str, object]) -> bytes:
    return orjson.dumps(value)


def signed(secret: bytes, body: bytes) -> bytes:
    """How a scripted messenger signs what it delivers."""
    return hmac.digest(secret, body, "sha256")


class ScriptedProvider(ScriptedGroups):
    """The contract, answered by a Platform."""

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.config, ScriptedConfig):
            raise TypeError("scripted takes a ScriptedConfig")
        self._platform = platform(context.config.token.get_secret_value())
        self._clock = context.clock
        self._guard = context.guard
        self._session = context.directory / "session.db"
        self._secret = context.config.token.get_secret_value().encode()
        self._platform.webhook_url = context.webhook_url
        super().__init__(self._platform.groups, self._platform.answer)

    async def run(self, sink: Sink) -> None:
        self._platform.runs += 1
        fault = self._platform.start()
        if fault is not None:
            raise fault
        self._platform.sinks.append(sink)
        sink.report(Health(lifecycle=Lifecycle.CONNECTED))
        self._platform.connected.set()
        await anyio.sleep_forever()

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        if self._platform.bug is not None:
            raise self._platform.bug
        return self._platform.capabilities

    def parse_target(self, text: str) -> str | None:
        if text.startswith("tg:"):
            raise InvalidInput("That is a Telegram id.", "This instance is a scripted one.")
        return text.removeprefix("x:") if text.startswith("x:") else None

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        data = orjson.loads(payload)
        at = EPOCH + timedelta(minutes=data.get("minute", 0))
        chat, native = data["chat"], data.get("id", "")
        match kind:
            case "message":
                return [_message(data, at)]
            case "riddle" if self._platform.learned:
                return [_message(data, at)]
            case "reaction":
                return [ReactionChanged(chat, native, data["sender"], (data["emoji"],), at)]
            case "edit":
                return [MessageEdited(chat, native, data["text"], at)]
            case "delete":
                return [MessageDeleted(chat, native, at)]
            case "receipt":
                return [ReceiptSeen(chat, (native,), data["delivery"], at)]
            case "read":
                return [ReadElsewhere(chat, at)]
            case "contact":
                return [
                    ContactSeen(chat, data["name"], data["source"], phone=data.get("phone", ""))
                ]
            case _:
                raise ValueError(f"no such kind {kind}")

    def render(self, markdown: str) -> Sequence[str]:
        limit = self._platform.capabilities.max_text
        return [markdown[i : i + limit] for i in range(0, len(markdown), limit)]

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        self._platform.under_way += 1
        self._platform.most_at_once = max(self._platform.most_at_once, self._platform.under_way)
        try:
            return await self._send(chat_native_id, part, key)
        finally:
            self._platform.under_way -= 1

    async def _send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        if self._platform.down:
            self._platform.knocks += 1
            raise Unreachable("No route.")
        self._platform.answer()
        known = [k for _, _, k in self._platform.accepted]
        if not (self._platform.capabilities.reuses_key and key in known):
            self._platform.accepted.append((chat_native_id, part.text, key))
            each = (part.location, part.contact, part.poll, part.media, part.buttons or None)
            self._platform.contents += [content for content in each if content is not None]
        if self._platform.lost:
            self._platform.lost -= 1
            raise Uncertain("The answer was lost.")
        if self._platform.hang is not None:
            await self._platform.hang.wait()
        return Sent(native_id=f"s-{key}", at=self._clock.now())

    async def pin(self, chat_native_id: str, message: MessageRef, pinned: bool) -> None:
        self._platform.pinned = [(chat_native_id, message.native_id)] if pinned else []

    async def probe(self) -> None:
        return None

    async def edit(self, chat_native_id: str, message: MessageRef, text: str) -> None:
        self._platform.answer()
        self._platform.calls.append(("edit", chat_native_id, message.native_id, text))

    async def delete(self, chat_native_id: str, message: MessageRef) -> None:
        self._platform.answer()
        self._platform.calls.append(("delete", chat_native_id, message.native_id))

    async def react(self, chat_native_id: str, message: MessageRef, emoji: str) -> None:
        self._platform.answer()
        self._platform.calls.append(("react", chat_native_id, message.native_id, emoji))

    async def mark_read(self, chat_native_id: str, messages: Sequence[MessageRef]) -> None:
        self._platform.calls.append(("read", chat_native_id, *(m.native_id for m in messages)))

    async def arrange(self, chat_native_id: str, arrangement: Arrangement) -> None:
        self._platform.answer()
        self._platform.arranged.append((chat_native_id, arrangement))

    async def unpack(self, request: WebhookRequest) -> WebhookAnswer:
        if request.method == "GET":
            return WebhookAnswer(body=request.query.get("challenge", ""))
        given = bytes.fromhex(request.headers.get("x-signature", ""))
        if not hmac.compare_digest(given, signed(self._secret, request.body)):
            raise Unauthorized("The signature is another's.")
        event = orjson.loads(request.body)
        return WebhookAnswer([Delivered(event["id"], event["chat"], "message", request.body)])

    async def blocked(self) -> Sequence[str]:
        self._platform.answer()
        return list(self._platform.blocked)

    async def block(self, chat_native_id: str, blocked: bool) -> None:
        self._platform.answer()
        listed = self._platform.blocked
        listed.append(chat_native_id) if blocked else listed.remove(chat_native_id)

    async def portrait(self, chat_native_id: str, max_bytes: int) -> bytes:
        self._platform.answer()
        picture = self._platform.portraits.get(chat_native_id)
        if picture is None or len(picture) > max_bytes:
            raise NotFound("There is no picture.")
        return picture

    async def download(self, attachment: Attachment, max_bytes: int) -> bytes:
        self._platform.downloads.append(attachment.native_ref)
        self._platform.answer()
        ref = attachment.native_ref
        data = self._platform.files.get(ref)
        if data is None and "://" in ref:
            return (await self._guard.fetch(SafeUrl.parse(ref), max_bytes=max_bytes)).body
        if data is None or len(data) > max_bytes:
            raise NotFound("There is no such file.")
        return data


class ScannedProvider(ScriptedProvider):
    """The same, for an account that logs in by its phone."""

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return super().capabilities(chat_native_id).model_copy(update={"login": "qr"})

    async def run(self, sink: Sink) -> None:
        login = self._platform.login
        waits = Health(lifecycle=Lifecycle.AWAITING_LOGIN, user_action=UserAction.SCAN_QR)
        if not login.scanned:
            sink.report(waits)
        if await login.through():
            await to_thread.run_sync(self._open_session)
            await super().run(sink)
        else:
            ended = Lifecycle.LOGGED_OUT
            action = UserAction.RELOGIN
            sink.report(Health(lifecycle=ended, user_action=action, reason=login.over))

    async def login_step(self, phone: str = "") -> LoginStep:
        return self._platform.login.step("t", self._clock.now(), phone)

    async def logout(self) -> None:
        self._platform.answer()
        self._platform.calls.append(("logout",))
        if self._platform.hang is not None:
            await self._platform.hang.wait()
        self._platform.login.scanned = False

    async def adopt(self, session: Path) -> None:
        await to_thread.run_sync(self._take, session)
        self._platform.login.scanned = True

    def _open_session(self) -> None:
        self._session.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._session.touch(0o600)

    def _take(self, session: Path) -> None:
        if not session.read_bytes().startswith(SESSION):
            raise InvalidInput("This is no session of a scripted phone.", "Take another file.")
        session.rename(self._session)


def _message(data: Mapping[str, Any], at: datetime) -> MessageSeen:
    mine = data.get("from") == "me"
    origin: Literal["device", "history", "realtime"] = "device" if mine else "realtime"
    if data.get("origin") == "history":
        origin = "history"
    source: Literal["owner", "stranger"] = "owner" if data.get("known") else "stranger"
    return MessageSeen(
        chat=ChatSeen(
            native_id=data["chat"],
            kind="group" if data.get("group") else "dm",
            name=data.get("name", ""),
            name_source=source,
            phone=data.get("phone", ""),
            username=data.get("username", ""),
            alt_ids=(data["once"],) if "once" in data else (),
        ),
        native_id=data["id"],
        sender=Sender(
            native_id="me" if mine else data.get("sender", data["chat"]),
            display_name="" if mine else data.get("name", ""),
            is_me=mine,
        ),
        sent_at=at,
        direction="out" if mine else "in",
        origin=origin,
        text=data.get("text", ""),
        attachments=tuple(Attachment.model_validate(each) for each in data.get("files", ())),
        reply_to_native_id=data.get("reply_to", ""),
        mentions_me=bool(data.get("mention")),
        delivery=_DELIVERY.validate_python(data.get("delivery")),
        client_key=data.get("ours", ""),
    )


def _info(kind: Literal["personal", "bot"]) -> ProviderInfo:
    return ProviderInfo(
        name=f"scripted_{kind}",
        title=f"Scripted {kind}",
        kind=kind,
        class_path="tests.fakes.scripted:ScriptedProvider",
        config=ScriptedConfig,
        summary="A messenger in memory.",
        setup="Nothing to do.",
        capabilities=CAPABILITIES,
        endpoints=("api",),
    )


PERSONAL = _info("personal")
BOT = _info("bot")
SCANNED = replace(
    PERSONAL,
    name="scripted_scanned",
    title="Scripted phone",
    class_path="tests.fakes.scripted:ScannedProvider",
    capabilities=CAPABILITIES.model_copy(update={"login": "qr"}),
    pacing="normal",
    caution="Scripted does not allow programs: it may close the account.",
    programs=(FFMPEG, LIBMAGIC),
)
EXTRA = replace(SCANNED, name="scripted_extra", extra="telepathy", caution="")
"""One whose engine comes with an extra that nobody has."""
