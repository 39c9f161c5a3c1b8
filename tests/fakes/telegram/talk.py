"""What people write: who there is, and texts."""

from typing import TypedDict, Unpack

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.chats import Chat
from tests.fakes.telegram.formatting import formatted
from tests.fakes.telegram.lengths import utf16_length
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Json, User, present
from tests.fakes.telegram.world import World

__all__ = ["Talk", "Way"]

# Who stands for those who write as a chat: these accounts are Telegram's own.
_ANONYMOUS = User(1_087_968_824, "Group", username="GroupAnonymousBot", is_bot=True)
_AS_CHANNEL = User(136_817_688, "Channel", username="Channel_Bot", is_bot=True)


class Way(TypedDict, total=False):
    """How people write: in answer to a message or to a part of it, in a topic, behind a chat."""

    reply_to: Message | None
    quote: str
    topic: int
    as_chat: Chat | None
    extra: Json


class Talk(World):
    """`to` is a chat, or a bot for the private chat with it."""

    def add_bot(self, username: str = "fake_bot", token: str = "", **flags: bool) -> Bot:
        """`flags` are what getMe tells, such as `can_read_all_group_messages`."""
        id = int(token.partition(":")[0]) if token else 7_000_000_000 + self.number()
        token = token or f"{id}:FAKE{id}{username:x>24.24}"
        name = username.removesuffix("_bot").title()
        queue = self.new_queue(id)
        bot = Bot(id, name, username=username, token=token, flags={**flags}, queue=queue)
        self.join_bot(bot)
        return bot

    def add_user(self, first_name: str, last_name: str = "", username: str = "") -> User:
        user = User(self.new_user_id(), first_name, last_name, username)
        self.users[user.id] = user
        return user

    def write(
        self,
        user: User,
        to: Chat | Bot,
        text: str,
        *,
        html: bool = False,
        entities: list[Json] | None = None,
        **way: Unpack[Way],
    ) -> Message:
        """A text; with `html` it is formatted as bots do, `entities` are taken as they are."""
        if entities is None:
            text, entities = formatted(text, "html" if html else "", [], self.users.get)
        return self.say(user, to, present(text=text, entities=entities), **way)

    def start(self, user: User, bot: Bot, payload: str = "") -> Message:
        """The button a person presses first, or a link with a payload."""
        return self.write(user, bot, f"/start {payload}".rstrip())

    def say(
        self,
        user: User,
        to: Chat | Bot,
        content: Json,
        **way: Unpack[Way],
    ) -> Message:
        """A message of any content; the bots that see it hear of it."""
        reply_to, as_chat = way.get("reply_to"), way.get("as_chat")
        chat = self._place(user, to)
        as_chat = chat if chat.type == "channel" else as_chat
        message = self.post(
            chat,
            content,
            _shown(user, chat, as_chat),
            sender_chat=as_chat,
            reply_to=reply_to,
            thread=way.get("topic") or (reply_to.thread if reply_to and chat.is_forum else 0),
            extra={**_quoted(reply_to, way.get("quote", "")), **way.get("extra", {})},
        )
        self.announce(message)
        self.discuss(message)
        return message

    def edit(self, message: Message, text: str, *, html: bool = False) -> Message:
        """Its text or caption is another one."""
        name = "text" if "text" in message.content else "caption"
        text, entities = formatted(text, "html" if html else "", [], self.users.get)
        marks = "entities" if name == "text" else "caption_entities"
        message.content[name] = text
        message.content.pop(marks, None)
        message.content |= present(**{marks: entities})
        return self.changed(message)

    def changed(self, message: Message) -> Message:
        """Bots are told of an edit."""
        message.edit_date = self.now()
        self.announce(message, "edited_message")
        return message

    def delete(self, *messages: Message) -> None:
        """People delete; no bot ever hears of it."""
        for message in messages:
            message.deleted = True

    def block(self, user: User, bot: Bot) -> None:
        self._set_blocked(user, bot, blocked=True)

    def unblock(self, user: User, bot: Bot) -> None:
        self._set_blocked(user, bot, blocked=False)

    def _set_blocked(self, user: User, bot: Bot, *, blocked: bool) -> None:
        chat = self.private(bot, user)
        chat.blocked = blocked
        states: tuple[Json, Json] = (
            {"status": "member", "user": bot.json()},
            {"status": "kicked", "user": bot.json(), "until_date": 0},
        )
        change: Json = {"chat": chat.json(), "from": user.json(), "date": self.now()}
        change |= {"old_chat_member": states[not blocked], "new_chat_member": states[blocked]}
        self.emit(bot, "my_chat_member", change)

    def _place(self, user: User, to: Chat | Bot) -> Chat:
        chat = self.private(to, user) if isinstance(to, Bot) else to
        if chat.bot:
            if chat.blocked:
                raise ValueError(f"{user.name} blocked {chat.bot.username}: unblock it first")
            chat.started = True
        elif not chat.member(user).present:
            raise ValueError(f"{user.name} is not in {chat.title}")
        return chat


def _shown(user: User, chat: Chat, as_chat: Chat | None) -> User | None:
    if chat.type == "channel":
        return None
    if as_chat is None:
        return user
    return _ANONYMOUS if as_chat is chat else _AS_CHANNEL


def _quoted(target: Message | None, text: str) -> Json:
    if not text or target is None:
        return {}
    position = utf16_length(target.text[: target.text.index(text)])
    return {"quote": {"text": text, "position": position, "is_manual": True}}
