"""WhatsApp Web as a provider: an account that a phone links, served by a worker process.

The engine (neonize, whatsmeow inside) is never imported here: it prints to stdout, pins threads
and cannot always be stopped, so it lives and dies in the worker.
"""

import base64
import importlib.util
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import orjson
from anyio.abc import TaskGroup

from messengers import home
from messengers.errors import InvalidInput, NotConnected, NotReady, Uncertain, Unreachable
from messengers.models import Attachment, Health, Lifecycle, MessageRef
from messengers.providers.arrangement import BlocksPeople
from messengers.providers.base import (
    Deletes,
    DownloadsMedia,
    Edits,
    Happening,
    LogsIn,
    MarksRead,
    Part,
    ProviderContext,
    Reacts,
    Reconciles,
    ResolvesRecipients,
    Sent,
    ShowsPortraits,
    Sink,
    Types,
)
from messengers.providers.capabilities import Capabilities
from messengers.providers.chunks import split
from messengers.providers.groups import ManagesGroups
from messengers.providers.login import (
    AdoptsSession,
    LoginStep,
    LogsOut,
    ShowCode,
    ShowQr,
    Wait,
)
from messengers.providers.whatsapp_web import incoming
from messengers.providers.whatsapp_web import session as sessions
from messengers.providers.whatsapp_web.config import WhatsAppWebConfig
from messengers.providers.whatsapp_web.formatting import formatted
from messengers.providers.whatsapp_web.limits import CAPABILITIES, MAX_TEXT
from messengers.providers.whatsapp_web.managing import Managing
from messengers.providers.whatsapp_web.process import Event, Worker, start
from messengers.providers.whatsapp_web.protocol import PROTOCOL
from messengers.providers.whatsapp_web.states import (
    AWAITING,
    ENDINGS,
    LOGGED_OUT_HERE,
    STATES,
    login_over,
)

__all__ = ["WhatsAppWebProvider"]

if importlib.util.find_spec("neonize") is None:
    raise ImportError("neonize is not installed")

_CALL_S = 30.0
_SEND_S = 55.0
"""Below the outbox's own deadline, so that the answer says what the worker knows."""
_LOGIN_S = 185.0
"""Six codes, the first for 60 seconds and the others for 20 each, and some time to start."""
_RECONNECT_S = 90.0
"""After this the engine's own reconnecting is given up and the worker is started anew."""
_LOOK_S = 1.0
_ROOM = 96
"""Characters that WhatsApp's own marks may need beyond Markdown's."""
_PHONE = re.compile(r"\+([1-9]\d{6,14})", re.ASCII)
_JID = re.compile(r"[0-9-]{3,40}@(?:s\.whatsapp\.net|lid|g\.us)", re.ASCII)
_OLD_JID = re.compile(r"(\d{5,15})@c\.us", re.ASCII)
_FOREIGN = re.compile(r"(?:tg|slack|discord|telegram):.+|v[0-9a-f]{24}", re.IGNORECASE)
_HOW = "on the phone: WhatsApp, Settings, Linked devices, Link a device"


class WhatsAppWebProvider(Managing):
    """One account."""

    def __init__(self, context: ProviderContext) -> None:
        if not isinstance(context.config, WhatsAppWebConfig):
            raise TypeError("whatsapp_web takes a WhatsAppWebConfig")
        self._config = context.config
        self._proxy = context.endpoints.get("proxy", "")
        self._clock = context.clock
        self._session = context.directory / sessions.FILE
        self._worker: Worker | None = None
        self._sink: Sink | None = None
        self._qr: ShowQr | None = None
        self._code: ShowCode | None = None
        self._code_phone = ""
        self._ended: Health | None = None
        """Why the run is over, where only the owner can go on."""
        self._waits_since_s: float | None = None
        """Since when the connection is lost, monotonic."""

    async def run(self, sink: Sink) -> None:
        """Receive until the account is logged out or the engine fails."""
        home.make_private(str(self._session.parent))
        self._ended, self._waits_since_s = None, None
        try:
            async with start(self._session) as worker, anyio.create_task_group() as tasks:
                self._worker, self._sink = worker, sink
                tasks.start_soon(self._watch, self._clock.monotonic_s())
                await self._serve(worker, sink, tasks)
                tasks.cancel_scope.cancel()
        finally:
            self._worker = self._sink = self._qr = self._code = None
        if self._ended is not None:
            if self._ended.lifecycle is Lifecycle.LOGGED_OUT:
                # The engine does that too, but was killed perhaps before it could.
                await anyio.to_thread.run_sync(sessions.forget, self._session)
            sink.report(self._ended)
            if self._ended.lifecycle is Lifecycle.CONFLICT:
                await anyio.sleep_forever()  # connecting again would only drive the other one out

    async def _serve(self, worker: Worker, sink: Sink, tasks: TaskGroup) -> None:
        async for batch in worker.batches():
            await self._store(sink, batch)
            for event in batch:
                if event["event"] == "hello":
                    _check(event)
                    tasks.start_soon(self._connect, worker)
                else:
                    self._follow(event, sink)
            if self._ended is not None:
                return
        if self._ended is None:
            raise Unreachable("The WhatsApp worker ended by itself.", worker.last_words())

    async def _connect(self, worker: Worker) -> None:
        await worker.ask(
            "connect",
            _CALL_S,
            proxy=self._proxy,
            device_name=self._config.device_name,
            whole_history=self._config.history == "whole",
        )

    async def _store(self, sink: Sink, batch: Sequence[Event]) -> None:
        """All of a batch durable before anything more is read."""
        async with anyio.create_task_group() as tasks:
            for event in batch:
                if event["event"] in incoming.STORED or event["event"] == "raw":
                    payload = orjson.dumps(event)
                    key = incoming.event_key(event, payload)
                    tasks.start_soon(
                        sink.ingest, key, incoming.chat_key(event), event["event"], payload
                    )

    def _follow(self, event: Event, sink: Sink) -> None:
        """What an event says of the account's own state."""
        kind = event["event"]
        ending = ENDINGS.get(kind)
        if ending is not None:
            self._ended = ending(event)
        elif kind == "qr":
            self._show(event, sink)
        elif kind == "failed":
            raise Unreachable("WhatsApp cannot be reached.", _plain(event["why"]))
        elif kind == "refused":
            raise Unreachable(f"WhatsApp refused the connection ({event['reason']}).")
        elif kind == "unusable":
            _check(event)
        elif kind == "typing":
            sink.signal(event["chat"]["id"], "typing", "on" if event["active"] else "off")
        elif kind in STATES:
            self._waits_since_s = self._clock.monotonic_s() if kind == "disconnected" else None
            if kind in ("connected", "paired"):
                self._qr = self._code = None
            sink.report(STATES[kind])

    def _show(self, event: Event, sink: Sink) -> None:
        number = event["number"]
        self._qr = ShowQr(
            transaction=f"{number} of 6",
            text=event["text"],
            caption=f"Code {number} of 6. Scan it {_HOW}.",
            expires_at=self._clock.now() + timedelta(seconds=event["lasts_s"]),
        )
        if number == 1:
            sink.report(AWAITING)

    async def _watch(self, since_s: float) -> None:
        """End what does not go on by itself: a login that nobody finishes, a lost connection."""
        while True:
            await anyio.sleep(_LOOK_S)
            now_s = self._clock.monotonic_s()
            if self._waits_since_s is not None and now_s - self._waits_since_s > _RECONNECT_S:
                raise Unreachable("The connection to WhatsApp was lost.", "It is made anew.")
            if self._qr is not None and now_s - since_s > _LOGIN_S:
                self._ended = login_over({"why": "timeout"})
                if self._worker is not None:
                    self._worker.end()

    async def ask(self, call: str, deadline_s: float = _CALL_S, **given: object) -> Any:  # noqa: ANN401 - any JSON
        return await self._running().ask(call, deadline_s, **given)

    def _running(self) -> Worker:
        if self._worker is None:
            raise NotConnected("WhatsApp is not connected at the moment.", "Try again later.")
        return self._worker

    async def login_step(self, phone: str = "") -> LoginStep:
        """The code that holds now, or with a phone number the pairing code for it."""
        if phone and self._qr is not None:
            return await self._pairing(phone)
        if self._qr is not None:
            return self._qr
        return Wait(transaction="", reason="WhatsApp is being asked for a code.")

    async def _pairing(self, phone: str) -> ShowCode:
        found = _PHONE.fullmatch(re.sub(r"[\s()-]", "", phone))
        if found is None:
            raise InvalidInput("phone is no phone number.", "Write it like +37120000000.")
        if self._code is None or self._code_phone != found[1]:
            answer = await self.ask("pair", phone=found[1])
            self._code_phone = found[1]
            self._code = ShowCode(
                transaction=found[1][-4:],
                code=answer["code"],
                caption=f"Enter it {_HOW}, Link with phone number instead.",
                expires_at=self._clock.now() + timedelta(seconds=_LOGIN_S - 25),
            )
        return self._code

    async def logout(self) -> None:
        """Unlink this device at WhatsApp and remove the session."""
        if self._worker is not None:
            await self.ask("logout")
            self._ended = LOGGED_OUT_HERE
            self._worker.end()
        await anyio.to_thread.run_sync(sessions.forget, self._session)

    async def adopt(self, session: Path) -> None:
        """Take over the session file of another program with this engine."""
        await anyio.to_thread.run_sync(sessions.adopt, session, self._session)

    async def probe(self) -> None:
        answer = await self.ask("probe", 10.0)
        if not (answer["connected"] and answer["logged_in"]):
            raise NotConnected("WhatsApp is not connected at the moment.", "It reconnects.")

    def capabilities(self, chat_native_id: str = "") -> Capabilities:
        return CAPABILITIES

    def parse_target(self, text: str) -> str | None:
        text = text.strip()
        if _JID.fullmatch(text):
            return text
        old = _OLD_JID.fullmatch(text)
        if old is not None:
            return f"{old[1]}@s.whatsapp.net"
        found = _PHONE.fullmatch(re.sub(r"[\s().-]", "", text))
        if found is not None:
            return f"{found[1]}@s.whatsapp.net"
        if _FOREIGN.fullmatch(text):
            raise InvalidInput(
                "That is another messenger's chat id.", "Write a number like +37120000000."
            )
        return None

    async def resolve(self, target: str) -> Sequence[str]:
        """The ids of a number's owner; none when the number is not on WhatsApp."""
        number, _, server = target.partition("@")
        if server != "s.whatsapp.net":
            return [target]
        person = (await self.ask("resolve", phone=f"+{number}"))["person"]
        return [] if person is None else [person["id"], *person.get("alt", ())]

    def translate(self, kind: str, payload: bytes) -> Sequence[Happening]:
        return incoming.translate(kind, payload)

    def render(self, markdown: str) -> Sequence[str]:
        parts = (formatted(part) for part in split(markdown, MAX_TEXT - _ROOM))
        return [part for part in parts if part]

    async def send(self, chat_native_id: str, part: Part, key: str) -> Sent:
        """One message.

        When the worker ends during the call, its session file tells whether the send was begun:
        if it was not, it is certain that nothing left.
        """
        worker, wire = self._running(), _wire(part)
        try:
            answer = await worker.ask("send", _SEND_S, chat=chat_native_id, key=key, part=wire)
        except Uncertain as exc:
            if not worker.gone:
                raise
            native_id = await self.begun(key)
            if native_id is None:
                raise Unreachable("The worker ended before the message left.") from exc
            exc.native_id = native_id
            raise
        return Sent(answer["id"], datetime.fromtimestamp(answer["at"], UTC))

    async def begun(self, key: str) -> str | None:
        return await anyio.to_thread.run_sync(sessions.begun, self._session, key)

    async def edit(self, chat_native_id: str, message: MessageRef, text: str) -> None:
        await self.ask("edit", chat=chat_native_id, id=message.native_id, text=text)

    async def delete(self, chat_native_id: str, message: MessageRef) -> None:
        await self.ask("delete", chat=chat_native_id, id=message.native_id)

    async def react(self, chat_native_id: str, message: MessageRef, emoji: str) -> None:
        await self.ask("react", chat=chat_native_id, message=message.model_dump(), emoji=emoji)

    async def typing(self, chat_native_id: str, active: bool) -> None:
        await self.ask("typing", chat=chat_native_id, active=active)

    async def mark_read(self, chat_native_id: str, messages: Sequence[MessageRef]) -> None:
        refs = [message.model_dump() for message in messages]
        await self.ask("read", chat=chat_native_id, messages=refs)

    async def download(self, attachment: Attachment, max_bytes: int) -> bytes:
        answer = await self.ask("download", _SEND_S, ref=attachment.native_ref, max_bytes=max_bytes)
        return base64.b64decode(answer["data"])


def _check(hello: Event) -> None:
    """Raises NotReady when what answers is no worker that can be used."""
    if hello["event"] == "unusable":
        raise NotReady(
            f"The WhatsApp engine cannot be loaded ({hello['why']}).",
            "`messengers doctor` says what is missing.",
        )
    if hello["protocol"] != PROTOCOL:
        raise NotReady("The WhatsApp worker is of another version.", "Install Messengers again.")


def _wire(part: Part) -> dict[str, object]:
    """A part in the protocol's words."""
    found: dict[str, object] = {"text": part.text}
    if part.reply_to is not None:
        found["reply_to"] = part.reply_to.model_dump()
    if part.media is not None:
        file = part.media
        data = base64.b64encode(file.data).decode()
        found["file"] = {"kind": file.kind, "mime": file.mime, "name": file.name, "data": data}
    for name, value in (
        ("location", part.location),
        ("contact", part.contact),
        ("poll", part.poll),
    ):
        if value is not None:
            found[name] = value.model_dump()
    return found


def _plain(why: str) -> str:
    """The engine's own words without addresses."""
    return re.sub(r"\S+://\S+", "…", why)[:200]


_logs_in: type[LogsIn] = WhatsAppWebProvider
_logs_out: type[LogsOut] = WhatsAppWebProvider
_adopts: type[AdoptsSession] = WhatsAppWebProvider
_edits: type[Edits] = WhatsAppWebProvider
_deletes: type[Deletes] = WhatsAppWebProvider
_reacts: type[Reacts] = WhatsAppWebProvider
_types: type[Types] = WhatsAppWebProvider
_marks_read: type[MarksRead] = WhatsAppWebProvider
_downloads: type[DownloadsMedia] = WhatsAppWebProvider
_resolves: type[ResolvesRecipients] = WhatsAppWebProvider
_reconciles: type[Reconciles] = WhatsAppWebProvider
_groups: type[ManagesGroups] = WhatsAppWebProvider
_blocks: type[BlocksPeople] = WhatsAppWebProvider
_portraits: type[ShowsPortraits] = WhatsAppWebProvider
