"""Files on their way out, as Telegram's methods: what it shows as such as such, albums in one call.

What may stand together: https://core.telegram.org/bots/api#sendmediagroup.
"""

from collections.abc import Sequence
from itertools import groupby
from typing import Any, Literal

from aiogram.methods import (
    SendAnimation,
    SendAudio,
    SendDocument,
    SendMediaGroup,
    SendPhoto,
    SendSticker,
    SendVideo,
    SendVoice,
    TelegramMethod,
)
from aiogram.types import (
    BufferedInputFile,
    InputMediaAudio,
    InputMediaDocument,
    InputMediaPhoto,
    InputMediaVideo,
)

from messengers.providers.base import MediaBytes
from messengers.providers.telegram.limits import (
    MAX_ALBUM,
    MAX_PHOTO_BYTES,
    MAX_PHOTO_RATIO,
    MAX_PHOTO_SIDES,
)

__all__ = ["as_documents", "gathered", "upload"]

_Form = Literal["sticker", "voice", "audio", "animation", "video", "photo", "document"]
_ALBUMS: dict[_Form, str] = {
    "photo": "pictures",
    "video": "pictures",
    "audio": "audio",
    "document": "documents",
}
"""Which album a file may stand in; those of one word stand together."""
_PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})


def gathered(files: Sequence[MediaBytes]) -> list[list[MediaBytes]]:
    """The files of each message: neighbours that one album takes."""
    found: list[list[MediaBytes]] = []
    for album, neighbours in groupby(files, lambda file: _ALBUMS.get(_form_of(file), "")):
        run, size = list(neighbours), MAX_ALBUM if album else 1
        found += [run[start : start + size] for start in range(0, len(run), size)]
    return found


def upload(files: Sequence[MediaBytes], text: str, common: dict[str, Any]) -> TelegramMethod[Any]:
    """The call that sends a file, or several of one album, with words under the first."""
    if len(files) > 1:
        return _album([_form_of(file) for file in files], files, text, common)
    (file,) = files
    sent, common = _content(file), {**common, **_caption(text)}
    match _form_of(file):
        case "sticker":
            return SendSticker(sticker=sent, **common)
        case "voice":
            return SendVoice(voice=sent, **common)
        case "audio":
            return SendAudio(audio=sent, **common)
        case "animation":
            return SendAnimation(animation=sent, **common)
        case "video":
            return SendVideo(video=sent, supports_streaming=True, **common)
        case "photo":
            return SendPhoto(photo=sent, **common)
        case "document":
            return SendDocument(document=sent, **common)


def as_documents(
    files: Sequence[MediaBytes], text: str, common: dict[str, Any]
) -> TelegramMethod[Any]:
    """The same with each file as it is, whatever it shows."""
    if len(files) > 1:
        forms: list[_Form] = ["document"] * len(files)
        return _album(forms, files, text, common)
    return SendDocument(
        document=_content(files[0]),
        disable_content_type_detection=True,
        **common,
        **_caption(text),
    )


def _album(
    forms: Sequence[_Form], files: Sequence[MediaBytes], text: str, common: dict[str, Any]
) -> TelegramMethod[Any]:
    captions = [_caption(text), *({} for _ in files[1:])]
    items = [
        _item(form, _content(file), caption)
        for form, file, caption in zip(forms, files, captions, strict=True)
    ]
    return SendMediaGroup(media=[*items], **common)


def _item(
    form: _Form, content: BufferedInputFile, caption: dict[str, Any]
) -> InputMediaAudio | InputMediaDocument | InputMediaPhoto | InputMediaVideo:
    match form:
        case "photo":
            return InputMediaPhoto(media=content, **caption)
        case "video":
            return InputMediaVideo(media=content, supports_streaming=True, **caption)
        case "audio":
            return InputMediaAudio(media=content, **caption)
        case _:
            return InputMediaDocument(media=content, disable_content_type_detection=True, **caption)


def _caption(text: str) -> dict[str, Any]:
    return {"caption": text, "parse_mode": "HTML"} if text else {}


def _form_of(file: MediaBytes) -> _Form:
    """What Telegram shows as such leaves as such, anything else as a document."""
    match file.kind:
        case "sticker":
            return "sticker"
        case "voice" | "audio" if file.mime == "audio/ogg":
            return "voice"
        case "audio" | "voice" if file.mime in ("audio/mpeg", "audio/mp4"):
            return "audio"
        case "gif" | "image" if file.mime in ("image/gif", "video/mp4"):
            return "animation"
        case "video" if file.mime == "video/mp4":
            return "video"
        case "image" if _is_photo(file):
            return "photo"
        case _:
            return "document"


def _is_photo(file: MediaBytes) -> bool:
    """Whether Telegram takes it as a photo, which it compresses."""
    width, height = file.width or 0, file.height or 0
    return (
        file.mime in _PHOTOS
        and len(file.data) <= MAX_PHOTO_BYTES
        and 0 < width + height <= MAX_PHOTO_SIDES
        and max(width, height) <= MAX_PHOTO_RATIO * max(min(width, height), 1)
    )


def _content(file: MediaBytes) -> BufferedInputFile:
    name = "".join(char for char in file.name if char.isprintable())
    return BufferedInputFile(file.data, filename=name or "file")
