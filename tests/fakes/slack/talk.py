"""What people do with messages: write, edit, delete, react."""

import uuid
from typing import Unpack

from tests.fakes.slack import events
from tests.fakes.slack.accounts import Accounts
from tests.fakes.slack.apps import Bot
from tests.fakes.slack.channels import Channel
from tests.fakes.slack.formatting import sanitized
from tests.fakes.slack.messages import Details, Message
from tests.fakes.slack.people import Json, User

__all__ = ["Talk"]


class Talk(Accounts):
    def write(
        self,
        user: User,
        to: Channel | Bot | User,
        text: str,
        *,
        thread: Message | None = None,
        broadcast: bool = False,
        **details: Unpack[Details],
    ) -> Message:
        """In a channel, or in the direct message with a bot or person.

        Mentions are written as Slack keeps them: `<@U…>`. A reply in a thread is also shown in
        the channel with `broadcast`.
        """
        channel = to if isinstance(to, Channel) else self.dm(user, to)
        if user.id not in channel.members:
            raise ValueError(f"{user.name} is not in {channel.name or channel.id}")
        if thread and broadcast:
            details["subtype"] = "thread_broadcast"
        if "client_msg_id" not in details:
            details["client_msg_id"] = str(uuid.uuid4())
        thread_ts = thread.thread_ts or thread.ts if thread else ""
        message = self.post(channel, sanitized(text), user, thread_ts, **details)
        self.announce(message)
        return message

    def edit(self, message: Message, text: str) -> None:
        """Its author writes it anew."""
        before = message.json()
        message.text = sanitized(text)
        message.blocks = []
        author = message.user.id if message.user else ""
        message.edited = {"user": author, "ts": self.next_ts()}
        events.message_changed(self, message, before)

    def unfurl(self, message: Message, *attachments: Json) -> None:
        """Slack shows previews under a message: it changes, and nobody edited it."""
        before = message.json()
        message.attachments = [*message.attachments, *attachments]
        for number, each in enumerate(message.attachments, 1):
            each.setdefault("id", number)
        events.message_changed(self, message, before)

    def delete(self, message: Message) -> None:
        """Its author or an administrator takes it away."""
        events.remove(self, message)

    def react(self, user: User, message: Message, *names: str) -> None:
        """Without colons, as in `thumbsup`."""
        for name in names:
            users = message.reactions.setdefault(name, [])
            if user not in users:
                users.append(user)
                self._tell_reaction("reaction_added", user, message, name)

    def unreact(self, user: User, message: Message, name: str) -> None:
        message.reactions[name].remove(user)
        if not message.reactions[name]:
            del message.reactions[name]
        self._tell_reaction("reaction_removed", user, message, name)

    def _tell_reaction(self, kind: str, user: User, message: Message, name: str) -> None:
        events.reaction(self, kind, user, message, name)
