"""Files: what was uploaded, by whom it is known, and where it is downloaded."""

import io
from dataclasses import dataclass, field
from itertools import count

from PIL import Image, UnidentifiedImageError

from tests.fakes.telegram.people import Json, present
from tests.fakes.telegram.refusal import Refused

__all__ = ["MB", "PICTURE", "File", "Library", "measured", "picture"]

MB = 1 << 20
DOWNLOAD_MAX_BYTES = 20 * MB
_FOLDERS = {
    "photo": "photos",
    "video": "videos",
    "audio": "music",
    "voice": "voice",
    "animation": "animations",
    "video_note": "video_notes",
    "sticker": "stickers",
    "thumbnail": "thumbnails",
    "profile_photo": "profile_photos",
}


def picture(width: int = 64, height: int = 48, *, format: str = "JPEG") -> bytes:
    """A picture people could have taken."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), (70, 130, 180)).save(out, format)
    return out.getvalue()


PICTURE = picture()


def measured(data: bytes) -> tuple[int, int]:
    """Width and height; what is no picture is refused as the real server does."""
    try:
        with Image.open(io.BytesIO(data)) as image:
            width, height = image.size
    except UnidentifiedImageError as error:
        raise Refused(400, "IMAGE_PROCESS_FAILED") from error
    if width + height > 10_000 or max(width, height) > 20 * min(width, height):
        raise Refused(400, "PHOTO_INVALID_DIMENSIONS")
    return width, height


@dataclass(eq=False)
class File:
    id: str
    unique_id: str
    kind: str
    data: bytes = field(repr=False)
    size: int
    """May say more than `data` has: a large file nobody needs to make."""
    name: str = ""
    mime: str = ""
    content: Json = field(default_factory=dict[str, object])
    """Of the message it was first in."""
    path: str = ""
    """Known once a bot asked for it."""

    def json(self) -> Json:
        return {"file_id": self.id, "file_unique_id": self.unique_id, "file_size": self.size}

    def named(self) -> Json:
        return {**self.json(), **present(file_name=self.name, mime_type=self.mime)}


class Library:
    def __init__(self) -> None:
        self._files: dict[str, File] = {}
        self._numbers = count(1)
        self._paths: dict[str, File] = {}
        self.local = False
        """A self-hosted server: files of any size are downloaded."""

    def add(
        self, kind: str, data: bytes, *, name: str = "", mime: str = "", size: int | None = None
    ) -> File:
        number = next(self._numbers)
        size = len(data) if size is None else size
        file = File(
            f"{kind.upper()[:3]}file{number:06}", f"u{number:06}", kind, data, size, name, mime
        )
        self._files[file.id] = file
        return file

    def get(self, file_id: str) -> File:
        """By the id without a bot's suffix."""
        return self._files[file_id]

    def of_bot(self, bot_id: int, file_id: str) -> File:
        """By the id this bot was told, of its own or of people's files."""
        plain, _, owner = file_id.rpartition("-")
        if owner != str(bot_id) or plain not in self._files:
            raise Refused(400, "wrong file identifier/HTTP URL specified")
        return self._files[plain]

    def described(self, bot_id: int, file_id: str) -> Json:
        """The answer of getFile."""
        try:
            file = self.of_bot(bot_id, file_id)
        except Refused as error:
            raise Refused(400, "invalid file_id") from error
        if file.size > DOWNLOAD_MAX_BYTES and not self.local:
            raise Refused(400, "file is too big")
        suffix = file.name.rpartition(".")[2] if "." in file.name else _SUFFIXES.get(file.kind, "")
        folder = _FOLDERS.get(file.kind, "documents")
        file.path = file.path or f"{folder}/file_{len(self._paths)}{'.' if suffix else ''}{suffix}"
        self._paths[file.path] = file
        return {**file.json(), "file_path": file.path}

    def at(self, path: str) -> File | None:
        return self._paths.get(path)


_SUFFIXES = {
    "photo": "jpg",
    "thumbnail": "jpg",
    "profile_photo": "jpg",
    "video": "mp4",
    "video_note": "mp4",
    "animation": "mp4",
    "voice": "oga",
    "audio": "mp3",
    "sticker": "webp",
}
