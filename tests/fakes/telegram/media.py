"""What a message with a file tells: the same for people and for bots."""

import gzip
import mimetypes
from dataclasses import dataclass, field

from tests.fakes.telegram.files import MB, File, Library, measured, picture
from tests.fakes.telegram.people import Json, present
from tests.fakes.telegram.refusal import Refused

__all__ = ["CAPTIONED", "SAMPLES", "Material", "check_size", "medium"]

PHOTO_MAX_BYTES = 10 * MB
UPLOAD_MAX_BYTES = 50 * MB
CAPTIONED = frozenset({"photo", "video", "animation", "audio", "document", "voice"})
_MP4 = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(64)
# What a person sends when the test does not say.
SAMPLES = {
    "photo": picture(),
    "video": _MP4,
    "animation": _MP4,
    "video_note": _MP4,
    "audio": b"ID3\x04\x00\x00\x00\x00\x00\x00" + bytes(64),
    "voice": b"OggS\x00\x02" + bytes(64),
    "document": b"%PDF-1.4\n%%EOF\n",
    "sticker": picture(512, 512, format="WEBP"),
}
ANIMATED_STICKER = gzip.compress(b'{"v":"5.5.2","fr":60,"ip":0,"op":60,"w":512,"h":512}', mtime=0)
VIDEO_STICKER = b"\x1a\x45\xdf\xa3\x9fB\x86\x81\x01" + bytes(64)
_MIMES = {
    "voice": "audio/ogg",
    "audio": "audio/mpeg",
    "video": "video/mp4",
    "animation": "video/mp4",
}


@dataclass(frozen=True)
class Material:
    """A file before it is a message."""

    data: bytes = field(repr=False)
    name: str = ""
    mime: str = ""
    size: int | None = None
    """What it claims to be, where nobody made so many bytes."""
    about: Json = field(default_factory=dict[str, object])
    """Whatever else its kind tells: duration, width, performer, emoji …"""


def medium(library: Library, kind: str, material: Material) -> Json:
    """The content of a message; its first field is `kind`."""
    build = _BUILDERS[kind]
    content = build(library, material)
    for file_id in _ids(content[kind]):
        library.get(file_id).content = content
    return content


def _ids(described: Json | list[Json]) -> list[str]:
    sizes = described if isinstance(described, list) else [described]
    return [str(each["file_id"]) for each in sizes]


def _add(library: Library, kind: str, material: Material) -> File:
    guess = mimetypes.guess_type(material.name)[0] or "application/octet-stream"
    mime = material.mime or _MIMES.get(kind) or guess
    return library.add(kind, material.data, name=material.name, mime=mime, size=material.size)


def _about(material: Material, **defaults: object) -> Json:
    """What its kind always tells, and of the rest what was said."""
    return {**defaults, **material.about}


def _photo(library: Library, material: Material) -> Json:
    width, height = measured(material.data)
    small = min(1.0, 90 / max(width, height))
    little = library.add("photo", material.data)
    full = library.add("photo", material.data, size=material.size)
    sizes = [(little, round(width * small) or 1, round(height * small) or 1), (full, width, height)]
    return {"photo": [{**file.json(), "width": w, "height": h} for file, w, h in sizes]}


def _thumbnail(library: Library) -> Json:
    data = picture(64, 48)
    return {**library.add("thumbnail", data).json(), "width": 64, "height": 48}


def _video(library: Library, material: Material) -> Json:
    file = _add(library, "video", material)
    about = _about(material, width=640, height=360, duration=2, thumbnail=_thumbnail(library))
    return {"video": {**file.named(), **about}}


def _animation(library: Library, material: Material) -> Json:
    file = _add(library, "animation", material)
    about = _about(material, width=320, height=240, duration=1, thumbnail=_thumbnail(library))
    return {"animation": {**file.named(), **about}, "document": file.named()}


def _audio(library: Library, material: Material) -> Json:
    file = _add(library, "audio", material)
    return {"audio": {**file.named(), **_about(material, duration=3)}}


def _voice(library: Library, material: Material) -> Json:
    file = _add(library, "voice", material)
    return {"voice": {**file.json(), "mime_type": file.mime, **_about(material, duration=3)}}


def _video_note(library: Library, material: Material) -> Json:
    file = _add(library, "video_note", material)
    about = _about(material, length=240, duration=2, thumbnail=_thumbnail(library))
    return {"video_note": {**file.json(), **about}}


def _document(library: Library, material: Material) -> Json:
    file = _add(library, "document", material)
    return {"document": {**file.named(), **_about(material)}}


def _sticker(library: Library, material: Material) -> Json:
    animated, video = material.data[:2] == b"\x1f\x8b", material.data[:4] == b"\x1a\x45\xdf\xa3"
    if not animated and not video:
        measured(material.data)
    file = library.add("sticker", material.data, size=material.size)
    about = _about(
        material,
        type="regular",
        width=512,
        height=512,
        is_animated=animated,
        is_video=video,
        **present(thumbnail=None if animated else _thumbnail(library)),
    )
    return {"sticker": {**file.json(), **about}}


_BUILDERS = {
    "photo": _photo,
    "video": _video,
    "animation": _animation,
    "audio": _audio,
    "voice": _voice,
    "video_note": _video_note,
    "document": _document,
    "sticker": _sticker,
}


def check_size(kind: str, size: int, *, local: bool) -> None:
    """What may be uploaded; a self-hosted server takes 2000 MB."""
    if size == 0:
        raise Refused(400, "file must be non-empty")
    if size > (2000 * MB if local else UPLOAD_MAX_BYTES):
        raise Refused(413)
    if kind == "photo" and size > PHOTO_MAX_BYTES:
        text = f"file of size {size} bytes is too big for a photo"
        raise Refused(400, f"{text}; the maximum size is {PHOTO_MAX_BYTES} bytes")
