"""Business accounts: their owners connect a bot, and customers write to them."""

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.business import Connection
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.formatting import found_in
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Json, User, present
from tests.fakes.telegram.world import World

__all__ = ["Accounts"]


class Accounts(World):
    def connect_business(self, owner: User, bot: Bot, **rights: bool) -> Connection:
        """The bot reads and answers the owner's chats; `rights` replace the usual ones."""
        number = f"fakebusiness{self.number():08}"
        connection = Connection(number, owner, bot, self.now())
        connection.rights = dict(rights) or connection.rights
        self.private(bot, owner).started = True
        self.connections[connection.id] = connection
        self.emit(bot, "business_connection", connection.json())
        return connection

    def disconnect_business(self, connection: Connection) -> None:
        connection.is_enabled = False
        self.emit(connection.bot, "business_connection", connection.json())

    def write_business(
        self,
        connection: Connection,
        customer: User,
        text: str,
        *,
        by_owner: bool = False,
        reply_to: Message | None = None,
    ) -> Message:
        """A customer writes to the account, or its owner to the customer."""
        content = present(text=text, entities=found_in(text, []))
        return self.say_business(
            connection, customer, content, by_owner=by_owner, reply_to=reply_to
        )

    def say_business(
        self,
        connection: Connection,
        customer: User,
        content: Json,
        *,
        by_owner: bool = False,
        reply_to: Message | None = None,
    ) -> Message:
        """The same with any content."""
        chat = connection.chats.setdefault(customer.id, Chat(customer.id, "private", user=customer))
        sender = connection.user if by_owner else customer
        message = self.post(chat, content, sender, business=connection.id, reply_to=reply_to)
        self._tell(connection, "business_message", message)
        return message

    def edit_business(self, connection: Connection, message: Message, text: str) -> None:
        message.content = present(text=text, entities=found_in(text, []))
        message.edit_date = self.now()
        self._tell(connection, "edited_business_message", message)

    def delete_business(self, connection: Connection, *messages: Message) -> None:
        for message in messages:
            message.deleted = True
        deleted: Json = {
            "business_connection_id": connection.id,
            "chat": messages[0].chat.json(),
            "message_ids": [message.id for message in messages],
        }
        if connection.is_enabled:
            self.emit(connection.bot, "deleted_business_messages", deleted)

    def _tell(self, connection: Connection, kind: str, message: Message) -> None:
        if connection.is_enabled:
            self.emit(connection.bot, kind, message.json(connection.bot))
