"""What a message says: its text, files and the rest, so that nothing the app shows is left out.

Fields and subtypes: https://docs.slack.dev/reference/events/message.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from messengers.models import Attachment, MediaKind
from messengers.providers.slack.formatting import Names, read_text
from messengers.providers.slack.rich import attachment_lines, block_lines, buttons_in, is_plain
from messengers.providers.slack.wire import Json, as_object

__all__ = ["Body", "read"]

_WRITTEN = frozenset(
    {
        *("", "bot_message", "file_share", "me_message", "thread_broadcast", "file_comment"),
        *("slackbot_response", "assistant_app_thread", "document_mention"),
    }
)
"""Subtypes of what somebody wrote; the others the app shows between the messages."""
_FAMILIES: dict[str, MediaKind] = {"image": "image", "video": "video", "audio": "audio"}
_RECORDED: dict[str, tuple[MediaKind, str]] = {
    "slack_audio": ("voice", "audio/mp4"),
    "slack_video": ("video", "video/mp4"),
}
"""What people record in Slack."""
_GONE = {
    "tombstone": "a file that was deleted",
    "hidden_by_limit": "a file beyond what the workspace keeps",
}


@dataclass(frozen=True, slots=True)
class Body:
    """A message in the words of the contract."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    buttons: tuple[str, ...] = ()
    is_service: bool = False


def read(message: Json, names: Names) -> Body:
    """What a message says. Never empty."""
    subtype = str(message.get("subtype") or "")
    lines = [line for line in _lines(message, names) if line.strip()]
    files: tuple[Attachment, ...] = ()
    for file in message.get("files") or ():
        words = _instead_of(file)
        if words:
            lines.append(f"({words})")
        else:
            files = (*files, _file(file))
    is_service = subtype not in _WRITTEN
    buttons = tuple(filter(None, buttons_in(message.get("blocks") or (), names)))
    if not (lines or files or buttons):
        lines = [f"({subtype.replace('_', ' ') or 'an empty message'})"]
        is_service = True
    text = "\n".join(lines)
    return Body(f"_{text}_" if subtype == "me_message" else text, files, buttons, is_service)


def _lines(message: Json, names: Names) -> Iterator[str]:
    text, blocks = str(message.get("text") or ""), message.get("blocks") or ()
    shown = "\n".join(line for line in block_lines(blocks, names) if line.strip())
    # Where blocks say more than the text, people see them and not the text.
    yield read_text(text, names) if is_plain(blocks) and text else shown or read_text(text, names)
    for attachment in message.get("attachments") or ():
        address = str(attachment.get("from_url") or "")
        if address and address in text.replace("&amp;", "&") and not attachment.get("is_share"):
            continue  # a preview of what the text names
        yield "\n".join(attachment_lines(attachment, names))


def _instead_of(file: Json) -> str:
    """What to say of a file that is not kept at Slack."""
    mode = str(file.get("mode") or "")
    if mode in _GONE:
        return _GONE[mode]
    if file.get("is_external") or mode == "external":
        name = file.get("title") or file.get("name") or "a file"
        return f"{name}: {file.get('external_url') or file.get('url_private') or 'elsewhere'}"
    return ""


def _file(file: Json) -> Attachment:
    mime = str(file.get("mimetype") or "")
    kind, mime = _RECORDED.get(str(file.get("subtype") or ""), (_kind(mime), mime))
    duration_ms = file.get("duration_ms")
    return Attachment(
        kind=kind,
        native_ref=str(file["id"]),
        mime=mime,
        name=str(file.get("name") or file.get("title") or ""),
        size_bytes=file.get("size"),
        duration_s=duration_ms / 1000 if duration_ms else None,
        width=file.get("original_w"),
        height=file.get("original_h"),
        transcript=str(_inside(file, "transcription", "preview").get("content") or ""),
    )


def _inside(value: Json, *names: str) -> Json:
    for name in names:
        value = as_object(value.get(name))
    return value


def _kind(mime: str) -> MediaKind:
    if mime == "image/gif":
        return "gif"
    return _FAMILIES.get(mime.partition("/")[0], "document")
