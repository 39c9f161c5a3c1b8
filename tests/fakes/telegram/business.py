"""Business accounts: a person's own chats in which a bot reads and answers."""

from dataclasses import dataclass, field

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Json, User
from tests.fakes.telegram.refusal import Refused

__all__ = ["Connection"]


@dataclass(eq=False)
class Connection:
    id: str
    user: User
    bot: Bot
    date: int
    rights: Json = field(default_factory=lambda: {"can_reply": True, "can_read_messages": True})
    is_enabled: bool = True
    chats: dict[int, Chat] = field(default_factory=dict[int, Chat])

    read: list[Message] = field(default_factory=list[Message])
    """What the bot marked as read."""

    def chat_for(self, number: int) -> Chat:
        """One of the account's chats, if the bot may answer there."""
        if not self.is_enabled or not self.rights.get("can_reply"):
            raise Refused(400, "BUSINESS_PEER_INVALID")
        if number not in self.chats:
            raise Refused(400, "chat not found")
        return self.chats[number]

    def json(self) -> Json:
        return {
            "id": self.id,
            "user": self.user.json(),
            "user_chat_id": self.user.id,
            "date": self.date,
            "rights": self.rights,
            "is_enabled": self.is_enabled,
        }
