"""What a chat page and we say to each other over its WebSocket: JSON objects with a `type`."""

from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from messengers.errors import InvalidInput
from messengers.providers.visitors import PageFrame

__all__ = [
    "MAX_FRAME_BYTES",
    "AnyFrame",
    "Older",
    "Rename",
    "Say",
    "Shown",
    "Typing",
    "for_page",
    "parse",
]

MAX_FRAME_BYTES = 64 * 1024


class _Frame(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Say(_Frame):
    """A message. `client_id` is the page's own: sending it again is the same message."""

    type: Literal["say"]
    client_id: str
    text: str = ""
    media: tuple[str, ...] = ()
    """Tokens of uploads."""
    name: str = ""


class Older(_Frame):
    """Asks for messages before a cursor."""

    type: Literal["older"]
    cursor: str = Field(min_length=1)


class Typing(_Frame):
    """The visitor is writing, or stopped."""

    type: Literal["typing"]
    active: bool


class Shown(_Frame):
    """Our messages stood on the page, or were looked at."""

    type: Literal["shown"]
    ids: tuple[str, ...]
    state: Literal["delivered", "read"]


class Rename(_Frame):
    """The visitor's name for himself; empty takes it back."""

    type: Literal["rename"]
    name: str


AnyFrame = Say | Older | Typing | Shown | Rename
_frames = TypeAdapter[AnyFrame](Annotated[AnyFrame, Field(discriminator="type")])


def parse(text: str) -> AnyFrame:
    """A frame of a page. InvalidInput when it is none, without a word of what it said."""
    if len(text) > MAX_FRAME_BYTES or len(text.encode("utf-8", "replace")) > MAX_FRAME_BYTES:
        raise InvalidInput(f"A frame may have {MAX_FRAME_BYTES:,} bytes.", "Send less at once.")
    try:
        return _frames.validate_json(text)
    except ValidationError as exc:
        raise InvalidInput("That is no frame of a chat page.") from exc


def for_page(frame: PageFrame) -> dict[str, object]:
    """A frame as the page takes it: texts as safe HTML, files without our own details."""
    shown = dict(frame)
    text = shown.pop("text", None)
    if isinstance(text, str):
        mine = shown.get("mine") is True
        # Here, because a stdio client waits for what the daemon loads at its start.
        from messengers.web.markdown import html_of_markdown, html_of_plain

        shown["html"] = html_of_plain(text) if mine else html_of_markdown(text)
    if "media" in shown:
        files = cast("list[dict[str, Any]]", shown["media"])
        shown["media"] = [
            {
                "id": file["media"],
                "name": file["name"],
                "width": file["width"],
                "height": file["height"],
            }
            for file in files
        ]
    return shown
