"""Sending: a draft becomes an act, the act becomes outbox rows, the rows' fate an outcome."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any
from uuid import uuid4

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import judge
from messengers.core.acts import Act, Shown
from messengers.core.approvals import Approvals, Stage
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import Chats
from messengers.core.drafts import Drafts, PartPlan
from messengers.core.events import Events
from messengers.core.history import History
from messengers.core.instances import Instances
from messengers.core.outbox import Outbox
from messengers.core.rich import Rich, buttons_of, rich_of
from messengers.core.sources import Sources
from messengers.core.words import counted
from messengers.errors import Conflict, Forbidden, InvalidInput, MessengersError
from messengers.models import (
    Button,
    Chat,
    Draft,
    Instance,
    MediaKind,
    Message,
    MessageRef,
    Outcome,
    SentMessage,
)
from messengers.providers.base import MediaBytes, Provider, ReadsDialect
from messengers.providers.capabilities import Capabilities
from messengers.providers.chunks import measured
from messengers.store import Store, outbox
from messengers.store.rows import first_row
from messengers.urls import SafeUrl

__all__ = ["MAX_TEXT", "Sending", "check_text", "recipient", "ref_of"]

MAX_TEXT = 50_000
"""Characters of one draft; more is a document."""
_MAX_ATTACHMENTS = 10
_TELLS = "Fetching an address tells its host all that stands in it, and an agent wrote this one."
_MAX_QUOTE = 500
"""Characters of a quoted text that a provider is told."""
_REF_WINDOW_MS = 24 * 3600 * 1000
_SPECIAL = re.compile(r"([\\`*_{}\[\]()#+\-.!|<>~])")


class Sending:
    """Everything that leaves as a new message."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        zone: tzinfo,
        events: Events,
        instances: Instances,
        chats: Chats,
        history: History,
        sources: Sources,
        drafts: Drafts,
        box: Outbox,
        approvals: Approvals,
    ) -> None:
        self._store = store
        self._clock = clock
        self._zone = zone
        self._events = events
        self._instances = instances
        self._chats = chats
        self._history = history
        self._sources = sources
        self._drafts = drafts
        self._box = box
        approvals.executors["send"] = self._execute
        approvals.executors["send_fetched"] = self._execute_fetched
        approvals.stages["send"] = Stage(
            hold=lambda conn, act: self._queue(conn, act.caller.actor, act.payload, held=True),
            release=drafts.release,
            drop=drafts.drop,
            start=box.wake_draft,
            outcome=self._outcome,
        )

    async def prepare(
        self, caller: Caller, chat: str, draft: Draft, instance: str = "", client_ref: str = ""
    ) -> Act:
        """Resolve, render and judge a draft; nothing is sent or stored but its attachments.

        Raises what is wrong with it; then it is certain that nothing was sent.
        """
        check_text(draft.text)
        rich = rich_of(draft)
        if not draft.text.strip() and not draft.attachments and not rich:
            raise InvalidInput("There is nothing to send.", "Give text or attachments.")
        if len(draft.attachments) > _MAX_ATTACHMENTS:
            raise InvalidInput(f"More than {_MAX_ATTACHMENTS} attachments.", "Send fewer at once.")
        if len(client_ref) > 200:
            raise InvalidInput("client_ref is longer than 200 characters.", "Use a short key.")
        if rich:
            await self._instances.able(caller, rich.fits, rich.verb)
        if draft.buttons:
            await self._instances.able(caller, lambda can: can.max_buttons > 0, "send buttons")
        target = await self._chats.find(caller, chat, instance, write=True)
        chosen = self._instances.resolve(caller, target.instance)
        verdict = judge(target, chosen)
        if verdict.refused:
            raise Forbidden(verdict.why, "Only the owner can change that.")
        provider = self._instances.provider(chosen.id)
        if rich:
            rich.require(provider.capabilities(), chosen.provider)
        limits = provider.capabilities()
        files = await self._files(caller, draft, target, chosen, limits)
        buttons = buttons_of(draft, limits, chosen.provider)
        quoted = await self._quoted(caller, target, draft.reply_to)
        act = Act(
            action="send",
            caller=caller,
            shown=_shown(target, _said(draft, buttons) or _told(rich), files, verdict.why),
            payload={},
            instance_id=chosen.id,
            instance=chosen.name,
            provider=chosen.provider,
            chat=target,
            needs_approval=not verdict.allowed,
            why=verdict.why,
        )
        at_hand = [file for file in files if isinstance(file, MediaBytes)]
        if len(at_hand) < len(files):
            return _asking(act, draft, files, client_ref)
        payload = _payload(provider, target, draft, at_hand, quoted, client_ref)
        return replace(act, payload=payload)

    async def _files(
        self, caller: Caller, draft: Draft, target: Chat, instance: Instance, limits: Capabilities
    ) -> Sequence[MediaBytes | SafeUrl]:
        """What is attached; an address that the owner is asked about stays one."""
        kind: MediaKind | None = "sticker" if draft.sticker else None
        files: list[MediaBytes | SafeUrl] = []
        for source in (draft.sticker,) if draft.sticker else draft.attachments:
            url = self._sources.address(source)
            if url is None:
                files.append(await self._sources.outgoing(caller, source, target, limits, kind))
            elif await self._sources.may_fetch(caller, source, instance):
                files.append(await self._sources.fetched(url, target, limits, kind))
            else:
                files.append(url)
        return files

    async def _quoted(self, caller: Caller, chat: Chat, message: str) -> MessageRef | None:
        """The message to answer."""
        if not message:
            return None
        quoted = self._history.of_row(await self._history.row(caller, message))
        if quoted.chat != chat.id:
            raise InvalidInput("reply_to is a message of another chat.", "Take it from this one.")
        if not quoted.native_id:
            raise Conflict("The quoted message has not been sent yet.", "Send without reply_to.")
        return ref_of(quoted)

    async def _execute(
        self, payload: Mapping[str, Any], caller: Caller, wait_s: float
    ) -> SentMessage:
        return await self._outcome(await self._begin(caller.actor, payload), wait_s)

    async def _execute_fetched(
        self, payload: Mapping[str, Any], _caller: Caller, wait_s: float
    ) -> SentMessage:
        """Fetch what the owner agreed to, then send. What goes wrong before that sends nothing."""
        target = await self._chats.get(OWNER, payload["chat"])
        draft = Draft.model_validate(payload["draft"])
        instance = self._instances.by_name(target.instance).model_copy(update={"confirm": "never"})
        try:
            provider = self._instances.provider(instance.id)
            found = await self._files(OWNER, draft, target, instance, provider.capabilities())
            files = [file for file in found if isinstance(file, MediaBytes)]
            quoted = await self._quoted(OWNER, target, draft.reply_to)
            ready = _payload(provider, target, draft, files, quoted, payload["client_ref"])
            begun = await self._begin(payload["actor"], ready)
        except MessengersError as exc:
            return SentMessage(chat=target.id, outcome=Outcome.NOT_SENT, notes=(str(exc),))
        return await self._outcome(begun, wait_s)

    async def _begin(self, actor: str, payload: Mapping[str, Any]) -> str:
        """Store a draft and start its lane: both, also when who asked leaves meanwhile."""
        draft = ""
        with anyio.CancelScope(shield=True):
            draft, _ = await self._events.write(
                lambda conn: self._queue(conn, actor, payload, held=False)
            )
            await self._box.wake_draft(draft)
        return draft

    def _queue(
        self, conn: Connection, actor: str, payload: Mapping[str, Any], *, held: bool
    ) -> tuple[str, int]:
        """Write a draft's rows; a known client_ref gives the draft that it named before."""
        parts = [PartPlan(**part) for part in payload["parts"]]
        known = self._known(conn, actor, payload)
        if known is not None:
            return known
        return self._drafts.add(
            conn,
            draft=uuid4().hex,
            chat=payload["chat"],
            parts=parts,
            reply_to=payload["reply_to"],
            client_ref=payload["client_ref"],
            fingerprint=_fingerprint(payload),
            time_to_live_s=payload["time_to_live_s"],
            actor=actor,
            held=held,
        )

    def _known(
        self, conn: Connection, actor: str, payload: Mapping[str, Any]
    ) -> tuple[str, int] | None:
        if not payload["client_ref"]:
            return None
        since = to_ms(self._clock.now()) - _REF_WINDOW_MS
        row = first_row(conn, outbox.by_ref, caller=actor, ref=payload["client_ref"], since=since)
        if row is None:
            return None
        if row["draft_hash"] != _fingerprint(payload):
            raise Conflict(
                "This client_ref named another message before.", "Use a new one for each message."
            )
        return row["draft"], row["message_id"]

    async def _outcome(self, draft: str, wait_s: float) -> SentMessage:
        return await self._drafts.outcome(draft, wait_s, self._zone)


def check_text(text: str) -> None:
    """What no messenger can carry is refused before anything else."""
    if len(text) > MAX_TEXT:
        raise InvalidInput(
            f"text is longer than {MAX_TEXT:,} characters.", "Send a document instead."
        )
    if "\0" in text:
        raise InvalidInput("text contains a NUL character.", "Remove it.")
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise InvalidInput("text contains half of a surrogate pair.", "Send valid Unicode.")


def _asking(act: Act, draft: Draft, files: Sequence[MediaBytes | SafeUrl], client_ref: str) -> Act:
    """The act of fetching and sending; what is at hand is kept as the caller could see it."""
    sources = tuple(str(file) if isinstance(file, SafeUrl) else file.media for file in files)
    kept: dict[str, object] = {"attachments": sources}
    if draft.sticker:
        kept = {"sticker": sources[0]}
    why = f"{act.why} {_TELLS}".strip()
    payload = {
        "chat": act.chat.id if act.chat else "",
        "draft": draft.model_copy(update=kept).model_dump(mode="json"),
        "client_ref": client_ref,
        "actor": act.caller.actor,
    }
    return replace(
        act,
        action="send_fetched",
        shown=act.shown.model_copy(update={"why": why}),
        payload=payload,
        needs_approval=True,
        why=why,
    )


def _payload(
    provider: Provider,
    chat: Chat,
    draft: Draft,
    files: Sequence[MediaBytes],
    reply_to: MessageRef | None,
    client_ref: str,
) -> dict[str, Any]:
    """What is queued: one part for each platform call."""
    rich = rich_of(draft)
    parts = _plan(provider, draft, files, reply_to, rich.plan if rich else None)
    buttons = buttons_of(draft, provider.capabilities(), chat.provider)
    pressed = {"buttons": buttons, "keyboard": draft.keyboard}
    parts[-1] = parts[-1].model_copy(update=pressed if buttons else {})
    return {
        "chat": chat.id,
        "text": draft.text,
        "reply_to": draft.reply_to,
        "parts": [part.model_dump() for part in parts],
        "client_ref": client_ref,
        "time_to_live_s": draft.time_to_live_s,
    }


def _plan(
    provider: Provider,
    draft: Draft,
    files: Sequence[MediaBytes],
    reply_to: MessageRef | None,
    rich: PartPlan | None = None,
) -> list[PartPlan]:
    """One plan per platform call: a short text rides on the first file, a long one follows."""
    text = draft.text
    if draft.format == "plain":
        text = _SPECIAL.sub(r"\\\1", text)
    texts = list(provider.render(text)) if text.strip() else []
    limits = provider.capabilities()
    plans = [PartPlan(media=file.media) for file in files] + ([rich] if rich else [])
    caption = limits.media[files[0].kind].max_caption if files else 0
    if plans and len(texts) == 1 and measured(texts[0], limits.text_unit) <= caption:
        plans[0] = plans[0].model_copy(update={"text": texts.pop(), "source": draft.text})
    sources = [draft.text] if len(texts) == 1 else _readable(provider, texts)
    plans += [PartPlan(text=t, source=s) for t, s in zip(texts, sources, strict=True)]
    first = plans[0].model_copy(update={"reply_to": reply_to})
    return [plan.model_copy(update={"silent": draft.silent}) for plan in (first, *plans[1:])]


def _readable(provider: Provider, texts: Sequence[str]) -> Sequence[str]:
    """Rendered texts as the transcript shows them."""
    if isinstance(provider, ReadsDialect):
        return [provider.plain(text) for text in texts]
    return texts


def ref_of(message: Message) -> MessageRef:
    """How a provider is told of a stored message."""
    mine = message.direction == "out"
    return MessageRef(
        native_id=message.native_id,
        sender_native_id="" if mine else message.sender.native_id,
        from_me=mine,
        text=message.text[:_MAX_QUOTE],
    )


def _said(draft: Draft, buttons: Sequence[Button]) -> str:
    """The text with what can be pressed under it."""
    lines = [f"[{button.text}] {button.url}".rstrip() for button in buttons]
    return "\n".join([draft.text, *lines])


def _told(rich: Rich | None) -> str:
    """A place, contact or poll in words."""
    return rich.plan.source if rich and rich.plan else ""


def _shown(chat: Chat, text: str, files: Sequence[MediaBytes | SafeUrl], why: str) -> Shown:
    return Shown(
        title="Send a message",
        recipient=recipient(chat),
        text=text,
        attachments=tuple(map(_file, files)),
        why=why,
    )


def _file(file: MediaBytes | SafeUrl) -> str:
    if isinstance(file, SafeUrl):
        return f"what stands at {file}"
    return f"{file.kind} {file.name} ({counted(len(file.data), 'byte')})"


def recipient(chat: Chat) -> str:
    """How the owner recognises where something would go."""
    known = chat.phone or (f"@{chat.username}" if chat.username else chat.native_id)
    return f"{chat.name} · {known} · {chat.kind} {chat.id} · {chat.provider} “{chat.instance}”"


def _fingerprint(payload: Mapping[str, Any]) -> str:
    """What must be equal for two calls with one client_ref to be the same call."""
    rich = "location", "contact", "poll", "buttons"
    parts = [
        (part["source"] or part["text"], part["media"], *(part[n] for n in rich if part.get(n)))
        for part in payload["parts"]
    ]
    return f"{payload['chat']} {payload['reply_to']} {parts}"
