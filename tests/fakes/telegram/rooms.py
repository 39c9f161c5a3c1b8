"""What people do with groups, supergroups and channels."""

from collections.abc import Iterable

from tests.fakes.telegram import membership, topics
from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.chats import (
    GENERAL_TOPIC,
    PERMISSIONS,
    Chat,
    ChatKind,
    Member,
    Topic,
    rights_in,
)
from tests.fakes.telegram.media import SAMPLES, Material, medium
from tests.fakes.telegram.messages import Message
from tests.fakes.telegram.people import Json, User
from tests.fakes.telegram.talk import Talk

__all__ = ["Rooms"]


class Rooms(Talk):
    def add_chat(
        self,
        kind: ChatKind,
        title: str,
        owner: User,
        *others: User,
        username: str = "",
        is_forum: bool = False,
    ) -> Chat:
        """A chat that has been there for long: nobody is told of it."""
        chat = Chat(self.new_chat_id(kind), kind, title, username, is_forum=is_forum)
        chat.members = {user.id: Member(user) for user in others}
        chat.members[owner.id] = Member(owner, "creator")
        if is_forum:
            chat.topics[GENERAL_TOPIC] = Topic(GENERAL_TOPIC, "General")
            chat.last_message_id = GENERAL_TOPIC
        self.chats[chat.id] = chat
        return chat

    def add_group(self, title: str, owner: User, *others: User) -> Chat:
        return self.add_chat("group", title, owner, *others)

    def add_supergroup(
        self, title: str, owner: User, *others: User, username: str = "", is_forum: bool = False
    ) -> Chat:
        return self.add_chat(
            "supergroup", title, owner, *others, username=username, is_forum=is_forum
        )

    def add_channel(
        self,
        title: str,
        owner: User,
        *bots: Bot,
        username: str = "",
        discussion: Chat | None = None,
    ) -> Chat:
        """Bots in it may post; posts appear in the `discussion`, too."""
        chat = self.add_chat("channel", title, owner, *bots, username=username)
        for bot in bots:
            rights = frozenset(rights_in(chat))
            chat.members[bot.id] = Member(bot, "administrator", rights, promoted_by=owner)
        if discussion:
            chat.linked, discussion.linked = discussion, chat
        return chat

    def create_group(self, title: str, owner: User, *others: User) -> Chat:
        """A group that comes into being now: bots in it hear of it."""
        chat = self.add_chat("group", title, owner)
        for user in others:
            membership.become(self, chat, user, "member", owner)
        self.announce(self.post(chat, {"group_chat_created": True}, owner))
        return chat

    def invite(self, chat: Chat, by: User, *users: User) -> None:
        membership.join(self, chat, list(users), by)

    def join(self, chat: Chat, user: User) -> None:
        membership.join(self, chat, [user], user)

    def leave(self, chat: Chat, user: User) -> None:
        membership.leave(self, chat, user, user)

    def kick(self, chat: Chat, by: User, user: User) -> None:
        """Out, and not to come back."""
        membership.leave(self, chat, user, by, banned=True)

    def promote(
        self, chat: Chat, by: User, user: User, rights: Iterable[str] | None = None
    ) -> None:
        """An administrator with all rights, or these."""
        given = rights_in(chat) if rights is None else rights
        membership.become(self, chat, user, "administrator", by, given)

    def demote(self, chat: Chat, by: User, user: User) -> None:
        membership.become(self, chat, user, "member", by)

    def restrict(self, chat: Chat, by: User, user: User, allowed: Iterable[str] = ()) -> None:
        """What is left to a member of a supergroup; nothing is silence."""
        if not set(allowed) <= set(PERMISSIONS):
            raise ValueError("no such permission")
        membership.become(self, chat, user, "restricted", by, allowed)

    def ask_to_join(self, chat: Chat, user: User) -> None:
        """Whoever invites is asked."""
        chat.asking[user.id] = user
        for bot in self.bots_in(chat):
            if chat.member(bot).may("can_invite_users"):
                request: Json = {"chat": chat.json(), "from": user.json(), "date": self.now()}
                self.emit(bot, "chat_join_request", {**request, "user_chat_id": user.id})

    def rename(self, chat: Chat, by: User, title: str) -> None:
        membership.title(self, chat, title, by)

    def change_photo(self, chat: Chat, by: User) -> None:
        chat.photo = medium(self.library, "photo", Material(SAMPLES["photo"]))["photo"]
        self.announce(self.post(chat, {"new_chat_photo": chat.photo}, self._shown_as(chat, by)))

    def delete_photo(self, chat: Chat, by: User) -> None:
        chat.photo = []
        self.announce(self.post(chat, {"delete_chat_photo": True}, self._shown_as(chat, by)))

    def pin(self, message: Message, by: User) -> None:
        message.chat.pinned.append(message)
        note = {"pinned_message": message}
        self.announce(self.post(message.chat, note, self._shown_as(message.chat, by)))

    def migrate(self, group: Chat) -> Chat:
        """The group becomes a supergroup with another id, and says so in both."""
        owner = next(member for member in group.members.values() if member.status == "creator")
        upgraded = self.add_chat("supergroup", group.title, owner.user)
        upgraded.members |= group.members
        group.upgraded_to = upgraded
        there: Json = {"migrate_to_chat_id": upgraded.id}
        self.announce(self.post(group, there, owner.user))
        self.announce(self.post(upgraded, {"migrate_from_chat_id": group.id}, owner.user))
        return upgraded

    def create_topic(self, chat: Chat, by: User, name: str) -> Topic:
        return topics.new_topic(self, chat, name, by)

    def rename_topic(self, chat: Chat, by: User, topic: Topic, name: str) -> None:
        topics.edit_topic(self, chat, topic, by, {"name": name})

    def close_topic(self, chat: Chat, by: User, topic: Topic) -> None:
        topics.close_topic(self, chat, topic, by)

    def reopen_topic(self, chat: Chat, by: User, topic: Topic) -> None:
        topics.close_topic(self, chat, topic, by, closed=False)

    def hide_general_topic(self, chat: Chat, by: User, *, hidden: bool = True) -> None:
        chat.topics[GENERAL_TOPIC].hidden = hidden
        name = f"general_forum_topic_{'hidden' if hidden else 'unhidden'}"
        self.announce(self.post(chat, {name: {}}, by))

    def post_service(self, chat: Chat, by: User, content: Json) -> Message:
        """Any other message nobody wrote, such as {"video_chat_started": {}}."""
        message = self.post(chat, content, self._shown_as(chat, by))
        self.announce(message)
        return message

    def _shown_as(self, chat: Chat, by: User) -> User | None:
        """Channels hide who did something."""
        return None if chat.type == "channel" else by
