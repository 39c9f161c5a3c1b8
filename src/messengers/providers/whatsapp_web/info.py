"""What WhatsApp Web declares without loading its engine."""

from messengers.providers.base import ProviderInfo
from messengers.providers.requirements import FFMPEG, LIBMAGIC
from messengers.providers.whatsapp_web.config import WhatsAppWebConfig
from messengers.providers.whatsapp_web.limits import CAPABILITIES

__all__ = ["INFO"]

INFO = ProviderInfo(
    name="whatsapp_web",
    title="WhatsApp Web",
    kind="personal",
    class_path="messengers.providers.whatsapp_web.provider:WhatsAppWebProvider",
    config=WhatsAppWebConfig,
    summary="A phone's own WhatsApp account, linked as WhatsApp Web is; the phone keeps working.",
    setup=(
        "Create the instance, then scan its QR code with the phone: WhatsApp, Settings, Linked"
        " devices, Link a device. Or link it with a pairing code for the phone's number."
    ),
    capabilities=CAPABILITIES,
    docs="docs/providers/whatsapp_web.md",
    extra="whatsapp",
    endpoints=("proxy",),
    pacing="careful",
    caution=(
        "WhatsApp does not allow unofficial clients and may ban the account: write to people who"
        " expect it, slowly."
    ),
    programs=(LIBMAGIC, FFMPEG),
)
