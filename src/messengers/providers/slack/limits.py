"""What Slack takes from an app.

Texts: https://docs.slack.dev/reference/methods/chat.postMessage (ideally at most 4,000 characters)
and chat.update (4,000 at most); blocks: https://docs.slack.dev/reference/block-kit/blocks. Rates:
https://docs.slack.dev/apis/web-api/rate-limits. Files: https://slack.com/help/articles/201330736.
"""

from messengers.models import MediaKind
from messengers.providers.capabilities import Capabilities, Level, MediaLimit, Rate

__all__ = [
    "CAPABILITIES",
    "MAX_BUTTONS_IN_BLOCK",
    "MAX_SECTION",
    "MAX_TEXT",
]

MAX_TEXT = 4_000
"""Characters, so that what was sent can be changed as well."""
MAX_SECTION = 3_000
"""Characters of a section block's text."""
MAX_BUTTONS_IN_BLOCK = 25
_MAX_BUTTONS = 100
"""Our own choice: fifty blocks would hold many more."""
_BURST = 3
"""Messages that one channel may get at once, in as many seconds; Slack allows short bursts and says
no number."""
_UPLOAD_BYTES = 1_000_000_000

_IMAGES = ("image/jpeg", "image/png", "image/webp", "image/gif")
_DOCUMENTS = (
    "application/pdf",
    "application/zip",
    "application/gzip",
    "application/octet-stream",
    "text/plain",
    "image/heic",
    "image/avif",
)


def _media() -> dict[MediaKind, MediaLimit]:
    """Files of any kind; the text beside one is a message like any other."""
    mimes: dict[MediaKind, tuple[str, ...]] = {
        "image": _IMAGES,
        "video": ("video/mp4", "video/quicktime", "video/webm"),
        "audio": ("audio/ogg", "audio/mpeg", "audio/mp4", "audio/wav", "audio/flac"),
        "document": _DOCUMENTS,
    }
    return {
        kind: MediaLimit(max_bytes=_UPLOAD_BYTES, mimes=taken, max_caption=MAX_TEXT)
        for kind, taken in mimes.items()
    }


CAPABILITIES = Capabilities(
    max_text=MAX_TEXT,
    media=_media(),
    edit=Level.FULL,
    delete=Level.FULL,
    react=Level.FULL,
    named_reactions=True,
    mark_read=Level.PARTIAL,
    reply=Level.PARTIAL,
    download_media=Level.FULL,
    fetch_history=Level.FULL,
    search_history=Level.PARTIAL,
    groups=Level.PARTIAL,
    webhooks=Level.FULL,
    rich=Level.FALLBACK,
    pin=Level.FULL,
    max_buttons=_MAX_BUTTONS,
    rates=(Rate(of="chat", count=_BURST, period_s=_BURST),),
    login="token",
)
"""An answer opens or continues the thread of the message: Slack has no quotations. A workspace may
end the time for edits and deletions. Places and contacts leave as text. What is marked as read only
the account itself sees; Slack's own search is for people."""
