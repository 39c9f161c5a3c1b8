"""From Telegram's updates to what happened: events as they are stored, and what they mean.

An update is stored as it came, and beside it what it does not say itself: when it arrived, whose it
is, and for votes which message their poll is.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import orjson

from messengers.errors import InvalidInput
from messengers.models import Mark, Reaction
from messengers.providers.base import (
    ChatSeen,
    Happening,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    PollCounted,
    PollVoted,
    ReactionChanged,
    ReactionSeen,
)
from messengers.providers.telegram import notices
from messengers.providers.telegram.notices import Known, time_of
from messengers.providers.telegram.people import (
    Json,
    chats_seen,
    place_of,
    sender_of,
    user_as_sender,
)
from messengers.providers.telegram.places import message_native
from messengers.providers.telegram.reading import Body, read

__all__ = ["BESIDE", "UPDATES", "translate"]

_NUMBERED = re.compile(r"^\d+:")
BESIDE = "messengers"
"""The key under which an update carries what we know beside it."""


def translate(kind: str, payload: bytes) -> Sequence[Happening]:
    """What a stored update means.

    Raises InvalidInput for what this version does not know: it is kept as it came.
    """
    reader = _READERS.get(kind)
    if reader is None:
        raise InvalidInput("Telegram told what this version does not know.")
    try:
        update = orjson.loads(payload)
        beside = update[BESIDE]
        known = Known(
            update=update["update_id"],
            at=time_of(beside["at"]),
            me=beside["me"],
            name=beside["name"].lower(),
            poll=beside.get("poll", {}),
        )
        return list(reader(update[kind], known))
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
        raise InvalidInput("Telegram told something malformed.") from exc


def _message(message: Json, known: Known) -> Iterator[Happening]:
    *above, chat = chats_seen(message)
    yield from above
    if "migrate_to_chat_id" in message:
        new = str(message["migrate_to_chat_id"])
        chat = ChatSeen(new, "group", chat.name, "platform", alt_ids=(chat.native_id,))
    elif "migrate_from_chat_id" in message:
        old = str(message["migrate_from_chat_id"])
        chat = ChatSeen(chat.native_id, "group", chat.name, "platform", alt_ids=(old,))
    if "new_chat_members" in message or "left_chat_member" in message:
        yield from notices.members(message, chat, known)
        return
    body = read(message)
    sender = sender_of(message, known.me)
    ours = sender.is_me or _by_account(message)
    yield MessageSeen(
        chat=chat,
        native_id=message_native(message["chat"]["id"], message["message_id"]),
        sender=sender,
        sent_at=time_of(message["date"]),
        direction="out" if ours else "in",
        text=body.text,
        attachments=body.attachments,
        reply_to_native_id=_answered(message),
        album=str(message.get("media_group_id", "")),
        mentions_me=not ours and _mentions(message, known),
        location=body.location,
        contact=body.contact,
        poll=body.poll,
        buttons=body.buttons,
        marks=_marks(message, body),
    )


def _by_account(message: Json) -> bool:
    """Whether the business account wrote, rather than the person whose chat it is."""
    return "business_connection_id" in message and message["from"]["id"] != message["chat"]["id"]


def _answered(message: Json) -> str:
    """The message that is answered. In a topic what seems to answer its beginning answers none."""
    answered = message.get("reply_to_message")
    if answered is None or "forum_topic_created" in answered:
        return ""
    return message_native(message["chat"]["id"], answered["message_id"])


def _mentions(message: Json, known: Known) -> bool:
    """Whether others are there and it is said to this account."""
    if message["chat"]["type"] == "private":
        return False
    if message.get("reply_to_message", {}).get("from", {}).get("id") == known.me:
        return True
    text = message.get("text", message.get("caption", ""))
    units = text.encode("utf-16-le", "surrogatepass")
    for entity in (*message.get("entities", ()), *message.get("caption_entities", ())):
        start, end = entity["offset"] * 2, (entity["offset"] + entity["length"]) * 2
        said = units[start:end].decode("utf-16-le", "replace").lower()
        if entity["type"] == "mention" and said == f"@{known.name}":
            return True
        if entity["type"] == "text_mention" and entity["user"]["id"] == known.me:
            return True
        if entity["type"] == "bot_command" and said.partition("@")[2] in ("", known.name):
            return True
    return False


def _marks(message: Json, body: Body) -> tuple[Mark, ...]:
    marks: list[Mark] = ["service"] if body.is_service else []
    if "forward_origin" in message and not message.get("is_automatic_forward"):
        marks.append("forwarded")
    return tuple(marks)


def _edited(message: Json, known: Known) -> Iterator[Happening]:
    yield from chats_seen(message)
    yield MessageEdited(
        chat_native_id=place_of(message).native_id,
        native_id=message_native(message["chat"]["id"], message["message_id"]),
        text=read(message).text,
        at=time_of(message.get("edit_date", known.at.timestamp())),
    )


def _reaction(change: Json, known: Known) -> Iterator[Happening]:
    sender = change.get("user") or change["actor_chat"]
    yield from chats_seen(change)
    yield ReactionChanged(
        chat_native_id=str(change["chat"]["id"]),
        native_id=message_native(change["chat"]["id"], change["message_id"]),
        sender_native_id=str(sender["id"]),
        emojis=tuple(_emoji(each) for each in change["new_reaction"]),
        at=time_of(change["date"]),
        is_me=sender["id"] == known.me,
    )


def _reaction_count(change: Json, _known: Known) -> Iterator[Happening]:
    yield from chats_seen(change)
    yield ReactionSeen(
        chat_native_id=str(change["chat"]["id"]),
        native_id=message_native(change["chat"]["id"], change["message_id"]),
        reactions=tuple(
            Reaction(emoji=_emoji(each["type"]), count=each["total_count"])
            for each in change["reactions"]
        ),
        at=time_of(change["date"]),
    )


def _emoji(reaction: Json) -> str:
    """Of an emoji that somebody made Telegram tells a number only; a paid one is a star."""
    names = {"custom_emoji": "custom emoji", "paid": "⭐"}
    return reaction["emoji"] if reaction["type"] == "emoji" else names[reaction["type"]]


def _pressed(query: Json, known: Known) -> Iterator[Happening]:
    """A button under a message of ours: what it said, as an answer to that message."""
    user: Json = query["from"]
    # Without a message the button stands where the account is not.
    message: Json = query.get("message") or {"chat": {**user, "type": "private"}}
    *above, chat = chats_seen(message)
    yield from above
    answered = message.get("message_id")
    yield MessageSeen(
        chat=chat,
        native_id=f"pressed:{query['id']}",
        sender=user_as_sender(user, known.me),
        sent_at=known.at,
        direction="in",
        text=f"(pressed: {_label(query)})",
        reply_to_native_id=message_native(message["chat"]["id"], answered) if answered else "",
        mentions_me=message["chat"]["type"] != "private",
    )


def _label(query: Json) -> str:
    """What stood on the button; where Telegram does not tell any more, what it stands for."""
    data = query.get("data", query.get("game_short_name", ""))
    rows = query.get("message", {}).get("reply_markup", {}).get("inline_keyboard", ())
    buttons: list[Json] = [button for row in rows for button in row]
    said = next((each["text"] for each in buttons if each.get("callback_data") == data), "")
    # Ours carry a number before what they say.
    return said or _NUMBERED.sub("", data)


def _voted(answer: Json, known: Known) -> Iterator[Happening]:
    """A vote in a poll of ours. Of others' polls Telegram tells none."""
    if not known.poll:
        return
    voter = answer.get("user") or answer["voter_chat"]
    yield PollVoted(
        chat_native_id=known.poll["chat"],
        native_id=known.poll["message"],
        voter_native_id=str(voter["id"]),
        options=tuple(known.poll["options"][number] for number in answer["option_ids"]),
        at=known.at,
    )


def _counted(poll: Json, known: Known) -> Iterator[Happening]:
    """The votes of a poll of ours: all that is told of one in a channel."""
    if known.poll:
        votes = tuple(option["voter_count"] for option in poll["options"])
        yield PollCounted(known.poll["chat"], known.poll["message"], votes, known.at)


def _deleted(change: Json, known: Known) -> Iterator[Happening]:
    chat = chats_seen(change)[-1]
    yield chat
    for number in change["message_ids"]:
        native = message_native(change["chat"]["id"], number)
        yield MessageDeleted(chat.native_id, native, known.at)


def _unseen(_update: Json, _known: Known) -> Iterator[Happening]:
    """What no chat shows: queries of the inline mode."""
    yield from ()


_READERS: Mapping[str, Callable[[Any, Known], Iterator[Happening]]] = {
    "message": _message,
    "edited_message": _edited,
    "channel_post": _message,
    "edited_channel_post": _edited,
    "business_connection": notices.connection,
    "business_message": _message,
    "edited_business_message": _edited,
    "deleted_business_messages": _deleted,
    "guest_message": _message,
    "message_reaction": _reaction,
    "message_reaction_count": _reaction_count,
    "inline_query": _unseen,
    "chosen_inline_result": _unseen,
    "callback_query": _pressed,
    "shipping_query": notices.shipping,
    "pre_checkout_query": notices.checkout,
    "purchased_paid_media": notices.purchase,
    "poll": _counted,
    "poll_answer": _voted,
    "my_chat_member": notices.member,
    "chat_member": notices.member,
    "chat_join_request": notices.join_request,
    "chat_boost": notices.boost,
    "removed_chat_boost": notices.boost,
    "managed_bot": notices.managed_bot,
}
UPDATES = tuple(_READERS)
"""Every kind of update there is, which Telegram is asked for by name: it leaves some out else."""
