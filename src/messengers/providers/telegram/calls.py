"""Calls of one running bot: at Telegram's pace, its refusals in our words, second choices told."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from aiogram.methods import SendMessage, SendPoll, TelegramMethod

from messengers.clock import Clock
from messengers.errors import PlatformRefused, Uncertain
from messengers.providers.base import Part, Sent
from messengers.providers.telegram.failures import told
from messengers.providers.telegram.formatting import plain
from messengers.providers.telegram.notices import time_of
from messengers.providers.telegram.outgoing import as_document, method_of
from messengers.providers.telegram.pace import Pace
from messengers.providers.telegram.people import Json
from messengers.providers.telegram.places import Place, message_native, message_number
from messengers.providers.telegram.wire import Refused, Wire

__all__ = ["Calls", "Delivered"]

_SEND_S = 55.0
"""Below the outbox's own deadline: an upload of 50 MB takes its time."""
_NO_PHOTO = ("photo_", "image_process_failed", "wrong type", "failed to get http")


@dataclass(frozen=True, slots=True)
class Delivered:
    """A message as Telegram answered it."""

    message: Json
    notes: tuple[str, ...]
    answered_at: datetime
    more: tuple[Json, ...] = ()
    """Of an album, its other files' messages."""

    @property
    def sent(self) -> Sent:
        """In the words of the contract. Raises Uncertain where the answer tells no id."""
        try:
            first, *more = [
                message_native(each["chat"]["id"], each["message_id"])
                for each in (self.message, *self.more)
            ]
        except (KeyError, TypeError) as exc:
            raise Uncertain("Telegram took it and told no id.", "Look before repeating.") from exc
        return Sent(first, self._at, notes=self.notes, more_ids=tuple(more))

    @property
    def _at(self) -> datetime:
        """The time it tells, if that is one."""
        try:
            return time_of(self.message["date"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return self.answered_at


class Calls:
    """What a bot asks of Telegram while it runs."""

    def __init__(self, wire: Wire, pace: Pace, clock: Clock) -> None:
        self._wire = wire
        self._pace = pace
        self._clock = clock

    async def ask(self, method: TelegramMethod[Any], *, chat: int = 0, changes: bool = True) -> Any:  # noqa: ANN401 - any JSON
        """The result of one call, or its failure in the product's words."""
        with told(changes=changes):
            return await self.tried(method, chat=chat)

    async def tried(
        self, method: TelegramMethod[Any], *, chat: int = 0, deadline_s: float | None = None
    ) -> Any:  # noqa: ANN401 - any JSON
        """The result of one call. Raises what the wire raises, and RateLimited before it asks."""
        self._pace.require(chat)
        try:
            if deadline_s is None:
                return await self._wire.ask(method)
            return await self._wire.ask(method, deadline_s)
        except Refused as exc:
            if exc.status == 429:
                self._pace.later(chat, exc.retry_after_s)
            raise

    async def known(self, method: TelegramMethod[Any]) -> Json | None:
        """The result of a question; None where Telegram knows no such thing."""
        with told(changes=False):
            try:
                return await self.tried(method)
            except Refused as exc:
                if exc.status == 400:
                    return None
                raise

    async def file(self, path: str, max_bytes: int) -> bytes:
        """The bytes of a file that getFile named."""
        with told(changes=False):
            try:
                return await self._wire.file(path, max_bytes, _SEND_S)
            except Refused as exc:
                if exc.status == 404:
                    what = "Telegram has that file no longer."
                    raise PlatformRefused(what, "Ask for it to be sent again.") from exc
                raise

    async def deliver(self, place: Place, part: Part, *, previews: bool) -> Delivered:
        """Send a part; where Telegram does not take it as it is, in the next best way.

        Only after a refusal is anything tried again: then nothing was sent.
        """
        notes: list[str] = []
        reply_to = 0
        if part.reply_to is not None:
            try:
                reply_to = message_number(place, part.reply_to.native_id)
            except PlatformRefused as exc:
                notes.append(f"Sent without its quotation. {exc.cause}")
        method = method_of(place, part, previews=previews, reply_to=reply_to)
        with told(changes=True):
            for _ in range(3):
                try:
                    answer = await self.tried(method, chat=place.chat_id, deadline_s=_SEND_S)
                except Refused as exc:
                    if exc.migrated_to:
                        place, reply_to = replace(place, chat_id=exc.migrated_to), 0
                        method = method_of(place, part, previews=previews)
                        continue
                    method, note = _second_choice(place, part, exc, method, reply_to)
                    notes.append(note)
                else:
                    message, *more = answer if part.more else [answer]
                    return Delivered(message, tuple(notes), self._clock.now(), tuple(more))
            raise Refused(400, "Bad Request: no way of sending it was taken")


def _second_choice(
    place: Place, part: Part, exc: Refused, method: TelegramMethod[Any], reply_to: int
) -> tuple[TelegramMethod[Any], str]:
    """Another call for what was refused, and what to tell of it; raises `exc` without any."""
    why = exc.why.lower() if exc.status == 400 else ""
    if "can't parse entities" in why and isinstance(method, SendMessage):
        text = plain(part.text)
        return method.model_copy(update={"text": text, "parse_mode": None}), (
            "Sent without formatting: Telegram did not take it."
        )
    pictures = any(file.kind == "image" for file in (part.media, *part.more) if file)
    if pictures and _says(why, _NO_PHOTO):
        return as_document(place, part, reply_to=reply_to), (
            "Sent as a file: Telegram does not take it as a photo."
        )
    if "non-anonymous polls" in why and isinstance(method, SendPoll):
        return method.model_copy(update={"is_anonymous": True}), (
            "Voters stay unknown: a channel has no other polls."
        )
    raise exc


def _says(why: str, parts: Sequence[str]) -> bool:
    return any(part in why for part in parts)
