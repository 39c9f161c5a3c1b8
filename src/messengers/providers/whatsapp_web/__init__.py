"""WhatsApp Web: a phone's own account, linked by QR code or pairing code."""

from messengers.providers.whatsapp_web.info import INFO

__all__ = ["INFO"]
