"""What a file is, by its own first bytes, and a picture as a model wants it.

Names and declared types are other people's words. A picture's dimensions are read from its header
before anything decodes it; archives are bytes and are never opened.
"""

import struct
import warnings
from dataclasses import dataclass
from io import BytesIO

from PIL import Image, ImageOps

from messengers.errors import InvalidInput
from messengers.models import MediaKind

__all__ = ["MODEL_SIDE", "RASTER_MIMES", "Looks", "for_model", "look"]

# Pillow only warns about a picture that is somewhat too big; here that is an error like the rest.
warnings.filterwarnings("error", category=Image.DecompressionBombWarning)

MODEL_SIDE = 1568
"""Pixels of the longer side beyond which vision models scale down themselves."""
_MODEL_BYTES = 3_500_000
"""Below the 5 MB that model APIs take, after base64."""
_FORMATS = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
RASTER_MIMES = frozenset(_FORMATS.values())
_RASTER_MARKS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a")
_MARKS: tuple[tuple[bytes, MediaKind, str], ...] = (
    (b"%PDF-", "document", "application/pdf"),
    (b"OggS", "audio", "audio/ogg"),
    (b"ID3", "audio", "audio/mpeg"),
    (b"\xff\xfb", "audio", "audio/mpeg"),
    (b"fLaC", "audio", "audio/flac"),
    (b"\x1aE\xdf\xa3", "video", "video/webm"),
    (b"PK\x03\x04", "document", "application/zip"),
    (b"\x1f\x8b", "document", "application/gzip"),
)
_DAMAGED = "That picture is damaged."


@dataclass(frozen=True, slots=True)
class Looks:
    """What the bytes say about themselves."""

    kind: MediaKind
    mime: str
    width: int | None = None
    height: int | None = None


def look(data: bytes, max_pixels: int) -> Looks:
    """The kind and type of a file.

    Raises:
        InvalidInput: it is empty, a broken picture, or one of more than `max_pixels`.
    """
    if not data:
        raise InvalidInput("The file is empty.", "Choose another.")
    if data.startswith(_RASTER_MARKS) or _is_riff(data, b"WEBP"):
        return _picture(data, max_pixels)
    for mark, kind, mime in _MARKS:
        if data.startswith(mark):
            return Looks(kind, mime)
    if _is_riff(data, b"WAVE"):
        return Looks("audio", "audio/wav")
    if data[4:8] == b"ftyp":
        return _iso_media(data[8:12])
    return _text_or_bytes(data)


def for_model(data: bytes, mime: str) -> tuple[bytes, str]:
    """A stored picture in a size that is worth a model's tokens, upright, with its type.

    Decodes, so it belongs in a thread. InvalidInput when it cannot be decoded: a damaged picture
    would end the model's turn with an error.
    """
    try:
        with Image.open(BytesIO(data), formats=tuple(_FORMATS)) as image:
            image.draft("RGB", (MODEL_SIDE, MODEL_SIDE))  # a JPEG then shrinks while it decodes
            image.load()
            if max(image.size) <= MODEL_SIDE and len(data) <= _MODEL_BYTES:
                return data, mime
            return _scaled(image)
    except (OSError, ValueError, SyntaxError, struct.error, Image.DecompressionBombError) as exc:
        raise InvalidInput(_DAMAGED, "Ask for another.") from exc


def _scaled(image: Image.Image) -> tuple[bytes, str]:
    upright = ImageOps.exif_transpose(image)
    has_alpha = "A" in upright.getbands() or "transparency" in upright.info
    small = upright.convert("RGBA" if has_alpha else "RGB")
    small.thumbnail((MODEL_SIDE, MODEL_SIDE))
    out = BytesIO()
    if has_alpha:
        small.save(out, "PNG")
        return out.getvalue(), "image/png"
    small.save(out, "JPEG", quality=85)
    return out.getvalue(), "image/jpeg"


def _picture(data: bytes, max_pixels: int) -> Looks:
    size = _webp_size(data) if data.startswith(b"RIFF") else None
    if size is not None:
        # Pillow's WebP reader takes memory for the whole canvas when it opens: look first.
        _check_pixels(size, max_pixels)
    try:
        with Image.open(BytesIO(data), formats=tuple(_FORMATS)) as image:
            size, mime = image.size, _FORMATS[image.format or ""]
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as exc:
        raise _too_large(max_pixels) from exc
    except (OSError, ValueError, SyntaxError, KeyError, struct.error) as exc:
        raise InvalidInput(_DAMAGED, "Choose another.") from exc
    _check_pixels(size, max_pixels)
    return Looks("image", mime, *size)


def _check_pixels(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise _too_large(max_pixels)


def _too_large(max_pixels: int) -> InvalidInput:
    millions = max_pixels / 1_000_000
    return InvalidInput(f"The picture has more than {millions:g} megapixels.", "Scale it down.")


def _is_riff(data: bytes, form: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == form


def _webp_size(data: bytes) -> tuple[int, int] | None:
    """Width and height from a WebP header, https://developers.google.com/speed/webp/docs/riff_container."""
    head = data[12:30].ljust(18, b"\0")
    match head[:4]:
        case b"VP8X":
            width = int.from_bytes(head[12:15], "little") + 1
            return width, int.from_bytes(head[15:18], "little") + 1
        case b"VP8L":
            bits = int.from_bytes(head[9:13], "little")
            return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        case b"VP8 ":
            width = int.from_bytes(head[14:16], "little") & 0x3FFF
            return width, int.from_bytes(head[16:18], "little") & 0x3FFF
        case _:
            return None


def _iso_media(brand: bytes) -> Looks:
    """MP4 and its kin, by the major brand."""
    if brand in (b"M4A ", b"M4B "):
        return Looks("audio", "audio/mp4")
    if brand in (b"heic", b"heix", b"mif1", b"avif"):
        return Looks("document", "image/avif" if brand == b"avif" else "image/heic")
    return Looks("video", "video/quicktime" if brand == b"qt  " else "video/mp4")


def _text_or_bytes(data: bytes) -> Looks:
    """Plain text or unknown. HTML and SVG are text here: nothing of ours ever renders them."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return Looks("document", "application/octet-stream")
    readable = all(char in "\t\n\r\f\x1b" or char >= " " for char in text)
    return Looks("document", "text/plain" if readable else "application/octet-stream")
