"""Hooks by which people write, edit, delete, react and type."""

from collections.abc import Iterable
from typing import Unpack

from tests.fakes.discord.accounts import Accounts
from tests.fakes.discord.bots import Bot
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.events import surroundings, tell_deleted, tell_reaction, tell_typing
from tests.fakes.discord.files import Attachment, kind_of
from tests.fakes.discord.mentions import notified
from tests.fakes.discord.messages import Emoji, Message, MessageKind, Reaction
from tests.fakes.discord.people import User
from tests.fakes.discord.posts import Details

__all__ = ["Talk"]

File = tuple[str, bytes]


class Talk(Accounts):
    def write(
        self,
        user: User,
        to: Channel | Bot,
        content: str = "",
        *,
        reply_to: Message | None = None,
        files: Iterable[File] = (),
        **details: Unpack[Details],
    ) -> Message:
        """`to` a bot is their direct messages; `files` are names with contents."""
        channel = self.dm(to, user) if isinstance(to, Bot) else to
        found: Details = {
            "reference": reply_to,
            "kind": MessageKind.REPLY if reply_to else MessageKind.DEFAULT,
            "attachments": [self.file(channel, name, data) for name, data in files],
            **details,
        }
        answered = reply_to.author if reply_to else None
        heard = notified(self, channel, user, content, None, answered)
        found.setdefault("mentions", heard.users)
        found.setdefault("mentioned_roles", heard.roles)
        found.setdefault("mentions_everyone", heard.everyone)
        message = self.post(channel, user, content, **found)
        self.announce(message)
        return message

    def file(
        self, channel: Channel, name: str, data: bytes, *, claimed_bytes: int | None = None
    ) -> Attachment:
        """An attachment for `write`'s `attachments`."""
        id = self.clock.new_id()
        made = Attachment(id, channel.id, name, data, kind_of(name), claimed_bytes=claimed_bytes)
        return self.library.add(made)

    def forward(self, user: User, message: Message, to: Channel | Bot) -> Message:
        return self.write(user, to, reference=message, is_forward=True, kind=MessageKind.DEFAULT)

    def edit(self, message: Message, content: str) -> None:
        message.content = content
        message.edited_at = self.now()
        heard = notified(self, message.channel, message.author, content)
        message.mentions, message.mentioned_roles = heard.users, heard.roles
        message.mentions_everyone = heard.everyone
        self.announce(message, "MESSAGE_UPDATE")

    def unfurl(self, message: Message, **embed: object) -> None:
        """What the server makes of a link some time after it was written."""
        message.embeds.append({"type": "article", **embed})
        self.announce(message, "MESSAGE_UPDATE")

    def delete(self, *messages: Message) -> None:
        """Several of one channel are deleted in bulk, as moderators do."""
        tell_deleted(self, list(messages))

    def react(self, user: User, message: Message, emoji: str) -> None:
        """A character, or `name:id` of a guild's own one."""
        made = Emoji.parse(emoji)
        assert made, emoji
        reaction = message.reactions.setdefault(emoji, Reaction(made))
        if user in reaction.users:
            return
        reaction.users.append(user)
        tell_reaction(self, "MESSAGE_REACTION_ADD", message, made, user)

    def unreact(self, user: User, message: Message, emoji: str) -> None:
        reaction = message.reactions[emoji]
        reaction.users.remove(user)
        if not reaction.users:
            del message.reactions[emoji]
        tell_reaction(self, "MESSAGE_REACTION_REMOVE", message, reaction.emoji, user)

    def clear_reactions(self, message: Message, emoji: str | None = None) -> None:
        """All of them, or of one kind."""
        about = {**surroundings(message.channel), "message_id": str(message.id)}
        if emoji is None:
            message.reactions.clear()
            self.emit("MESSAGE_REACTION_REMOVE_ALL", message.channel, about)
            return
        gone = message.reactions.pop(emoji)
        payload = {**about, "emoji": gone.emoji.json()}
        self.emit("MESSAGE_REACTION_REMOVE_EMOJI", message.channel, payload)

    def type(self, user: User, to: Channel | Bot) -> None:
        channel = self.dm(to, user) if isinstance(to, Bot) else to
        tell_typing(self, user, channel)
