"""What Discord takes from a bot.

Messages, files, nonces: https://docs.discord.com/developers/resources/message#create-message and
https://docs.discord.com/developers/reference#uploading-files. Polls:
https://docs.discord.com/developers/resources/poll. Buttons:
https://docs.discord.com/developers/components/reference. Rates are told by the server's headers
and not written here: https://docs.discord.com/developers/topics/rate-limits.
"""

from collections.abc import Mapping

from messengers.models import MediaKind
from messengers.providers.capabilities import Capabilities, Level, MediaLimit

__all__ = [
    "CAPABILITIES",
    "MAX_ANSWER",
    "MAX_FILES",
    "MAX_LABEL",
    "MAX_NAME",
    "MAX_NONCE",
    "MAX_QUESTION",
    "MAX_REQUEST_BYTES",
    "MAX_TEXT",
    "capabilities_of",
]

MAX_TEXT = 2_000
"""Of a message's content. Counted as UTF-16 here, which never says too little."""
MAX_NONCE = 25
MAX_QUESTION = 300
MAX_ANSWER = 55
MAX_LABEL = 80
"""Of a button."""
MAX_FILES = 10
"""Of one message."""
MAX_REQUEST_BYTES = 25 * 1024 * 1024
"""Of a message with all its files (create-message), where one file alone is not larger."""
MAX_NAME = 100
"""Of a channel or thread."""
_MB = 1024 * 1024
_FILE_BYTES: Mapping[int, int] = {0: 10 * _MB, 1: 10 * _MB, 2: 50 * _MB, 3: 100 * _MB}
"""One file, by the boost tier of its server; direct messages are as tier 0."""

_DOCUMENTS = (
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/octet-stream",
    "text/plain",
    "image/heic",
    "image/avif",
)


def _media(max_bytes: int) -> dict[MediaKind, MediaLimit]:
    """Discord keeps any file as it is and shows those that it knows."""
    images = ("image/jpeg", "image/png", "image/webp", "image/gif")
    videos = ("video/mp4", "video/quicktime", "video/webm")
    audio = ("audio/ogg", "audio/mpeg", "audio/mp4", "audio/wav", "audio/flac")
    return {
        "image": MediaLimit(max_bytes=max_bytes, mimes=images, max_caption=MAX_TEXT),
        "video": MediaLimit(max_bytes=max_bytes, mimes=videos, max_caption=MAX_TEXT),
        "audio": MediaLimit(max_bytes=max_bytes, mimes=audio, max_caption=MAX_TEXT),
        "document": MediaLimit(max_bytes=max_bytes, mimes=_DOCUMENTS, max_caption=MAX_TEXT),
    }


CAPABILITIES = Capabilities(
    max_text=MAX_TEXT,
    text_unit="utf16",
    media=_media(_FILE_BYTES[0]),
    edit=Level.FULL,
    delete=Level.FULL,
    react=Level.FULL,
    named_reactions=True,
    typing=Level.FULL,
    reply=Level.FULL,
    silent=Level.FULL,
    fetch_history=Level.FULL,
    download_media=Level.FULL,
    webhooks=Level.PARTIAL,
    groups=Level.PARTIAL,
    rich=Level.FALLBACK,
    pin=Level.FULL,
    max_poll_options=10,
    max_buttons=25,
    login="token",
)
"""Webhooks bring interactions only. A place leaves as a link to a map and a contact as text."""


def capabilities_of(tier: int) -> Capabilities:
    """In a server of this boost tier."""
    limit = _FILE_BYTES.get(tier, _FILE_BYTES[0])
    if limit == _FILE_BYTES[0]:
        return CAPABILITIES
    return CAPABILITIES.model_copy(update={"media": _media(limit)})
