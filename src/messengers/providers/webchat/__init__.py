"""A chat page of our own: a messenger that everyone has, without an account or a network."""

from messengers.providers.base import ProviderInfo
from messengers.providers.webchat.config import WebchatConfig
from messengers.providers.webchat.limits import CAPABILITIES

__all__ = ["INFO"]

INFO = ProviderInfo(
    name="webchat",
    title="Web chat",
    kind="bot",
    class_path="messengers.providers.webchat.provider:WebchatProvider",
    config=WebchatConfig,
    summary="A chat page served by Messengers itself; visitors need no account.",
    setup="Nothing to set up: create the instance and open or share the address of its page.",
    capabilities=CAPABILITIES,
    docs="docs/providers/webchat.md",
)
