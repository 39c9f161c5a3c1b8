"""Files: stored once by the hash of their bytes, known to the outside by ids that tell nothing.

A file belongs to a chat. What it is called and what it claims to be are kept as data; its kind and
type come from its bytes, and nothing is unpacked or rendered here.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from functools import partial

import anyio
from sqlalchemy import Connection

from messengers.clock import Clock, to_ms
from messengers.core.access import is_closed
from messengers.core.callers import Caller
from messengers.core.files import Files
from messengers.core.instances import Instances
from messengers.core.pictures import RASTER_MIMES, Looks, for_model, look
from messengers.errors import (
    InvalidInput,
    NotFound,
    Unreachable,
)
from messengers.models import Attachment, Chat, IdKind, MediaKind, Model, decode_id, require_id
from messengers.providers.base import DownloadsMedia, MediaBytes
from messengers.settings import Settings
from messengers.store import Store, chats, messages
from messengers.store import media as rows
from messengers.store.rows import Row, dump_json, first_row, id_of, one_row

__all__ = ["Media", "MediaContent", "plain_file_name", "too_large"]

_MAX_NAME = 120
_DOWNLOAD_DEADLINE_S = 60.0
_NARROWER: Mapping[MediaKind, tuple[MediaKind, ...]] = {
    "audio": ("voice",),
    "image": ("sticker", "gif"),
    "video": ("gif",),
}
"""What a messenger may say of a file beyond what its bytes show."""
_EXTENSIONS = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "application/pdf": ".pdf",
    "audio/ogg": ".ogg",
    "audio/mpeg": ".mp3",
    "video/mp4": ".mp4",
    "text/plain": ".txt",
}


class MediaContent(Model):
    """A file with its bytes."""

    attachment: Attachment
    data: bytes


class Media:
    """Every file that came or leaves."""

    def __init__(
        self, store: Store, clock: Clock, settings: Settings, instances: Instances
    ) -> None:
        self._store = store
        self._instances = instances
        self._clock = clock
        self._settings = settings
        self._files = Files(
            store.media_dir, settings.media_quota_bytes, settings.media_retention_days
        )
        self.max_pixels = settings.image_max_pixels
        self._decoding = anyio.CapacityLimiter(1)  # a decoded picture may take 200 MB

    async def store(self, instance_id: str, chat: str | None, data: bytes, name: str) -> Attachment:
        """Keep a file of a chat (None: of one that is not known yet, see `store.media.bind`).

        Raises:
            InvalidInput: too large, or a picture that is broken or has too many pixels.
        """
        if len(data) > self._settings.media_max_bytes:
            raise too_large(self._settings.media_max_bytes)
        looks = look(data, self.max_pixels)
        return await self._keep(instance_id, chat, data, plain_file_name(name, looks.mime), looks)

    async def expire(self) -> None:
        """Remove the bytes that nobody used for the time that the owner set."""
        await anyio.to_thread.run_sync(self._files.expire, self._clock.now())

    async def _keep(
        self,
        instance_id: str,
        chat: str | None,
        data: bytes,
        name: str,
        looks: Looks,
        *,
        given_again: bool = False,
    ) -> Attachment:
        digest = hashlib.sha256(data).hexdigest()
        write = partial(self._files.write, given_again=given_again)
        await anyio.to_thread.run_sync(write, digest, data, self._clock.now())
        values: dict[str, object] = {
            "instance_id": instance_id,
            "chat_id": require_id(IdKind.CHAT, chat, "chat") if chat else None,
            "sha256": digest,
            "kind": looks.kind,
            "mime": looks.mime,
            "name": name,
            "size_bytes": len(data),
            "width": looks.width,
            "height": looks.height,
            "created_at": to_ms(self._clock.now()),
        }
        key = await self._store.write(lambda conn: rows.add(conn, values))
        # From here on it is somebody's; until then it could be removed as nobody's.
        await anyio.to_thread.run_sync(write, digest, data, self._clock.now())
        return rows.attachment_of({**values, "id": key})

    def attachment(self, conn: Connection, media: str) -> Attachment:
        """The attachment behind a media id, within a unit of work."""
        key = require_id(IdKind.MEDIA, media, "media")
        row = first_row(conn, rows.get, media=key)
        if row is None:
            raise _unknown()
        return rows.attachment_of(row)

    async def describe(self, media: str) -> Attachment:
        """What a stored file is, without its bytes."""
        return rows.attachment_of(await self._row(media))

    async def load(self, media: str) -> MediaBytes:
        """A stored file, ready to be sent."""
        row = await self._row(media)
        found = rows.attachment_of(row)
        return MediaBytes(
            kind=found.kind,
            mime=found.mime,
            name=found.name,
            data=await self._bytes(row),
            media=found.media,
            width=found.width,
            height=found.height,
        )

    async def content(self, caller: Caller, message_id: str, index: int = 0) -> MediaContent:
        """An attachment of a message, pictures in a size for models."""
        row = await self._of_message(caller, message_id, index)
        found, data = rows.attachment_of(row), await self._bytes(row)
        if found.mime in RASTER_MIMES:
            data, mime = await anyio.to_thread.run_sync(
                for_model, data, found.mime, limiter=self._decoding
            )
            found = found.model_copy(update={"mime": mime})
        return MediaContent(attachment=found, data=data)

    async def of_chat(self, instance_id: str, chat: Chat | None, media: str) -> MediaContent:
        """A file as it is, if it belongs to that chat; else the same NotFound as for none.

        Without a chat: a file that belongs to none yet.
        """
        row = await self._row(media)
        place = _chat_key(chat) if chat else None
        if row["instance_id"] != instance_id or row["chat_id"] != place:
            raise _unknown()
        return MediaContent(attachment=rows.attachment_of(row), data=await self._bytes(row))

    async def named(self, caller: Caller, media: str) -> tuple[str, bytes]:
        """Name and bytes of a stored file, if the caller may see its instance."""
        row = await self._row(media)
        if not caller.sees(row["instance_id"]):
            raise _unknown()
        return row["name"], await self._bytes(row)

    async def first_of(self, caller: Caller, message_id: str) -> tuple[str, bytes]:
        """Name and bytes of the first file of a message."""
        row = await self._of_message(caller, message_id, 0)
        return row["name"], await self._bytes(row)

    async def keep(self, chat: Chat, data: bytes, name: str, looks: Looks) -> str:
        """Store what leaves for a chat; returns its media id."""
        place = await self._store.row(chats.get, chat=_chat_key(chat))
        if place is None:
            raise NotFound("No such chat.", "Call list_chats and use the id it gives.")
        kept = await self._keep(place["instance_id"], chat.id, data, name, looks)
        return kept.media

    async def require_whole(self, data: bytes) -> None:
        """Raises InvalidInput when bytes begin as a picture and do not end as one."""
        looks = look(data, self.max_pixels)
        if looks.mime in RASTER_MIMES:
            await anyio.to_thread.run_sync(for_model, data, looks.mime, limiter=self._decoding)

    async def _of_message(self, caller: Caller, message_id: str, index: int) -> Row:
        key = decode_id(IdKind.MESSAGE, message_id.strip())
        row = await self._store.row(messages.get, message=key) if key is not None else None
        if row is None or is_closed(caller, row):
            raise NotFound("No such message.", "Take the id from an answer, e.g. m3k9.")
        files = messages.message_of(row, "").attachments
        if not 0 <= index < len(files):
            raise NotFound(
                "That message has no such file." if files else "That message has no file.",
                f"It has {len(files)}; index counts from 0." if files else "Take another.",
            )
        file = files[index]
        if file.media:
            kept = await self._row(file.media)
            here = await anyio.to_thread.run_sync(self._files.has, kept["sha256"])
            if here or not file.native_ref:
                return kept
        return await self._row(await self._fetched(row, file, index))

    async def _fetched(self, message: Row, file: Attachment, index: int) -> str:
        """Have a file of a message from its messenger and keep it; returns its media id."""
        limit = self._settings.media_max_bytes
        if (file.size_bytes or 0) > limit:
            raise too_large(limit)
        provider = self._instances.provider(message["instance_id"])
        if not file.native_ref or not isinstance(provider, DownloadsMedia):
            raise NotFound("That file is not stored.", "Ask for it to be sent again.")
        try:
            with anyio.fail_after(_DOWNLOAD_DEADLINE_S):
                data = await provider.download(file, limit)
        except TimeoutError as exc:
            raise Unreachable("The messenger did not give the file in time.", "Try again.") from exc
        if len(data) > limit:
            raise too_large(limit)
        looks = look(data, self.max_pixels)
        if file.kind in _NARROWER.get(looks.kind, ()):
            looks = replace(looks, kind=file.kind)
        name = plain_file_name(file.name, looks.mime)
        chat = id_of(IdKind.CHAT, message["chat_id"])
        kept = await self._keep(message["instance_id"], chat, data, name, looks, given_again=True)
        await self._store.write(lambda conn: _point(conn, message["id"], index, kept.media))
        return kept.media

    async def _row(self, media: str) -> Row:
        key = decode_id(IdKind.MEDIA, media)
        row = await self._store.row(rows.get, media=key) if key is not None else None
        if row is None:
            raise _unknown()
        return row

    async def _bytes(self, row: Row) -> bytes:
        return await anyio.to_thread.run_sync(self._files.read, row["sha256"], self._clock.now())


def _point(conn: Connection, message: int, index: int, media: str) -> None:
    """From now on an attachment of a message is a stored file."""
    row = one_row(conn, messages.get, message=message)
    files = list(messages.message_of(row, "").attachments)
    if index < len(files):  # else it was deleted meanwhile
        files[index] = files[index].model_copy(update={"media": media})
        stored = dump_json([file.model_dump() for file in files])
        messages.set_values(conn, message, attachments=stored)


def plain_file_name(name: str, mime: str) -> str:
    """The last part of a name without anything invisible; never used as a path."""
    last = re.split(r"[/\\]", name)[-1]
    kinds = ((char, unicodedata.category(char)[0]) for char in last)
    spaced = (" " if kind == "Z" else char for char, kind in kinds if kind != "C")
    visible = "".join(spaced).strip(" .")
    if not visible:
        return "file" + _EXTENSIONS.get(mime, "")
    return visible[-_MAX_NAME:]


def _chat_key(chat: Chat) -> int:
    return require_id(IdKind.CHAT, chat.id, "chat")


def too_large(max_bytes: int) -> InvalidInput:
    """What is said of a file beyond a limit."""
    return InvalidInput(
        f"The file is larger than {max_bytes / 1_048_576:g} MB.", "Send a smaller one."
    )


def _unknown() -> NotFound:
    return NotFound("No such file.", "Take the id from an answer.")
