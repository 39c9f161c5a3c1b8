"""What people do with messages: react, press buttons, vote."""

from collections import Counter
from typing import TYPE_CHECKING

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.buttons import Press
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Json, User
from tests.fakes.telegram.talk import Talk

if TYPE_CHECKING:
    from tests.fakes.telegram.polls import Poll

__all__ = ["Responses"]


class Responses(Talk):
    def react(self, user: User, message: Message, *emoji: str, as_chat: Chat | None = None) -> None:
        """These instead of what was there; none takes the reaction back.

        A word of digits is a custom emoji, "paid" a star. Bots must ask for `message_reaction`,
        and in groups be administrators. In channels nobody is named.
        """
        actor = as_chat or user
        old = message.reactions.get(actor.id, [])
        new = [_reaction(each) for each in emoji]
        message.reactions[actor.id] = new
        if message.chat.type == "channel":
            self.count_reactions(message)
            return
        change: Json = {
            "chat": message.chat.json(),
            "message_id": message.id,
            "actor_chat" if as_chat else "user": actor.json(),
            "date": self.now(),
            "old_reaction": old,
            "new_reaction": new,
        }
        for bot in self._watchers(message.chat):
            self.emit(bot, "message_reaction", change)

    def count_reactions(self, message: Message) -> None:
        """What anonymous reactions have come to; the real server waits some minutes with it."""
        count = Counter(
            str(each.get("emoji") or each.get("custom_emoji_id") or "paid")
            for reactions in message.reactions.values()
            for each in reactions
        )
        totals = [{"type": _reaction(name), "total_count": total} for name, total in count.items()]
        counted: Json = {"chat": message.chat.json(), "message_id": message.id, "date": self.now()}
        for bot in self._watchers(message.chat):
            self.emit(bot, "message_reaction_count", {**counted, "reactions": totals})

    def _watchers(self, chat: Chat) -> list[Bot]:
        return [bot for bot in self.bots_in(chat) if chat.user or chat.member(bot).in_charge]

    def press(self, user: User, message: Message, text: str) -> Press:
        """The button of this text under a bot's message; `answer` is what the bot had shown."""
        bot = next(bot for bot in self.bots.values() if message in bot.history)
        button = next(each for row in message.buttons for each in row if each["text"] == text)
        number = str(4_000_000_000_000_000_000 + self.number())
        press = Press(number, user, bot, message, button["callback_data"], self.now())
        self.presses[press.id] = press
        query: Json = {
            "id": press.id,
            "from": user.json(),
            "message": message.inaccessible() if message.deleted else message.json(bot),
            "chat_instance": str(-(1 << 60) - abs(message.chat.id)),
            "data": press.data,
        }
        self.emit(bot, "callback_query", query)
        return press

    def vote(self, user: User, message: Message, *options: int) -> None:
        """For these options; none takes the vote back. The poll's bot hears of open votes."""
        poll: Poll = message.content["poll"]
        poll.vote(user, list(options))
        if not poll.author:
            return
        if not poll.is_anonymous:
            self.emit(poll.author, "poll_answer", poll.answer(user))
        else:
            self.emit(poll.author, "poll", poll.json())

    def close_poll(self, message: Message) -> None:
        """Its time is over."""
        poll: Poll = message.content["poll"]
        poll.is_closed = True
        if poll.author:
            self.emit(poll.author, "poll", poll.json())


def _reaction(text: str) -> Json:
    if text == "paid":
        return {"type": "paid"}
    if text.isdigit():
        return {"type": "custom_emoji", "custom_emoji_id": text}
    return {"type": "emoji", "emoji": text}
