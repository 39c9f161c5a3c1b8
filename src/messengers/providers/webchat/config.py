"""What the owner may choose about his chat page. Nothing here is secret."""

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["WebchatConfig"]


class WebchatConfig(BaseModel):
    """All of it is optional."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    title: str = Field(default="", max_length=60)
    """The name above the conversation. Empty: the instance's name."""
    greeting: str = Field(default="Hello! Write to us, we answer right here.", max_length=500)
    """What an empty conversation shows. It is not a message."""
    accent: str = Field(default="#3157d5", pattern=r"^#[0-9a-fA-F]{6}$")
    """The page's colour as `#rrggbb`; the text on it turns black or white by itself."""
