"""People who reach us through a page of ours: who they are, what they see, what they may do.

A visitor is whoever holds a random cookie. His id is a keyed hash of it, so that nothing an agent
ever sees leads back to the cookie, and everything here starts from that id: a visitor reaches his
own conversation and no other.
"""

import hashlib
import hmac
import re
import secrets
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, cast

import orjson

from messengers.clock import Clock
from messengers.core.allowance import Allowance
from messengers.core.callers import OWNER
from messengers.core.chats import Chats
from messengers.core.history import History
from messengers.core.instances import Instances
from messengers.core.media import Media, MediaContent
from messengers.core.pictures import RASTER_MIMES, look
from messengers.errors import InvalidInput, NotFound, RateLimited
from messengers.models import Attachment, Chat, IdKind, Instance, Message, decode_id
from messengers.providers.visitors import Front, HostsVisitors, PageFrame, Push
from messengers.store import Store, messages, outbox
from messengers.store import media as files

__all__ = ["HISTORY_PAGE", "Upload", "Visit", "VisitorPage", "Visitors", "new_cookie"]

HISTORY_PAGE = 50
_COOKIE = re.compile(r"[A-Za-z0-9_-]{43}")
_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{8,64}")
_OUR_ID = re.compile(r"o[0-9a-f]{24}")
_MAX_FILES = 6
_MAX_SHOWN = 100
_PAGES_PER_VISITOR = 8
_PAGES_PER_INSTANCE = 1_000


def new_cookie() -> str:
    """32 random bytes, as a cookie's value."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True, slots=True)
class VisitorPage:
    """A page that exists."""

    name: str
    instance_id: str
    front: Front
    max_text: int
    max_image_bytes: int


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that was taken in; `token` lets its own visitor put it into a message."""

    token: str
    attachment: Attachment


@dataclass(frozen=True, slots=True)
class VisitHistory:
    """Messages as page frames, oldest first."""

    messages: tuple[PageFrame, ...]
    cursor: str
    """Leads to older ones; empty at the beginning."""
    seen: str
    """Id of the visitor's newest message that our side read; empty when unknown."""


@dataclass(frozen=True, slots=True)
class _Limits:
    """What one visitor and one page as a whole may do in a time."""

    said: Allowance
    said_everywhere: Allowance
    uploaded: Allowance
    uploaded_everywhere: Allowance
    signalled: Allowance


class Visitors:
    """The pages of all instances that have one."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        instances: Instances,
        chats: Chats,
        history: History,
        media: Media,
    ) -> None:
        self.store = store
        self.chats = chats
        self.history = history
        self._instances = instances
        self._media = media
        self._open: Counter[str] = Counter()
        self.limits = _Limits(
            said=Allowance(clock, 20, 10),
            said_everywhere=Allowance(clock, 400, 10),
            uploaded=Allowance(clock, 12, 60),
            uploaded_everywhere=Allowance(clock, 120, 60),
            signalled=Allowance(clock, 100, 10),
        )

    def page(self, name: str) -> VisitorPage:
        """The page of an instance by its name; NotFound where there is none."""
        instance, provider = self._hosting(name)
        max_text, largest = provider.capabilities().max_text, _largest_image(provider)
        return VisitorPage(instance.name, instance.id, provider.front(), max_text, largest)

    def identify(self, cookie: str) -> str:
        """The visitor id behind a cookie; empty when it is none of ours."""
        if not _COOKIE.fullmatch(cookie):
            return ""
        digest = hmac.digest(self.store.pepper, b"visitor\0" + cookie.encode(), hashlib.sha256)
        return "v" + digest.hex()[:24]

    async def join(self, name: str, visitor: str, push: Push) -> "Visit":
        """Open a page.

        Raises:
            NotConnected: the instance is stopped.
            RateLimited: too many pages are open.
        """
        instance, provider = self._hosting(name)
        self._instances.provider(instance.id)  # NotConnected when it does not run
        mine, all_pages = f"{instance.id} {visitor}", instance.id
        if self._open[mine] >= _PAGES_PER_VISITOR or self._open[all_pages] >= _PAGES_PER_INSTANCE:
            raise RateLimited("Too many pages are open.", "Close one.", retry_after_s=30)
        connection = provider.join(visitor, push)
        self._open.update((mine, all_pages))
        return Visit(self, instance, provider, visitor, connection)

    def left(self, instance: Instance, visitor: str) -> None:
        """A page is gone."""
        for key in (f"{instance.id} {visitor}", instance.id):
            self._open[key] -= 1
            if not self._open[key]:
                del self._open[key]

    async def upload(self, name: str, visitor: str, data: bytes, file_name: str) -> Upload:
        """Take in a picture.

        Raises:
            InvalidInput: it is none, too large, damaged, or has too many pixels.
            RateLimited: too many in a short time.
        """
        instance, provider = self._hosting(name)
        _spend(self.limits.uploaded, f"{instance.id} {visitor}")
        _spend(self.limits.uploaded_everywhere, instance.id)
        largest = _largest_image(provider)
        if len(data) > largest:
            megabytes = largest / 1_048_576
            raise InvalidInput(f"The picture is larger than {megabytes:g} MB.", "Scale it down.")
        if look(data, self._media.max_pixels).mime not in RASTER_MIMES:
            raise InvalidInput("That is no picture.", "Choose a PNG, JPEG, WebP or GIF.")
        chat = await self.chats.get_by_native(instance.id, visitor)
        kept = await self._media.store(instance.id, chat.id if chat else None, data, file_name)
        token = self.store.cursors.encode(_upload_scope(instance, visitor), (kept.media,))
        return Upload(token, kept)

    async def media(self, name: str, visitor: str, media: str) -> MediaContent:
        """A picture of the visitor's own conversation; NotFound for every other."""
        instance, provider = self._hosting(name)
        if _is_fresh(provider.recent(visitor), media):
            # His page shows the message already, and the inbox gives the file to his chat soon.
            with suppress(NotFound):
                return await self._media.of_chat(instance.id, None, media)
        chat = await self.chats.get_by_native(instance.id, visitor)
        if chat is None:
            raise NotFound("No such file.")
        return await self._media.of_chat(instance.id, chat, media)

    async def uploaded(self, instance: Instance, visitor: str, token: str) -> Attachment:
        """The picture behind an upload's token."""
        try:
            position = self.store.cursors.decode(_upload_scope(instance, visitor), token)
        except InvalidInput as exc:
            raise InvalidInput("The picture was not uploaded here.", "Add it again.") from exc
        key = decode_id(IdKind.MEDIA, str(position[0]))
        row = await self.store.row(files.get, media=key)
        if row is None or row["mime"] not in RASTER_MIMES:
            raise InvalidInput("The picture is gone.", "Add it again.")
        return files.attachment_of(row)

    def _hosting(self, name: str) -> tuple[Instance, HostsVisitors]:
        instance = self._instances.resolve(OWNER, name)
        provider = self._instances.provider_for_parsing(instance.id)
        if instance.name != name or not isinstance(provider, HostsVisitors):
            raise _no_page()
        return instance, provider


class Visit:
    """One open page of one visitor."""

    def __init__(
        self,
        visitors: Visitors,
        instance: Instance,
        provider: HostsVisitors,
        visitor: str,
        connection: str,
    ) -> None:
        self._visitors = visitors
        self._instance = instance
        self._provider = provider
        self._visitor = visitor
        self._connection = connection

    def leave(self) -> None:
        """The page closed."""
        self._provider.leave(self._visitor, self._connection)
        self._visitors.left(self._instance, self._visitor)

    async def history(self, cursor: str = "") -> VisitHistory:
        """The newest messages, or older ones; what left in this moment included."""
        chat = await self._visitors.chats.get_by_native(self._instance.id, self._visitor)
        recent = () if cursor else tuple(self._provider.recent(self._visitor))[-HISTORY_PAGE:]
        if chat is None:
            return VisitHistory(recent, "", "")
        page = await self._visitors.history.read(OWNER, chat, HISTORY_PAGE, cursor=cursor)
        # What has no native id is on its way, or was refused: the visitor never got it.
        shown = [message for message in page.items if message.native_id]
        texts = await self._dialect(shown)
        frames = [await self._frame(message, texts) for message in shown]
        frames = _merged(frames, recent)
        seen = "" if cursor else _seen(chat, shown)
        return VisitHistory(tuple(frames), page.cursor, seen)

    async def say(self, text: str, tokens: Sequence[str], client_id: str, name: str) -> bool:
        """A message of the visitor; False when it was stored before.

        Raises:
            InvalidInput: it is empty, too long, or names what it may not.
            RateLimited: too many in a short time.
            NotConnected: the instance stopped.
        """
        if not _CLIENT_ID.fullmatch(client_id):
            raise InvalidInput("client_id must be 8 to 64 letters, digits, - or _.")
        if len(tokens) > _MAX_FILES:
            raise InvalidInput(f"At most {_MAX_FILES} pictures.", "Send the others after.")
        _spend(self._visitors.limits.said, self._key)
        _spend(self._visitors.limits.said_everywhere, self._instance.id)
        media = [
            await self._visitors.uploaded(self._instance, self._visitor, token) for token in tokens
        ]
        return await self._provider.receive(self._visitor, text, media, client_id, name)

    async def rename(self, name: str) -> None:
        """The visitor gave himself a name."""
        _spend(self._visitors.limits.said, self._key)
        await self._provider.rename(self._visitor, name)

    async def shown(self, ids: Sequence[str], state: Literal["delivered", "read"]) -> None:
        """The page showed messages of ours."""
        _spend(self._visitors.limits.signalled, self._key)
        if len(ids) > _MAX_SHOWN or not all(_OUR_ID.fullmatch(native) for native in ids):
            raise InvalidInput("Those are no ids of ours.")
        if ids:
            await self._provider.shown(self._visitor, ids, state)

    def typed(self, *, active: bool) -> None:
        """The visitor is writing, or stopped."""
        _spend(self._visitors.limits.signalled, self._key)
        self._provider.typed(self._visitor, active)

    @property
    def _key(self) -> str:
        return f"{self._instance.id} {self._visitor}"

    async def _dialect(self, shown: Sequence[Message]) -> dict[str, str]:
        """Text as it left, by message id: a plain text was escaped on its way."""
        keys = [decode_id(IdKind.MESSAGE, m.id) for m in shown if m.direction == "out"]
        if not keys:
            return {}
        found = await self._visitors.store.rows(outbox.of_messages, messages=keys)
        left = {row["message_id"]: str(orjson.loads(row["payload"])["text"]) for row in found}
        return {m.id: left.get(decode_id(IdKind.MESSAGE, m.id), m.text) for m in shown}

    async def _frame(self, message: Message, texts: dict[str, str]) -> PageFrame:
        at = message.sent_at or message.received_at
        text = texts.get(message.id, message.text)
        return {
            "type": "message",
            "id": message.native_id,
            "mine": message.direction == "in",
            "text": text if message.status == "active" else message.text,
            "at": at.isoformat(timespec="milliseconds"),
            "media": [file.model_dump(mode="json") for file in message.attachments if file.media],
            "reply_to": await self._quoted(message.reply_to),
            "status": message.status,
            "reactions": [reaction.emoji for reaction in message.reactions],
            "delivery": message.delivery or "",
        }

    async def _quoted(self, reply_to: str) -> str:
        """The native id of a quoted message: ours mean nothing outside."""
        key = decode_id(IdKind.MESSAGE, reply_to) if reply_to else None
        if key is None:
            return reply_to
        row = await self._visitors.store.row(messages.get, message=key)
        return str(row["native_id"] or "") if row else ""


def _merged(stored: list[PageFrame], recent: Sequence[PageFrame]) -> list[PageFrame]:
    """What is stored, and between it what is so recent that it is not listed yet."""
    known = {frame["id"] for frame in stored}
    since = str(stored[0]["at"]) if stored else ""
    fresh = [f for f in recent if f["id"] not in known and str(f["at"]) >= since]
    return sorted([*stored, *fresh], key=lambda frame: str(frame["at"]))


def _largest_image(provider: HostsVisitors) -> int:
    """0 where a page takes none."""
    return max(
        (m.max_bytes for k, m in provider.capabilities().media.items() if k == "image"), default=0
    )


def _is_fresh(recent: Sequence[PageFrame], media: str) -> bool:
    files = [file for frame in recent for file in cast("list[dict[str, str]]", frame["media"])]
    return any(file["media"] == media for file in files)


def _seen(chat: Chat, shown: Sequence[Message]) -> str:
    theirs = [message.native_id for message in shown if message.direction == "in"]
    read = theirs[: max(len(theirs) - chat.unread, 0)]
    return read[-1] if read else ""


def _spend(allowance: Allowance, key: str) -> None:
    wait_s = allowance.take(key)
    if wait_s:
        raise RateLimited("That was too fast.", "Try again shortly.", retry_after_s=wait_s)


def _upload_scope(instance: Instance, visitor: str) -> str:
    return f"upload {instance.id} {visitor}"


def _no_page() -> NotFound:
    return NotFound("There is no chat page of that name.", "Ask the owner for the address.")
