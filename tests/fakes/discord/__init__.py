"""A fake Discord for loopback tests: strict with bots, and people do what tests say."""

from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel, Kind
from tests.fakes.discord.guilds import Guild
from tests.fakes.discord.intents import Intent
from tests.fakes.discord.messages import Message
from tests.fakes.discord.people import User
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.server import FakeDiscord

__all__ = [
    "Bot",
    "Channel",
    "FakeDiscord",
    "Guild",
    "Intent",
    "Kind",
    "Message",
    "Permission",
    "User",
]
