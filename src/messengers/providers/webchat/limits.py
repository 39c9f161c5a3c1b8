"""What the chat page can do. There is no platform behind it: the numbers are our own choice."""

from messengers.models import MediaKind
from messengers.providers.capabilities import Capabilities, Level, MediaLimit

__all__ = ["CAPABILITIES", "IMAGE_MIMES", "MAX_IMAGE_BYTES", "MAX_NAME", "MAX_TEXT"]

MAX_TEXT = 8_000
"""Characters: about three printed pages, and 32 KB at most, half of what a frame may hold."""
MAX_NAME = 60
MAX_IMAGE_BYTES = 8 * 1024 * 1024
IMAGE_MIMES = ("image/png", "image/jpeg", "image/webp", "image/gif")
"""The raster formats that every browser shows; never SVG, which is a program."""

_MEDIA: dict[MediaKind, MediaLimit] = {
    "image": MediaLimit(max_bytes=MAX_IMAGE_BYTES, mimes=IMAGE_MIMES, max_caption=MAX_TEXT)
}

CAPABILITIES = Capabilities(
    max_text=MAX_TEXT,
    media=_MEDIA,
    edit=Level.FULL,
    delete=Level.FULL,
    react=Level.FULL,
    typing=Level.FULL,
    mark_read=Level.FULL,
    reply=Level.FULL,
    visitors=Level.FULL,
    reuses_key=True,
)
