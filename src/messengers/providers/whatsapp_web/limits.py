"""What WhatsApp Web takes. For linked devices nothing is published; what is known is said at each.

Texts and captions: https://developers.facebook.com/docs/whatsapp/cloud-api/reference/messages.
Editing and deleting: https://faq.whatsapp.com.
"""

from messengers.models import MediaKind
from messengers.providers.capabilities import Capabilities, Level, MediaLimit

__all__ = ["CAPABILITIES", "MAX_TEXT"]

MAX_TEXT = 4_096
"""Characters: what the Cloud API takes (text.body); the apps take more and fold it."""
_MB = 1024 * 1024
_MAX_CAPTION = 1_024
"""Characters: the Cloud API's limit of a caption."""
_MEDIA_MB = 64
"""What the apps send as image, video or audio without making a document of it."""
_IMAGES = ("image/jpeg", "image/png", "image/webp")
_AUDIO = ("audio/ogg", "audio/mpeg", "audio/mp4", "audio/wav", "audio/flac")
_DOCUMENTS = (
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/octet-stream",
    "text/plain",
    "image/heic",
    "image/avif",
)
_MEDIA: dict[MediaKind, MediaLimit] = {
    "image": MediaLimit(max_bytes=16 * _MB, mimes=_IMAGES, max_caption=_MAX_CAPTION),
    "video": MediaLimit(
        max_bytes=_MEDIA_MB * _MB,
        mimes=("video/mp4", "video/quicktime", "video/webm"),
        max_caption=_MAX_CAPTION,
    ),
    "audio": MediaLimit(max_bytes=_MEDIA_MB * _MB, mimes=_AUDIO),
    "document": MediaLimit(max_bytes=100 * _MB, mimes=_DOCUMENTS, max_caption=_MAX_CAPTION),
    "sticker": MediaLimit(max_bytes=1 * _MB, mimes=_IMAGES),
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
    download_media=Level.FULL,
    groups=Level.FULL,
    rich=Level.FULL,
    block=Level.FULL,
    portraits=Level.FULL,
    max_poll_options=12,
    edit_window_s=15 * 60,
    delete_window_s=2 * 24 * 3600 + 12 * 3600,
    login="qr",
)
"""Edits for 15 minutes, deletions for about two and a half days: WhatsApp's help pages."""
