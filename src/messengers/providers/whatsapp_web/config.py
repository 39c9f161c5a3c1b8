"""What an instance of WhatsApp Web can be told; nothing of it is needed."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr

__all__ = ["WhatsAppWebConfig"]

_SCHEMES = ("http", "https", "socks5")


def _is_proxy(value: SecretStr) -> SecretStr:
    parts = urlsplit(value.get_secret_value())
    if value.get_secret_value() and (parts.scheme not in _SCHEMES or not parts.hostname):
        raise ValueError("write it as socks5://host:port or http://host:port")
    return value


class WhatsAppWebConfig(BaseModel):
    """Options of an account; there are no credentials, the phone links it."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    device_name: str = "Messengers"
    """What the phone calls this device in its list of linked devices."""
    history: Literal["recent", "whole"] = "recent"
    """How much the phone is asked to hand over when it is linked: its recent messages, or all."""
    proxy: Annotated[SecretStr, AfterValidator(_is_proxy)] = SecretStr("")
    """A proxy for this account alone: socks5://host:port or http://host:port."""
