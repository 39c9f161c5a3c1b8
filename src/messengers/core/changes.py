"""What changes or adds to a message that exists: edit, delete, react, pin, forward.

The same gate stands before them as before a send: each reaches someone.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock
from messengers.core.acts import Act, Shown
from messengers.core.approvals import Approvals
from messengers.core.callers import OWNER, Caller
from messengers.core.chats import Chats
from messengers.core.events import Events
from messengers.core.followups import Followups
from messengers.core.history import History
from messengers.core.instances import Instances
from messengers.core.leaks import Leaks, suspected
from messengers.core.reactions import with_those_of
from messengers.core.sending import Sending, check_text, ref_of
from messengers.core.shown import recipient
from messengers.errors import Conflict, Forbidden, InvalidInput, Uncertain, Unsupported
from messengers.models import Chat, Draft, Message, MessageRef, Outcome, SentMessage
from messengers.providers.base import Deletes, Edits, Pins, Provider, Reacts
from messengers.store import chats as chat_rows
from messengers.store import messages
from messengers.store.rows import Row, dump_json, one_row

__all__ = ["Changes"]

_CALL_DEADLINE_S = 30.0
_MAX_EMOJI = 16
_KEYCAP = re.compile("[0-9](?=\ufe0f?\u20e3)")
_NAME = re.compile(r":[a-zA-Z0-9_'+-]{1,100}:")


class Changes:
    """Acts on stored messages."""

    def __init__(
        self,
        clock: Clock,
        events: Events,
        instances: Instances,
        chats: Chats,
        history: History,
        sending: Sending,
        approvals: Approvals,
        leaks: Leaks,
    ) -> None:
        self._leaks = leaks
        self._events = events
        self._instances = instances
        self._chats = chats
        self._history = history
        self._sending = sending
        self._followups = Followups(events)
        approvals.executors["edit"] = self._edit
        approvals.executors["delete"] = self._delete
        approvals.executors["react"] = self._react
        approvals.executors["pin"] = self._pin

    async def prepare_edit(self, caller: Caller, message: str, text: str) -> Act:
        """Another text for a message that this account sent."""
        check_text(text)
        if not text.strip():
            raise InvalidInput("text is empty.", "To remove a message use delete_message.")
        found, chat, provider = await self._own(caller, message, "edited")
        if not isinstance(provider, Edits):
            raise _unsupported(chat, "edit messages", "Send a correction as a new message.")
        if len(provider.render(text)) != 1:
            raise InvalidInput("text is too long for one message.", "Shorten it.")
        shown = Shown(title="Change a sent message", recipient=recipient(chat), text=text)
        act = self._act(caller, "edit", found, chat, shown, {"text": text})
        return suspected(act, await self._leaks.of_texts(caller, chat, text))

    async def prepare_delete(
        self, caller: Caller, message: str, *, for_everyone: bool = True
    ) -> Act:
        """Remove a message everywhere, or only from our store."""
        row = await self._history.row(caller, message)
        found = self._history.of_row(row)
        chat = await self._chats.get(caller, found.chat)
        if for_everyone:
            found, chat, provider = await self._own(caller, message, "deleted for everyone")
            if not isinstance(provider, Deletes):
                raise _unsupported(
                    chat, "delete messages", "for_everyone=false removes it from our store."
                )
        where = "for everyone" if for_everyone else "on our side only"
        shown = Shown(title=f"Delete a message {where}", recipient=recipient(chat), text=found.text)
        payload = {"for_everyone": for_everyone}
        asks = for_everyone and self._instances.by_name(chat.instance).confirm != "never"
        return self._act(caller, "delete", found, chat, shown, payload, asks=asks)

    async def prepare_react(self, caller: Caller, message: str, emoji: str) -> Act:
        """One emoji on a message; empty removes ours."""
        found, chat, provider = await self._existing(caller, message)
        by_name = provider.capabilities().named_reactions and _NAME.fullmatch(emoji) is not None
        if not by_name and (len(emoji) > _MAX_EMOJI or (emoji and _says_something(emoji))):
            raise InvalidInput("emoji must be one emoji or empty.", "For example 👍.")
        if not isinstance(provider, Reacts):
            raise _unsupported(chat, "react", "Answer with a message instead.")
        shown = Shown(title="React", recipient=recipient(chat), text=emoji or "(remove)")
        act = self._act(caller, "react", found, chat, shown, {"emoji": emoji})
        return suspected(act, await self._leaks.of_texts(caller, chat, emoji))

    async def prepare_pin(self, caller: Caller, message: str, *, pinned: bool = True) -> Act:
        """A message to the top of its chat for everyone there, or down again."""
        found, chat, provider = await self._existing(caller, message)
        if not isinstance(provider, Pins):
            raise _unsupported(chat, "pin messages", "Quote it in a new message.")
        title = "Pin a message" if pinned else "Unpin a message"
        shown = Shown(title=title, recipient=recipient(chat), text=found.text)
        return self._act(caller, "pin", found, chat, shown, {"pinned": pinned})

    async def prepare_forward(self, caller: Caller, message: str, chat: str) -> Act:
        """The text and files of a message, sent to another chat as they are."""
        found = self._history.of_row(await self._history.row(caller, message))
        if found.status == "deleted" or not (found.text or found.attachments):
            raise InvalidInput("That message has nothing to forward.", "Choose another.")
        sources = (found.id,) if found.attachments else ()
        draft = Draft(text=found.text, format="plain", attachments=sources)
        return await self._sending.prepare(caller, chat, draft)

    async def _existing(self, caller: Caller, message: str) -> tuple[Message, Chat, Provider]:
        row = await self._history.row(caller, message)
        found = self._history.of_row(row)
        if not found.native_id or found.status == "deleted":
            raise Conflict("That message is not on the messenger.", "It was deleted or not sent.")
        chat = await self._chats.get(caller, found.chat)
        provider = self._instances.provider(row["instance_id"])
        return found, chat, provider

    async def _own(self, caller: Caller, message: str, done: str) -> tuple[Message, Chat, Provider]:
        found, chat, provider = await self._existing(caller, message)
        if found.direction != "out":
            raise Forbidden(f"Only our own messages can be {done}.", "That one is somebody else's.")
        return found, chat, provider

    def _act(
        self,
        caller: Caller,
        action: str,
        message: Message,
        chat: Chat,
        shown: Shown,
        payload: dict[str, Any],
        *,
        asks: bool = False,
    ) -> Act:
        instance = self._instances.by_name(chat.instance)
        verdict = self._chats.access.judge(chat, instance)
        if verdict.refused:
            raise Forbidden(verdict.why, "Only the owner can change that.")
        why = verdict.why if not verdict.allowed else "Deleting for everyone cannot be undone."
        return Act(
            action=action,
            caller=caller,
            shown=shown.model_copy(update={"why": why if asks or not verdict.allowed else ""}),
            payload={**payload, "message": message.id, "ref": ref_of(message).model_dump()},
            instance_id=instance.id,
            instance=instance.name,
            provider=instance.provider,
            chat=chat,
            needs_approval=asks or not verdict.allowed,
            why=why,
        )

    async def _edit(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        async def call(provider: Provider, chat: Chat) -> None:
            if isinstance(provider, Edits):
                text = provider.render(payload["text"])[0]
                await provider.edit(chat.native_id, MessageRef(**payload["ref"]), text)

        def unit(conn: Connection, chat: Row, row: Row) -> None:
            self._leaks.changed(row)
            self._followups.rewrite(conn, chat, row, text=payload["text"], status="edited")

        return await self._change(payload, caller, call, unit)

    async def _delete(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        async def call(provider: Provider, chat: Chat) -> None:
            if isinstance(provider, Deletes):
                await provider.delete(chat.native_id, MessageRef(**payload["ref"]))

        def unit(conn: Connection, chat: Row, row: Row) -> None:
            self._leaks.changed(row)
            self._followups.rewrite(conn, chat, row, text="", status="deleted")

        return await self._change(payload, caller, call if payload["for_everyone"] else None, unit)

    async def _react(
        self, payload: Mapping[str, Any], caller: Caller, _wait_s: float
    ) -> SentMessage:
        async def call(provider: Provider, chat: Chat) -> None:
            if isinstance(provider, Reacts):
                ref = MessageRef(**payload["ref"])
                await provider.react(chat.native_id, ref, payload["emoji"])

        def unit(conn: Connection, _chat: Row, row: Row) -> None:
            stored = messages.message_of(row, "").reactions
            emojis = [payload["emoji"]] if payload["emoji"] else []
            mine = with_those_of("", emojis, stored, is_me=True)
            reactions = dump_json([r.model_dump() for r in mine])
            messages.set_values(conn, row["id"], reactions=reactions)

        return await self._change(payload, caller, call, unit)

    async def _pin(self, payload: Mapping[str, Any], caller: Caller, _wait_s: float) -> SentMessage:
        async def call(provider: Provider, chat: Chat) -> None:
            if isinstance(provider, Pins):
                ref = MessageRef(**payload["ref"])
                await provider.pin(chat.native_id, ref, payload["pinned"])

        def unit(_conn: Connection, _chat: Row, _row: Row) -> None:
            """What is pinned is the messenger's to know."""

        return await self._change(payload, caller, call, unit)

    async def _change(
        self,
        payload: Mapping[str, Any],
        caller: Caller,
        call: Callable[[Provider, Chat], Awaitable[None]] | None,
        unit: Callable[[Connection, Row, Row], None],
    ) -> SentMessage:
        """The platform first, then our copy; after a time-out our copy stays as it was."""
        row = await self._history.row(caller, payload["message"])
        chat = await self._chats.get(caller, self._history.of_row(row).chat)
        if call is not None:
            try:
                with anyio.fail_after(_CALL_DEADLINE_S):
                    await call(self._instances.provider(row["instance_id"]), chat)
            except TimeoutError as exc:
                raise Uncertain("The messenger did not answer in time.") from exc

        def write(conn: Connection) -> None:
            place = one_row(conn, chat_rows.get, chat=row["chat_id"])
            fresh = one_row(conn, messages.get, message=row["id"])
            unit(conn, place, fresh)

        await self._events.write(write)
        changed = self._history.of_row(await self._history.row(OWNER, payload["message"]))
        return SentMessage(
            message=changed.id,
            chat=chat.id,
            outcome=Outcome.ACCEPTED,
            delivery=changed.delivery or "",
        )


def _says_something(emoji: str) -> bool:
    """Whether it is a text: a few of those at a time say anything.

    Digits stand on keycaps, and one emoji (U+2139) is a letter.
    """
    bare = _KEYCAP.sub("", emoji).replace("\u2139", "")
    return emoji.isascii() or any(map(str.isalnum, bare))


def _unsupported(chat: Chat, what: str, instead: str) -> Unsupported:
    return Unsupported(f"{chat.provider} cannot {what}.", instead)
