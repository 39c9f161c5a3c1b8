"""What Telegram takes from a bot.

Sizes and lengths: https://core.telegram.org/bots/api#sending-files and the page's methods. Rates:
https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this. A Bot API server of
one's own: https://core.telegram.org/bots/api#using-a-local-bot-api-server.
"""

from messengers.models import MediaKind
from messengers.providers.capabilities import Capabilities, Level, MediaLimit, Rate

__all__ = [
    "CAPABILITIES",
    "CLOUD_DOWNLOAD_BYTES",
    "MAX_ALBUM",
    "MAX_CAPTION",
    "MAX_DESCRIPTION",
    "MAX_PHOTO_BYTES",
    "MAX_PHOTO_RATIO",
    "MAX_PHOTO_SIDES",
    "MAX_TEXT",
    "OWN_SERVER",
    "RATES",
    "REACTIONS",
]

MAX_TEXT = 4_096
"""UTF-16 units after the entities were parsed (sendMessage)."""
MAX_CAPTION = 1_024
MAX_ALBUM = 10
"""Files of one sendMediaGroup; it takes no fewer than two."""
MAX_DESCRIPTION = 255
"""Characters of a chat's description (setChatDescription)."""
_MB = 1024 * 1024
MAX_PHOTO_BYTES = 10 * _MB
MAX_PHOTO_SIDES = 10_000
"""Pixels of width and height together (sendPhoto)."""
MAX_PHOTO_RATIO = 20
_UPLOAD_BYTES = 50 * _MB
CLOUD_DOWNLOAD_BYTES = 20 * _MB
"""What getFile gives of Telegram's own servers."""
_OWN_SERVER_BYTES = 2_000 * _MB
_STICKER_BYTES = 4 * _MB
"""Our own choice, before it is made smaller: Telegram names no size for sendSticker."""

_BURST = 3
"""Messages that one chat may get at once; Telegram allows short bursts and says no number."""
RATES = (
    Rate(of="instance", count=30, period_s=1),
    Rate(of="chat", count=_BURST, period_s=_BURST),
    Rate(of="group", count=20, period_s=60),
)

_EMOJIS = """
❤ 👍 👎 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍
🐳 ❤\u200d🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓
👻 👨\u200d💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉
🦄 😘 💊 🙊 😎 👾 🤷\u200d♂ 🤷 🤷\u200d♀ 😡
"""
REACTIONS = frozenset(_EMOJIS.split())
"""All that ReactionTypeEmoji knows; a chat may allow fewer."""

_PHOTOS = ("image/jpeg", "image/png", "image/webp")
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
    """Files of any kind: what is no photo, video or music for Telegram leaves as a document."""
    images, videos = (*_PHOTOS, "image/gif"), ("video/mp4", "video/quicktime", "video/webm")
    audio = ("audio/ogg", "audio/mpeg", "audio/mp4", "audio/wav", "audio/flac")
    return {
        "image": MediaLimit(max_bytes=max_bytes, mimes=images, max_caption=MAX_CAPTION),
        "video": MediaLimit(max_bytes=max_bytes, mimes=videos, max_caption=MAX_CAPTION),
        "audio": MediaLimit(max_bytes=max_bytes, mimes=audio, max_caption=MAX_CAPTION),
        "document": MediaLimit(max_bytes=max_bytes, mimes=_DOCUMENTS, max_caption=MAX_CAPTION),
        "sticker": MediaLimit(max_bytes=_STICKER_BYTES, mimes=_PHOTOS),
    }


CAPABILITIES = Capabilities(
    max_text=MAX_TEXT,
    text_unit="utf16",
    media=_media(_UPLOAD_BYTES),
    edit=Level.FULL,
    delete=Level.FULL,
    react=Level.PARTIAL,
    typing=Level.FULL,
    reply=Level.FULL,
    silent=Level.FULL,
    download_media=Level.FULL,
    groups=Level.PARTIAL,
    rich=Level.FULL,
    pin=Level.FULL,
    webhooks=Level.FULL,
    max_poll_options=12,
    max_buttons=100,
    delete_window_s=48 * 3600,
    rates=RATES,
    login="token",
)
"""A bot's own messages are edited at any age and deleted for 48 hours (deleteMessage); it sets one
reaction a message (setMessageReaction) and makes no groups. For buttons no number is published."""
OWN_SERVER = CAPABILITIES.model_copy(update={"media": _media(_OWN_SERVER_BYTES)})
"""Through a Bot API server of the owner's in its local mode."""
