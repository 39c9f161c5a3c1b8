"""Attachments and the CDN they are fetched from."""

import hashlib
import struct
from dataclasses import dataclass, field
from urllib.parse import quote

from tests.fakes.discord.people import Json
from tests.fakes.discord.snowflakes import Clock

__all__ = ["Attachment", "Library", "kind_of"]

_LINK_LIFE_S = 24 * 3600
_PNG = b"\x89PNG\r\n\x1a\n"
_KINDS = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "gif": "image/gif",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "mp3": "audio/mpeg",
    "ogg": "audio/ogg",
    "txt": "text/plain; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "pdf": "application/pdf",
    "html": "text/html; charset=utf-8",
    "svg": "image/svg+xml",
}


def kind_of(name: str) -> str | None:
    """What the server makes of a file's name."""
    return _KINDS.get(name.rpartition(".")[2].lower())


@dataclass(eq=False)
class Attachment:
    id: int
    channel_id: int
    filename: str
    data: bytes = field(repr=False)
    mime: str | None = None
    description: str | None = None
    title: str | None = None
    duration_s: float | None = None
    waveform: str | None = None
    claimed_bytes: int | None = None
    """The size it says it has."""

    @property
    def size(self) -> int:
        return len(self.data) if self.claimed_bytes is None else self.claimed_bytes

    def json(self, library: "Library") -> Json:
        url = library.link(self)
        found: Json = {
            "id": str(self.id),
            "filename": self.filename,
            "size": self.size,
            "url": url,
            "proxy_url": url,
            "content_type": self.mime,
            "description": self.description,
            "title": self.title,
            "duration_secs": self.duration_s,
            "waveform": self.waveform,
            **self._shape(),
        }
        return {name: value for name, value in found.items() if value is not None}

    def _shape(self) -> Json:
        if not self.data.startswith(_PNG):
            return {}
        width, height = struct.unpack(">II", self.data[16:24])
        return {"width": width, "height": height}


class Library:
    """Links are signed and end after a day, as on the real CDN."""

    def __init__(self, clock: Clock) -> None:
        self.base_url = ""
        self.files: dict[int, Attachment] = {}
        self._clock = clock

    def add(self, attachment: Attachment) -> Attachment:
        self.files[attachment.id] = attachment
        return attachment

    def link(self, file: Attachment) -> str:
        issued = int(self._clock.now())
        until = issued + _LINK_LIFE_S
        query = f"ex={until:x}&is={issued:x}&hm={_signature(file.id, until)}"
        place = f"attachments/{file.channel_id}/{file.id}/{quote(file.filename)}"
        return f"{self.base_url}/{place}?{query}&"

    def at(self, id: int, until: str, signature: str) -> Attachment | None:
        """None too for a link that has ended or was made up."""
        try:
            ends = int(until, 16)
        except ValueError:
            return None
        if ends < self._clock.now() or signature != _signature(id, ends):
            return None
        return self.files.get(id)


def _signature(id: int, until: int) -> str:
    return hashlib.sha256(f"{id} {until}".encode()).hexdigest()
