"""Parameters that several tools share, with the words a model reads about them."""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

__all__ = [
    "Attachments",
    "Chat",
    "ChatFilter",
    "ClientRef",
    "Cursor",
    "Format",
    "InstanceFilter",
    "InstanceOf",
    "InstanceRef",
    "Limit20",
    "Limit50",
    "Limit100",
    "Limit200",
    "MessageId",
    "SendAt",
    "Since",
    "Text",
    "Until",
    "WaitSeconds",
]


def _number_as_text(value: object) -> object:
    """Models write ids and phone numbers as JSON numbers."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Text = Annotated[str, BeforeValidator(_number_as_text)]

Chat = Annotated[Text, Field(description="Chat id, name, phone number or @handle")]
ChatFilter = Annotated[Text, Field(description="Only this chat")]
MessageId = Annotated[Text, Field(description="Message id, e.g. m3k9")]
InstanceOf = Annotated[Text, Field(description="Only to tell chats apart")]
ClientRef = Annotated[Text, Field(description="Your key: one key never sends twice")]
InstanceRef = Annotated[Text, Field(description="Instance name")]
InstanceFilter = Annotated[Text, Field(description="Only this instance")]
Since = Annotated[Text, Field(description="ISO, 90m, 2h, 3d, 1w, today or yesterday")]
Until = Annotated[Text, Field(description="End, exclusive")]
Attachments = Annotated[tuple[Text, ...], Field(description="Message ids with files, paths, URLs")]
SendAt = Annotated[Text, Field(description="8h or ISO")]
Cursor = Annotated[Text, Field(description="From the last answer")]
Format = Literal["text", "json"]
Limit20 = Annotated[int, Field(ge=1, le=20)]
Limit50 = Annotated[int, Field(ge=1, le=50)]
Limit100 = Annotated[int, Field(ge=1, le=100)]
Limit200 = Annotated[int, Field(ge=1, le=200)]
WaitSeconds = Annotated[int, Field(ge=0, le=60)]
