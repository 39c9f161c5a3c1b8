"""A fake Telegram Bot API for loopback tests: strict with bots, and people do what tests say."""

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import User
from tests.fakes.telegram.server import FakeTelegram

__all__ = ["Bot", "Chat", "FakeTelegram", "Message", "User"]
