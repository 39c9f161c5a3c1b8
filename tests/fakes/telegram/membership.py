"""Who is in a chat and what they may do there; what bots hear of a change."""

from collections.abc import Iterable

from tests.fakes.telegram.bots import Bot
from tests.fakes.telegram.chats import Chat, Member, Status
from tests.fakes.telegram.people import User
from tests.fakes.telegram.world import World

__all__ = ["become", "join", "leave", "title"]


def become(
    world: World,
    chat: Chat,
    user: User,
    status: Status,
    by: User,
    rights: Iterable[str] = (),
    *,
    until_date: int = 0,
) -> Member:
    """Another part in the chat; bots are told."""
    old = chat.member(user)
    promoted_by = by if status == "administrator" else None
    new = Member(user, status, frozenset(rights), old.title, until_date, promoted_by)
    chat.members[user.id] = new
    world.member_changed(chat, by, old, new)
    return new


def join(world: World, chat: Chat, users: list[User], by: User) -> None:
    """They come by themselves or are brought; channels say nothing of it."""
    with world.one_moment():
        for user in users:
            become(world, chat, user, "member", by)
        if chat.type != "channel":
            added = {"new_chat_members": [user.json() for user in users]}
            world.announce(world.post(chat, added, by), but=by)


def leave(world: World, chat: Chat, user: User, by: User, *, banned: bool = False) -> None:
    """They go or are put out; who is put out for good cannot come back."""
    was_there = chat.member(user).present
    witnesses = [bot for bot in world.bots_in(chat) if bot is not user or chat.type == "group"]
    with world.one_moment():
        if chat.type != "channel" and was_there:
            gone = world.post(chat, {"left_chat_member": user.json()}, by)
            for bot in witnesses:
                world.emit(bot, "message", gone.json(bot))
        become(world, chat, user, "kicked" if banned else "left", by)


def title(world: World, chat: Chat, text: str, by: User) -> None:
    chat.title = text
    world.announce(world.post(chat, {"new_chat_title": text}, None if _hides(chat, by) else by))


def _hides(chat: Chat, by: User) -> bool:
    return chat.type == "channel" and not isinstance(by, Bot)
