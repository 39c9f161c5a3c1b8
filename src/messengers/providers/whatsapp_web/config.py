"""What an instance of WhatsApp Web can be told; nothing of it is needed."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = ["WhatsAppWebConfig"]


class WhatsAppWebConfig(BaseModel):
    """Options of an account; there are no credentials, the phone links it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    device_name: str = Field(default="Messengers", min_length=1, max_length=50)
    """What the phone calls this device in its list of linked devices."""
    history: Literal["recent", "whole"] = "recent"
    """How much the phone is asked to hand over when it is linked: its recent messages, or all."""
