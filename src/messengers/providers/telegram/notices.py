"""What Telegram tells of people and chats beside messages: who came, left or paid, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from messengers.models import Mark, Sender
from messengers.providers.base import ChatSeen, Happening, MessageSeen
from messengers.providers.telegram.announcements import amount, change_words
from messengers.providers.telegram.people import (
    Json,
    chats_seen,
    name_of,
    title_of,
    user_as_sender,
)

__all__ = [
    "Known",
    "boost",
    "checkout",
    "connection",
    "join_request",
    "managed_bot",
    "member",
    "members",
    "purchase",
    "shipping",
    "time_of",
]


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside an update."""

    update: int
    at: datetime
    me: int
    name: str
    """The account's username, without @."""
    poll: Json


def members(message: Json, chat: ChatSeen, known: Known) -> Iterator[Happening]:
    """Who came or went: one line each, under the id that the members' own updates give it too."""
    came = "new_chat_members" in message
    users: list[Json] = message["new_chat_members"] if came else [message["left_chat_member"]]
    actor = message.get("from", users[0])
    for user in users:
        out, in_ = {"status": "left", "user": user}, {"status": "member", "user": user}
        before, after = (out, in_) if came else (in_, out)
        word, clause = change_words(actor, before, after, known.me)
        native = f"member:{user['id']}:{message['date']}:{word}"
        yield _line(chat, native, actor, clause, time_of(message["date"]), known)


def member(change: Json, known: Known) -> Iterator[Happening]:
    """Somebody, or the account itself, joined, left, became an admin or lost it."""
    chat = chats_seen(change)[-1]
    before, after = change["old_chat_member"], change["new_chat_member"]
    word, clause = change_words(change["from"], before, after, known.me)
    if change["chat"]["type"] == "private":
        clause = {"left": "blocked this bot", "joined": "unblocked this bot"}.get(word, clause)
    if not clause:
        yield chat
        return
    native = f"member:{after['user']['id']}:{change['date']}:{word}"
    yield _line(chat, native, change["from"], clause, time_of(change["date"]), known)


def join_request(request: Json, known: Known) -> Iterator[Happening]:
    """Somebody asks the admins, of whom the account is one, to be let in."""
    chat, bio = chats_seen(request)[-1], request.get("bio", "")
    clause = f"{name_of(request['from'])} asks to join{f': {bio}' if bio else ''}"
    at = time_of(request["date"])
    yield _line(chat, f"request:{known.update}", request["from"], clause, at, known)


def boost(change: Json, known: Known) -> Iterator[Happening]:
    """A boost came, or went."""
    told = change.get("boost", change)
    user = told["source"].get("user")
    who = name_of(user) if user else "somebody"
    at = time_of(told["add_date"] if "boost" in change else told["remove_date"])
    verb = "boosted the chat" if "boost" in change else "boosts the chat no more"
    chat = chats_seen(change)[-1]
    actor = user or change["chat"]
    yield _line(chat, f"boost:{known.update}", actor, f"{who} {verb}", at, known)


def connection(change: Json, known: Known) -> Iterator[Happening]:
    """Somebody lets the account answer in his place, or does no more."""
    verb = "lets this bot answer for" if change["is_enabled"] else "took this bot off"
    clause = f"{name_of(change['user'])} {verb} a business account"
    yield from _told_by(change["user"], clause, known, service=True)


def purchase(purchase: Json, known: Known) -> Iterator[Happening]:
    """Somebody paid to see media of ours."""
    yield from _told_by(purchase["from"], f"bought {purchase['paid_media_payload']}", known)


def shipping(query: Json, known: Known) -> Iterator[Happening]:
    """Somebody who buys told where to send it."""
    where = ", ".join(str(part) for part in query["shipping_address"].values() if part)
    clause = f"asks what it costs to send {query['invoice_payload']} to {where}"
    yield from _told_by(query["from"], clause, known)


def checkout(query: Json, known: Known) -> Iterator[Happening]:
    """Somebody is about to pay."""
    price = amount(query["total_amount"], query["currency"])
    yield from _told_by(
        query["from"], f"wants to pay {price} for {query['invoice_payload']}", known
    )


def managed_bot(change: Json, known: Known) -> Iterator[Happening]:
    """Somebody made a bot for the account to run."""
    clause = f"lets this bot manage {name_of(change['bot'])}"
    yield from _told_by(change["user"], clause, known, service=True)


def _told_by(
    user: Json, clause: str, known: Known, *, service: bool = False
) -> Iterator[Happening]:
    """What somebody did towards the account, in the dm with him."""
    chat = chats_seen({"chat": {**user, "type": "private"}})[0]
    marks: tuple[Mark, ...] = ("service",) if service else ()
    yield MessageSeen(
        chat=chat,
        native_id=f"update:{known.update}",
        sender=user_as_sender(user, known.me),
        sent_at=known.at,
        direction="in",
        text=f"({clause})",
        marks=marks,
    )


def _line(
    chat: ChatSeen, native_id: str, actor: Json, clause: str, at: datetime, known: Known
) -> MessageSeen:
    """A line that the app shows between the messages."""
    sender = (
        user_as_sender(actor, known.me)
        if "title" not in actor
        else Sender(native_id=str(actor["id"]), display_name=title_of(actor))
    )
    return MessageSeen(
        chat=chat,
        native_id=native_id,
        sender=sender,
        sent_at=at,
        direction="out" if sender.is_me else "in",
        text=f"({clause})",
        marks=("service",),
    )


def time_of(seconds: float) -> datetime:
    """A moment of Telegram's, in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC)
