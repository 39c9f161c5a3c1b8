"""From Discord's events to what happened: events as they are stored, and what they mean.

An event is stored as it came, and beside it what it does not say itself: when it arrived, whose it
is, and which chat its channel is.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

from messengers.errors import InvalidInput
from messengers.models import Mark, Sender
from messengers.providers.base import (
    ContactSeen,
    Happening,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    PollCounted,
    ReactionSeen,
    ReactionTurned,
)
from messengers.providers.discord.components import choices_of, filled_in, label_of
from messengers.providers.discord.fields import Json, part, parts
from messengers.providers.discord.people import chats_seen, name_of, sender_of
from messengers.providers.discord.places import USER
from messengers.providers.discord.reading import poll_of, read

__all__ = ["BESIDE", "READERS", "Known", "message_seen", "moment", "translate"]

BESIDE = "messengers"
"""The key under which an event carries what we know beside it."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside an event."""

    at: datetime
    me: str
    place: Json
    names: Mapping[str, str]
    """Of channels and roles in the text."""
    mine: Sequence[str] = ()
    """The roles in the text that mean the account."""
    places: Sequence[Json] = ()


def translate(kind: str, payload: bytes) -> Sequence[Happening]:
    """What a stored event means.

    Raises InvalidInput for what this version does not know: it is kept as it came.
    """
    reader = READERS.get(kind)
    if reader is None:
        raise InvalidInput("Discord told what this version does not know.")
    try:
        stored = orjson.loads(payload)
        beside = stored[BESIDE]
        known = Known(
            at=datetime.fromtimestamp(beside["at"], UTC),
            me=beside["me"],
            place=beside["place"],
            names=beside.get("names", {}),
            mine=beside.get("mine", ()),
            places=beside.get("places", ()),
        )
        return list(reader(stored["told"], known))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
        raise InvalidInput("Discord told something malformed.") from exc


def moment(text: str) -> datetime:
    """A time as Discord writes it."""
    return datetime.fromisoformat(text)


def _message(message: Json, known: Known) -> Iterator[Happening]:
    *above, _ = chats_seen(known.place)
    yield from above
    yield message_seen(message, known)


def message_seen(message: Json, known: Known) -> MessageSeen:
    """A message, of the gateway or of a channel's past."""
    body = read(message, known.names)
    # A webhook has the id of no user: whoever uses it writes under any name.
    sender = sender_of(message["author"], known.me, message.get("member"))
    marks: list[Mark] = []
    if body.is_service:
        marks.append("service")
    if body.is_forwarded:
        marks.append("forwarded")
    return MessageSeen(
        chat=chats_seen(known.place)[-1],
        native_id=str(message["id"]),
        sender=sender,
        sent_at=moment(message["timestamp"]),
        direction="out" if sender.is_me else "in",
        text=body.text,
        attachments=body.attachments,
        reply_to_native_id=_answered(message),
        mentions_me=not sender.is_me and _mentions(message, known),
        poll=body.poll,
        buttons=body.buttons,
        marks=tuple(marks),
    )


def _answered(message: Json) -> str:
    """The message that is answered; one that is forwarded is named in the same way."""
    reference = part(message, "message_reference")
    is_answer = message.get("type") in (19, 23) and not reference.get("type")
    return str(reference.get("message_id") or "") if is_answer else ""


def _mentions(message: Json, known: Known) -> bool:
    named = (str(each["id"]) for each in parts(message, "mentions"))
    return bool(known.mine) or known.me in named


def _updated(message: Json, known: Known) -> Iterator[Happening]:
    """An edit. Previews, pins and threads change a message too, and say nothing new."""
    native, chat = str(message["id"]), known.place["id"]
    if message.get("poll"):
        votes = poll_of(message["poll"]).votes
        yield PollCounted(chat, native, votes, known.at)
    if message.get("edited_timestamp") and "author" in message and "content" in message:
        text = read(message, known.names).text
        at = moment(message["edited_timestamp"])
        yield MessageEdited(chat, native, text, at)


def _deleted(told: Json, known: Known) -> Iterator[Happening]:
    for id in told.get("ids") or (told["id"],):
        yield MessageDeleted(known.place["id"], str(id), known.at)


def _given(told: Json, known: Known) -> Iterator[Happening]:
    yield _turned(told, known, given=True)


def _taken(told: Json, known: Known) -> Iterator[Happening]:
    yield _turned(told, known, given=False)


def _turned(told: Json, known: Known, *, given: bool) -> ReactionTurned:
    return ReactionTurned(
        chat_native_id=known.place["id"],
        native_id=str(told["message_id"]),
        sender_native_id=f"{USER}{told['user_id']}",
        emoji=_emoji(told["emoji"]),
        given=given,
        at=known.at,
        is_me=str(told["user_id"]) == known.me,
    )


def _emoji(emoji: Json) -> str:
    """A server's own one by its name."""
    name = str(emoji.get("name") or "deleted emoji")
    return f":{name}:" if emoji.get("id") else name


def _cleared(told: Json, known: Known) -> Iterator[Happening]:
    yield ReactionSeen(known.place["id"], str(told["message_id"]), (), known.at)


def _interaction(told: Json, known: Known) -> Iterator[Happening]:
    """Somebody pressed, chose, filled in or called something of this bot's."""
    *above, chat = chats_seen(known.place)
    yield from above
    member: Json = part(told, "member")
    user: Json = told.get("user") or member["user"]
    message: Json = part(told, "message")
    yield MessageSeen(
        chat=chat,
        native_id=f"interaction:{told['id']}",
        sender=sender_of(user, known.me, member),
        sent_at=known.at,
        direction="in",
        text=f"({_done(told, message)})",
        reply_to_native_id=str(message.get("id", "")),
        mentions_me=chat.kind != "dm",
    )


def _done(told: Json, message: Json) -> str:
    data: Json = part(told, "data")
    components = parts(message, "components")
    match told["type"]:
        case 3 if data.get("values"):
            return f"chose: {', '.join(choices_of(components, data))}"
        case 3:
            return f"pressed: {label_of(components, data['custom_id']) or data['custom_id']}"
        case 5:
            return f"filled in: {'; '.join(filled_in(data['components']))}"
        case _:
            said = (f"{each['name']}: {each.get('value', '')}" for each in data.get("options", ()))
            return " ".join((f"used /{data.get('name', '')}", *said)).strip()


def _guild(_told: Json, known: Known) -> Iterator[Happening]:
    """A server with its channels, so that they can be found before anybody writes there."""
    yield from chats_seen(known.place)
    for place in known.places:
        yield from chats_seen(place)[1:]


def _place(_told: Json, known: Known) -> Iterator[Happening]:
    """A channel or thread that is new, or has another name."""
    yield from chats_seen(known.place)


def _came(told: Json, _known: Known) -> Iterator[Happening]:
    """Somebody joined a server. Its own message of that stands in one of its channels."""
    user: Json = told["user"]
    yield ContactSeen(
        native_id=f"{USER}{user['id']}",
        display_name=name_of(user, told),
        username=str(user.get("username") or ""),
        is_bot=bool(user.get("bot")),
    )


def _left(told: Json, known: Known) -> Iterator[Happening]:
    """Somebody left a server, of which Discord writes nothing there."""
    user: Json = told["user"]
    yield MessageSeen(
        chat=chats_seen(known.place)[-1],
        native_id=f"left:{user['id']}:{int(known.at.timestamp())}",
        sender=Sender(native_id=f"{USER}{user['id']}", display_name=name_of(user)),
        sent_at=known.at,
        direction="in",
        text=f"({name_of(user)} left)",
        marks=("service",),
    )


READERS: Mapping[str, Callable[[Any, Known], Iterator[Happening]]] = {
    "MESSAGE_CREATE": _message,
    "MESSAGE_UPDATE": _updated,
    "MESSAGE_DELETE": _deleted,
    "MESSAGE_DELETE_BULK": _deleted,
    "MESSAGE_REACTION_ADD": _given,
    "MESSAGE_REACTION_REMOVE": _taken,
    "MESSAGE_REACTION_REMOVE_ALL": _cleared,
    "INTERACTION_CREATE": _interaction,
    "GUILD_CREATE": _guild,
    "GUILD_UPDATE": _place,
    "CHANNEL_CREATE": _place,
    "CHANNEL_UPDATE": _place,
    "THREAD_CREATE": _place,
    "THREAD_UPDATE": _place,
    "GUILD_MEMBER_ADD": _came,
    "GUILD_MEMBER_REMOVE": _left,
}
"""Events that mean something here; Discord has many more."""
