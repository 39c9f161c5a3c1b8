"""Sending: a draft becomes an act, the act becomes outbox rows, the rows' fate an outcome."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any
from uuid import uuid4

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock
from messengers.core.acts import Act
from messengers.core.approvals import Approvals, Stage
from messengers.core.audit import Place
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import Chats
from messengers.core.drafts import Drafts, PartPlan
from messengers.core.events import Events
from messengers.core.history import History
from messengers.core.instances import Instances
from messengers.core.leaks import Leak, Leaks, suspected
from messengers.core.outbox import Outbox
from messengers.core.plans import payload_of
from messengers.core.repeats import REPEATED, Known, Repeats, fingerprint
from messengers.core.rich import buttons_of, rich_of
from messengers.core.schedules import told_time, when_of
from messengers.core.shown import said, shown, told
from messengers.core.sources import Sources
from messengers.errors import Conflict, Forbidden, InvalidInput, MessengersError
from messengers.models import (
    Chat,
    Draft,
    IdKind,
    Instance,
    MediaKind,
    Message,
    MessageRef,
    Outcome,
    SentMessage,
    decode_id,
    encode_id,
)
from messengers.providers.base import MediaBytes
from messengers.providers.capabilities import Capabilities
from messengers.store import Store, batches, chats, outbox
from messengers.store.rows import one_row
from messengers.urls import SafeUrl

__all__ = ["MAX_TEXT", "Sending", "check_text", "ref_of"]

MAX_TEXT = 50_000
"""Characters of one draft; more is a document."""
_MAX_ATTACHMENTS = 10
_TELLS = "Fetching an address tells its host all that stands in it, and an agent wrote this one."
_MAX_QUOTE = 500
"""Characters of a quoted text that a provider is told."""


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
        repeats: Repeats,
        leaks: Leaks,
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
        self._repeats = repeats
        self._leaks = leaks
        self._audit = approvals.audit
        approvals.executors["send"] = self._execute
        approvals.executors["send_fetched"] = self._execute_fetched
        approvals.stages["send"] = Stage(
            hold=lambda conn, act: self._queue(
                conn, act.caller, act.payload, uuid4().hex, held=True
            ),
            release=drafts.release,
            drop=drafts.drop,
            start=box.wake_draft,
            outcome=self._outcome,
        )

    async def prepare(
        self, caller: Caller, chat: str, draft: Draft, instance: str = "", client_ref: str = ""
    ) -> Act:
        """Resolve, render and judge a draft; nothing is sent or stored but its attachments.

        A call that was made before, by its `client_ref` or a moment ago, gives an act that only
        tells what became of it. Raises what is wrong; then it is certain that nothing was sent.
        """
        asked = fingerprint(chat, instance, draft.model_dump(mode="json"))
        known = await self._repeats.find(caller.actor, client_ref, asked)
        if known is not None:
            return await self._known(caller, known)
        call = {"client_ref": client_ref, "fingerprint": asked}
        return await self.planned(caller, chat, draft, instance, call)

    async def planned(
        self, caller: Caller, chat: str, draft: Draft, instance: str, call: Mapping[str, str]
    ) -> Act:
        """A draft as an act, whatever was sent before. `call`: how to know the same call again."""
        check_text(draft.text)
        rich = rich_of(draft)
        if not draft.text.strip() and not draft.attachments and not rich:
            raise InvalidInput("There is nothing to send.", "Give text or attachments.")
        if len(draft.attachments) > _MAX_ATTACHMENTS:
            raise InvalidInput(f"More than {_MAX_ATTACHMENTS} attachments.", "Send fewer at once.")
        if rich:
            await self._instances.able(caller, rich.fits, rich.verb)
        if draft.buttons:
            await self._instances.able(caller, lambda can: can.max_buttons > 0, "send buttons")
        target = await self._chats.find(caller, chat, instance, write=True)
        chosen = self._instances.resolve(caller, target.instance)
        verdict = self._chats.access.judge(target, chosen)
        if verdict.refused:
            raise Forbidden(verdict.why, "Only the owner can change that.")
        provider = self._instances.provider(chosen.id)
        if rich:
            rich.require(provider.capabilities(), chosen.provider)
        limits = provider.capabilities()
        buttons = buttons_of(draft, limits, chosen.provider)
        text = said(draft, buttons) or told(rich)
        # Before anything is looked up: an address says something to whoever is asked for it.
        leak = await self._leaks.of_texts(caller, target, text, *self._sources.named(draft))
        files = await self._files(caller, draft, target, chosen, limits, leak)
        leak = leak or await self._leaks.of_files(caller, target, self._carried(draft, files))
        quoted = await self._quoted(caller, target, draft.reply_to)
        act = Act(
            action="send",
            caller=caller,
            shown=shown(target, text, files, verdict.why),
            payload={},
            instance_id=chosen.id,
            instance=chosen.name,
            provider=chosen.provider,
            chat=target,
            needs_approval=not verdict.allowed,
            why=verdict.why,
        )
        act = suspected(act, leak)
        at_hand = [file for file in files if isinstance(file, MediaBytes)]
        if len(at_hand) < len(files):
            if draft.send_at is not None:
                raise InvalidInput(
                    "An address that the owner is asked about cannot wait for a time.",
                    "Give no send_at, or attach the file itself.",
                )
            return _asking(act, draft, files, call)
        payload = payload_of(provider, target, draft, at_hand, quoted, call)
        when = when_of(draft.send_at, self._clock.now())
        if when:
            payload |= {"instance": chosen.id} | when
            title = f"{act.shown.title} {told_time(draft.send_at, self._zone)}"
            titled = act.shown.model_copy(update={"title": title})
            return replace(act, action="send_later", shown=titled, payload=payload)
        return replace(act, payload=payload)

    def _carried(self, draft: Draft, files: Sequence[MediaBytes | SafeUrl]) -> Sequence[bytes]:
        """What is attached that may be of another chat: nothing that the owner put up for this."""
        return [
            file.data
            for source, file in zip(draft.attachments, files, strict=False)
            if isinstance(file, MediaBytes) and not self._sources.is_path(source)
        ]

    async def _files(
        self,
        caller: Caller,
        draft: Draft,
        target: Chat,
        instance: Instance,
        limits: Capabilities,
        leak: Leak | None = None,
    ) -> Sequence[MediaBytes | SafeUrl]:
        """What is attached; an address that the owner is asked about stays one."""
        kind: MediaKind | None = "sticker" if draft.sticker else None
        files: list[MediaBytes | SafeUrl] = []
        for source in (draft.sticker,) if draft.sticker else draft.attachments:
            url = self._sources.address(source)
            if url is None:
                files.append(await self._sources.outgoing(caller, source, target, limits, kind))
            elif leak is None and await self._sources.may_fetch(caller, source, instance):
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

    async def _known(self, caller: Caller, known: Known) -> Act:
        """The act of a call that was made before: its instance need not be connected for that."""
        row = known.row
        if known.is_batch:
            (first, *_) = await self._store.rows(batches.recipients, batch=row["id"])
            draft, made = first["draft"], encode_id(IdKind.BATCH, row["id"])
        else:
            draft = made = row["draft"]
        rows = await self._store.rows(outbox.of_draft, draft=draft)
        target = await self._chats.get(caller, encode_id(IdKind.CHAT, rows[0]["chat_id"]))
        chosen = self._instances.by_id(row["instance_id"])
        parts = [PartPlan.model_validate_json(each["payload"]) for each in rows]
        return Act(
            action="send_later" if known.is_batch else "send",
            caller=caller,
            shown=shown(target, parts[0].source, (), ""),
            payload={
                "known": made,
                "client_ref": row["client_ref"],
                "parts": [part.model_dump() for part in parts],
            },
            instance_id=chosen.id,
            instance=chosen.name,
            provider=chosen.provider,
            chat=target,
        )

    async def _execute(
        self, payload: Mapping[str, Any], caller: Caller, wait_s: float
    ) -> SentMessage:
        new = uuid4().hex
        draft = payload.get("known") or await self._begin(caller, payload, new)
        answer = await self._outcome(draft, wait_s)
        if draft == new or payload["client_ref"]:
            return answer
        return answer.model_copy(update={"notes": (*answer.notes, REPEATED)})

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
            ready = payload_of(provider, target, draft, files, quoted, payload["call"])
            begun = await self._begin(Caller(payload["actor"]), ready, uuid4().hex)
        except MessengersError as exc:
            return SentMessage(chat=target.id, outcome=Outcome.NOT_SENT, notes=(str(exc),))
        return await self._outcome(begun, wait_s)

    async def _begin(self, caller: Caller, payload: Mapping[str, Any], new: str) -> str:
        """Store a draft and start its lane: both, also when who asked leaves meanwhile."""
        draft = ""
        with anyio.CancelScope(shield=True):
            draft, _ = await self._events.write(
                lambda conn: self._queue(conn, caller, payload, new, held=False)
            )
            await self._box.wake_draft(draft)
        return draft

    def _queue(
        self, conn: Connection, caller: Caller, payload: Mapping[str, Any], new: str, *, held: bool
    ) -> tuple[str, int]:
        """Write a draft's rows; a call that was made before gives the draft that it made."""
        ref, asked = payload["client_ref"], payload["fingerprint"]
        known = self._repeats.find_within(conn, caller.actor, ref, asked)
        if known is not None:
            return known.row["draft"], known.row["message_id"]
        parts = [PartPlan(**part) for part in payload["parts"]]
        draft, message = self._drafts.add(
            conn,
            draft=new,
            chat=payload["chat"],
            parts=parts,
            reply_to=payload["reply_to"],
            client_ref=ref,
            fingerprint=asked,
            time_to_live_s=payload["time_to_live_s"],
            actor=caller.actor,
            held=held,
        )
        if not held:
            chat = one_row(conn, chats.get, chat=decode_id(IdKind.CHAT, payload["chat"]))
            place = Place(chat["instance_id"], chat["id"], message)
            text = "\n".join(part.source for part in parts)
            self._audit.write(conn, caller, "send", place, outcome="queued", text=text)
        return draft, message

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


def _asking(
    act: Act, draft: Draft, files: Sequence[MediaBytes | SafeUrl], call: Mapping[str, str]
) -> Act:
    """The act of fetching and sending; what is at hand is kept as the caller could see it."""
    sources = tuple(str(file) if isinstance(file, SafeUrl) else file.media for file in files)
    kept: dict[str, object] = {"attachments": sources}
    if draft.sticker:
        kept = {"sticker": sources[0]}
    why = f"{act.why} {_TELLS}".strip()
    payload = {
        "chat": act.chat.id if act.chat else "",
        "draft": draft.model_copy(update=kept).model_dump(mode="json"),
        "call": call,
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


def ref_of(message: Message) -> MessageRef:
    """How a provider is told of a stored message."""
    mine = message.direction == "out"
    return MessageRef(
        native_id=message.native_id,
        sender_native_id="" if mine else message.sender.native_id,
        from_me=mine,
        text=message.text[:_MAX_QUOTE],
        more_ids=message.more_ids,
    )
