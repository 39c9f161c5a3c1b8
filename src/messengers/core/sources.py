"""What a caller attaches: resolved to bytes, checked against what the messenger takes, stored.

Fetching an address tells its host something, so an address that an agent composed is a way out by
itself: before anything of it is looked up the owner is asked, unless somebody sent him exactly this
address in a chat that he knows, or its host is one that he named.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from urllib.parse import unquote

import anyio

from messengers.core.callers import Caller
from messengers.core.chats import Chats
from messengers.core.instances import Instances
from messengers.core.media import Media, plain_file_name, too_large
from messengers.core.pictures import Looks, look
from messengers.core.rooted import read_rooted
from messengers.errors import Forbidden, InvalidInput, Unsupported
from messengers.guarded import AllowedHosts, Guard, Reply
from messengers.models import Chat, Draft, IdKind, Instance, MediaKind, decode_id
from messengers.providers.base import MediaBytes
from messengers.providers.capabilities import Capabilities
from messengers.settings import Settings
from messengers.store import Store, messages, search
from messengers.store.rows import Row, id_of
from messengers.urls import SafeUrl

__all__ = ["Sources"]

_SCHEME = re.compile(r"([a-zA-Z][a-zA-Z0-9+.-]*):")
_DATA_URI = re.compile(r"data:([\w.+-]+/[\w.+-]+)?(?:;[\w-]+=[\w.-]+)*;base64,", re.ASCII)
_LINK = re.compile(r"https?://[^\s<>\"'`]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}*_"
"""What stands after an address in a sentence and is rarely its own."""
_MAX_SEARCHED = 800
_MAX_MENTIONS = 200
_FAMILIES = frozenset({"image", "audio", "video"})
_SUFFIX_FAMILIES: Mapping[str, str] = {
    ".png": "image", ".jpg": "image", ".jpeg": "image", ".webp": "image", ".gif": "image",
    ".mp3": "audio", ".ogg": "audio", ".wav": "audio", ".mp4": "video", ".webm": "video",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Found:
    name: str
    data: bytes
    family: str = ""
    """What it is claimed to be: `image`, …; empty when nothing is claimed."""


class Sources:
    """Message ids, media ids, `data:` URIs, paths and addresses."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        guard: Guard,
        instances: Instances,
        chats: Chats,
        media: Media,
    ) -> None:
        self._store = store
        self._settings = settings
        self._guard = guard
        self._instances = instances
        self._chats = chats
        self._media = media
        self._free = AllowedHosts(settings.attachment_hosts)

    async def outgoing(
        self,
        caller: Caller,
        source: str,
        chat: Chat,
        capabilities: Capabilities,
        kind: MediaKind | None = None,
    ) -> MediaBytes:
        """A source that is at hand, checked and stored as a file of the chat.

        `source` is a message id (its first file), a media id, a base64 `data:` URI, or for callers
        on this machine a path under a media root; no address. `kind` is what it leaves as, where
        its bytes alone would not say.
        """
        largest = self._largest(capabilities)
        found = await self._resolve(caller, source, largest)
        return await self._checked(found, chat, capabilities, kind)

    async def fetched(
        self,
        url: SafeUrl,
        chat: Chat,
        capabilities: Capabilities,
        kind: MediaKind | None = None,
    ) -> MediaBytes:
        """What stands at an address that may be fetched, checked and stored the same way."""
        within = self._free if self._free.holds(url.host, url.port) else None
        largest = self._largest(capabilities)
        reply = await self._guard.fetch(url, max_bytes=largest, within=within)
        found = _Found(_name_of(reply.url), reply.body, _family_of(reply))
        await self._media.require_whole(found.data)
        return await self._checked(found, chat, capabilities, kind)

    def address(self, source: str) -> SafeUrl | None:
        """The address that a source is, if it is one. Raises InvalidInput: not one of the web."""
        scheme = _SCHEME.match(source)
        if scheme is None or scheme[1].lower() not in ("http", "https"):
            return None
        return SafeUrl.parse(source)

    def is_path(self, source: str) -> bool:
        """Whether a source is a file under a media root: put there by the owner to be sent."""
        ids = (IdKind.MEDIA, IdKind.MESSAGE)
        return not _SCHEME.match(source) and all(decode_id(kind, source) is None for kind in ids)

    def named(self, draft: Draft) -> Sequence[str]:
        """The addresses and paths that a draft attaches: words in them are told, too."""
        return [
            source
            for source in (draft.sticker, *draft.attachments)
            if self.is_path(source) or source[:4].lower() == "http"
        ]

    async def may_fetch(self, caller: Caller, source: str, instance: Instance) -> bool:
        """Whether an address is fetched for a message of this instance without asking."""
        url = SafeUrl.parse(source)
        if instance.confirm == "never" or self._free.holds(url.host, url.port):
            return True
        match = search.match(f'"{source[:_MAX_SEARCHED]}"', None, None)
        if match is None or await self._mentions(match, me=True):
            # What we wrote an agent may have composed, and another account of ours have received.
            return False
        rows = [row for row in await self._mentions(match) if url in _links(row["text"])]
        chats = await self._chats.many(caller, {id_of(IdKind.CHAT, row["chat_id"]) for row in rows})
        return any(
            chat.decision != "never"
            and self._chats.access.owner_knows(chat, self._instances.by_name(chat.instance))
            for chat in chats
        )

    async def _mentions(self, match: str, *, me: bool = False) -> Sequence[Row]:
        """The newest messages with the words of an address."""
        stmt = messages.found(
            sender=False, me=me, media=False, since=False, until=False, older=False
        )
        return await self._store.rows(stmt, match=match, limit=_MAX_MENTIONS)

    def _largest(self, capabilities: Capabilities) -> int:
        if not capabilities.media:
            raise Unsupported("This messenger takes no attachments.", "Send text.")
        largest = max(limit.max_bytes for limit in capabilities.media.values())
        return min(largest, self._settings.media_max_bytes)

    async def _checked(
        self, found: _Found, chat: Chat, capabilities: Capabilities, kind: MediaKind | None
    ) -> MediaBytes:
        looks = look(found.data, self._settings.image_max_pixels)
        looks = replace(looks, kind=kind or looks.kind)
        if found.family and not looks.mime.startswith(f"{found.family}/"):
            raise InvalidInput("The attachment is not what its type says.", "Send the real file.")
        _check_limits(looks, len(found.data), capabilities)
        name = plain_file_name(found.name, looks.mime)
        media = await self._media.keep(chat, found.data, name, looks)
        return MediaBytes(
            looks.kind, looks.mime, name, found.data, media, looks.width, looks.height
        )

    async def _resolve(self, caller: Caller, source: str, largest: int) -> _Found:
        if decode_id(IdKind.MEDIA, source) is not None:
            return _Found(*await self._media.named(caller, source))
        if decode_id(IdKind.MESSAGE, source) is not None:
            return _Found(*await self._media.first_of(caller, source))
        scheme = _SCHEME.match(source)
        if scheme and scheme[1].lower() == "data":
            return _decode(source, largest)
        if scheme:
            raise InvalidInput(
                "That is nothing to attach.",
                "Give a message id with a file, a media id or a base64 data: URI.",
            )
        if not caller.local:
            raise Forbidden(
                "Only a client on this machine may name files.",
                "Give a message id with a file, a media id or a base64 data: URI.",
            )
        data = await anyio.to_thread.run_sync(
            read_rooted, source, self._settings.media_roots, largest
        )
        path = PurePosixPath(source)
        return _Found(path.name, data, _SUFFIX_FAMILIES.get(path.suffix.lower(), ""))


def _links(text: str) -> set[SafeUrl]:
    """Every address that a text names, as whole as it stands there."""
    found: set[SafeUrl] = set()
    for link in _LINK.findall(text):
        for spelling in (link, link.rstrip(_TRAILING)):
            try:
                found.add(SafeUrl.parse(spelling))
            except InvalidInput:
                continue
    return found


def _name_of(url: SafeUrl) -> str:
    return unquote(url.target.partition("?")[0].rpartition("/")[2], errors="replace")


def _family_of(reply: Reply) -> str:
    """By the type that came with it, else by the end of its name."""
    told = reply.headers.get("content-type", "").strip().lower().partition("/")[0]
    suffix = PurePosixPath(_name_of(reply.url)).suffix.lower()
    return told if told in _FAMILIES else _SUFFIX_FAMILIES.get(suffix, "")


def _decode(source: str, largest: int) -> _Found:
    """The bytes of a `data:` URI, measured before they are decoded."""
    head = _DATA_URI.match(source[:300])
    if head is None:
        raise InvalidInput(
            "The data: URI is not in base64.", "Write data:image/png;base64, and the bytes."
        )
    if len(source) - head.end() > (largest + 2) // 3 * 4:
        raise too_large(largest)
    try:
        data = base64.b64decode(source[head.end() :], validate=True)
    except (binascii.Error, ValueError) as exc:
        raise InvalidInput("The data: URI's base64 is broken.", "Encode the file again.") from exc
    family = (head[1] or "").partition("/")[0].lower()
    return _Found("", data, family if family in _FAMILIES else "")


def _check_limits(looks: Looks, size_bytes: int, capabilities: Capabilities) -> None:
    limit = capabilities.media.get(looks.kind)
    if limit is None or looks.mime not in limit.mimes:
        # What leaves as a sticker has to be what stickers are, whatever else would be taken.
        chosen = [limit] if limit and looks.kind == "sticker" else capabilities.media.values()
        takes = sorted({mime for each in chosen for mime in each.mimes})
        raise Unsupported(
            "This messenger does not take that type of file.", f"It takes {', '.join(takes)}."
        )
    if size_bytes > limit.max_bytes:
        raise too_large(limit.max_bytes)
