"""A fake WhatsApp for loopback tests: the real, unmodified engine links, sends and receives."""

from tests.fakes.whatsapp_web import messages
from tests.fakes.whatsapp_web.devices import Account, Companion, Message, Peer
from tests.fakes.whatsapp_web.history import Conversation, Past
from tests.fakes.whatsapp_web.messages import Reference
from tests.fakes.whatsapp_web.server import FakeWhatsApp

__all__ = [
    "Account",
    "Companion",
    "Conversation",
    "FakeWhatsApp",
    "Message",
    "Past",
    "Peer",
    "Reference",
    "messages",
]
