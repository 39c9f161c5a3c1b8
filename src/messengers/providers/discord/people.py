"""Discord's users and channels in the words of the contract."""

from messengers.models import Sender
from messengers.providers.base import ChatSeen
from messengers.providers.discord.fields import Json
from messengers.providers.discord.places import USER

__all__ = ["chats_seen", "name_of", "sender_of"]


def name_of(user: Json, member: Json | None = None) -> str:
    """What a user is called: in a server by his name there."""
    nick = (member or {}).get("nick")
    return str(nick or user.get("global_name") or user.get("username") or "someone")


def sender_of(user: Json, me: str, member: Json | None = None) -> Sender:
    """A user, or the account itself."""
    if str(user["id"]) == me:
        return Sender(native_id="", is_me=True, is_bot=True)
    return Sender(
        native_id=f"{USER}{user['id']}",
        display_name=name_of(user, member),
        username=str(user.get("username") or ""),
        is_bot=bool(user.get("bot")),
    )


def chats_seen(place: Json) -> list[ChatSeen]:
    """A chat, after those that it is in."""
    found: list[ChatSeen] = []
    for each in (*place.get("above", ()), place):
        found.append(
            ChatSeen(
                native_id=each["id"],
                kind=each["kind"],
                name=each["name"],
                name_source="stranger" if each["kind"] == "dm" else "platform",
                username=each.get("username", ""),
                parent_native_id=found[-1].native_id if found else "",
            )
        )
    return found
