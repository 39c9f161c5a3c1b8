"""A press on a button, until the bot answers it."""

from dataclasses import dataclass

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Json, User

__all__ = ["Press"]


@dataclass(eq=False)
class Press:
    id: str
    user: User
    bot: Bot
    message: Message
    data: str
    date: int
    answer: Json | None = None
    """What the bot had shown: text, show_alert, url."""
