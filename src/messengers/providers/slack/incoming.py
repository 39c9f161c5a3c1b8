"""From Slack's events to what happened: as they are stored, and what they mean.

An event is stored as it came, and beside it what it does not say itself: whose it is, and who and
what its ids mean. Kinds are Slack's own: https://docs.slack.dev/reference/events.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

from messengers.errors import InvalidInput
from messengers.models import ChatKind, Mark, Origin, Sender
from messengers.providers.base import (
    ChatSeen,
    ContactSeen,
    Happening,
    MessageDeleted,
    MessageEdited,
    MessageSeen,
    ReactionTurned,
)
from messengers.providers.slack.directory import name_of_person, place_of
from messengers.providers.slack.emoji import emoji_of
from messengers.providers.slack.places import is_person, time_of
from messengers.providers.slack.reading import read
from messengers.providers.slack.wire import Json, as_object

__all__ = ["BESIDE", "COMMAND", "MET", "Known", "chat_of", "message_seen", "translate"]

BESIDE = "messengers"
"""The key under which an event carries what we know beside it."""
COMMAND, MET = "slash_command", "conversation_met"
"""Kinds of our own: Slack calls a command none, and tells nothing when it is asked."""
_KINDS: Mapping[str, ChatKind] = {"im": "dm", "mpim": "group", "channel": "group", "group": "group"}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside an event."""

    at: datetime
    me: str
    bot: str
    """The account's own id as a bot; a person has none."""
    handle: str
    names: Mapping[str, Mapping[str, Json]]

    @classmethod
    def read(cls, beside: Json) -> "Known":
        """As it is stored beside an event."""
        names: Mapping[str, Mapping[str, Json]] = beside.get("names", {})
        at = time_of(beside["at"])
        return cls(at, beside["me"], beside["bot"], beside["handle"], names)


def translate(kind: str, payload: bytes) -> Sequence[Happening]:
    """What a stored event means; nothing of one that no chat shows.

    Raises InvalidInput for what cannot be read: it is kept as it came.
    """
    reader = _READERS.get(kind)
    try:
        event = orjson.loads(payload)
        known = Known.read(event[BESIDE])
        return list(reader(event, known)) if reader else []
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as exc:
        raise InvalidInput("Slack told something malformed.") from exc


def chat_of(channel: str, kind: str, known: Known, writer: str = "") -> ChatSeen:
    """The chat of a conversation: a direct message goes by the other person.

    Where Slack did not say in time who that is, whoever else writes there is.
    """
    place = known.names.get("places", {}).get(channel, {})
    if kind == "im" or channel.startswith("D"):
        peer = str(place.get("peer") or ("" if writer == known.me else writer))
        person = known.names.get("users", {}).get(peer, {})
        return ChatSeen(
            native_id=peer or channel,
            kind="dm",
            name=str(person.get("name", "")),
            username=str(person.get("handle", "")),
            alt_ids=(channel,) if peer else (),
        )
    return ChatSeen(channel, _KINDS.get(kind, "group"), str(place.get("name", "")), "platform")


def message_seen(message: Json, chat: ChatSeen, known: Known) -> MessageSeen:
    """A message of Slack's JSON."""
    body = read(message, known.names)
    sender = _sender(message, known)
    ts: str = message["ts"]
    thread = str(message.get("thread_ts") or "")
    is_reply = thread not in ("", ts)
    marks: tuple[Mark, ...] = ("service",) if body.is_service else ()
    return MessageSeen(
        chat=chat,
        native_id=ts,
        sender=sender,
        sent_at=time_of(ts),
        direction="out" if sender.is_me else "in",
        origin=_origin(message, sender),
        text=body.text,
        attachments=body.attachments,
        reply_to_native_id=thread if is_reply else "",
        thread=thread if is_reply else "",
        mentions_me=not sender.is_me and chat.kind != "dm" and _mentions(message, known),
        buttons=body.buttons,
        marks=marks,
    )


def _sender(message: Json, known: Known) -> Sender:
    user, bot = str(message.get("user") or ""), str(message.get("bot_id") or "")
    if known.me in (user, "") or (bot and bot == known.bot):
        return Sender(native_id="", is_me=True, is_bot=bool(known.bot))
    if user:
        return _person(user, known)
    app = known.names.get("apps", {}).get(bot, {})
    name = message.get("username") or message.get("bot_profile", {}).get("name") or app.get("name")
    return Sender(native_id=bot or "slack", display_name=str(name or "an app"), is_bot=True)


def _person(user: str, known: Known) -> Sender:
    person = known.names.get("users", {}).get(user, {})
    return Sender(
        native_id=user,
        display_name=str(person.get("name", "")),
        username=str(person.get("handle", "")),
        is_bot=bool(person.get("bot")),
    )


def _origin(message: Json, sender: Sender) -> Origin:
    """The owner's own hand: only what Slack's own apps sent, nothing that an app wrote as him."""
    by_app = "app_id" in message or "bot_id" in message
    return "device" if sender.is_me and "client_msg_id" in message and not by_app else "realtime"


def _mentions(message: Json, known: Known) -> bool:
    """Whether it is said to this account, in the text or in blocks."""
    if message.get("parent_user_id") == known.me:
        return True
    said = orjson.dumps([message.get("text"), message.get("blocks")]).decode()
    return f"<@{known.me}>" in said or f"<@{known.me}|" in said or f'"{known.me}"' in said


def _message(event: Json, known: Known) -> Iterator[Happening]:
    writer = str(event.get("user") or "")
    chat = chat_of(event["channel"], str(event.get("channel_type", "")), known, writer)
    match event.get("subtype"):
        case "message_changed":
            yield from _changed(event, chat, known)
        case "message_deleted":
            yield MessageDeleted(chat.native_id, str(event["deleted_ts"]), known.at)
        case "message_replied" | "channel_convert_to_private":
            yield chat  # the reply itself comes as a message
        case _:
            yield message_seen(event, chat, known)


def _changed(event: Json, chat: ChatSeen, known: Known) -> Iterator[Happening]:
    """Another text; also a message with replies that was deleted. No preview that came later."""
    message, before = event["message"], event.get("previous_message", {})
    ts = str(message["ts"])
    if message.get("subtype") == "tombstone":
        yield MessageDeleted(chat.native_id, ts, known.at)
        return
    if message.get("edited") == before.get("edited") and message.get("text") == before.get("text"):
        return
    edited = as_object(message.get("edited"))
    at = time_of(edited["ts"]) if "ts" in edited else known.at
    yield MessageEdited(chat.native_id, ts, read(message, known.names).text, at)


def _reaction(event: Json, known: Known) -> Iterator[Happening]:
    item = event["item"]
    if item.get("type") != "message":
        return  # to a file: no message of a chat
    chat, user = chat_of(item["channel"], "", known), str(event["user"])
    is_me = user == known.me
    yield ReactionTurned(
        chat_native_id=chat.native_id,
        native_id=str(item["ts"]),
        sender_native_id="" if is_me else user,
        emoji=emoji_of(str(event["reaction"])),
        given=event["type"] == "reaction_added",
        at=time_of(event["event_ts"]) if "event_ts" in event else known.at,
        is_me=is_me,
    )


def _pressed(event: Json, known: Known) -> Iterator[Happening]:
    """A button, or a choice, under a message: what it said, as an answer to that message."""
    channel = str(as_object(event.get("channel")).get("id") or "")
    if not channel:
        return  # in a form or on the app's own page: no chat shows it
    chat = chat_of(channel, "", known)
    answered = as_object(event.get("container")).get("message_ts") or ""
    for action in event["actions"]:
        yield MessageSeen(
            chat=chat,
            native_id=f"pressed:{action['action_ts']}",
            sender=_person(str(event["user"]["id"]), known),
            sent_at=time_of(action["action_ts"]),
            direction="in",
            text=f"(pressed: {_label(action)})",
            reply_to_native_id=str(answered),
            mentions_me=chat.kind != "dm",
        )


def _label(action: Json) -> str:
    """What stood on it, or what was chosen or typed there."""
    chosen = [action.get("selected_option"), *(action.get("selected_options") or ())]
    shown = [action.get("text"), *(as_object(each).get("text") for each in chosen)]
    said = [str(as_object(each).get("text") or "") for each in shown]
    values = [value for name, value in action.items() if name.startswith("selected_") and value]
    plain = [value for value in (action.get("value"), *values) if isinstance(value, str)]
    return ", ".join(filter(None, said)) or ", ".join(plain) or str(action.get("action_id", ""))


def _command(event: Json, known: Known) -> Iterator[Happening]:
    """A slash command: what was typed."""
    yield MessageSeen(
        chat=chat_of(str(event["channel_id"]), "", known),
        native_id=f"command:{event['trigger_id']}",
        sender=_person(str(event["user_id"]), known),
        sent_at=known.at,
        direction="in",
        text=f"{event['command']} {event.get('text') or ''}".rstrip(),
        mentions_me=True,
    )


def _met(event: Json, known: Known) -> Iterator[Happening]:
    """A conversation that was asked for by its name."""
    yield chat_of(str(event["channel"]), "", known)


def _place(event: Json, known: Known) -> Iterator[Happening]:
    """A conversation is called otherwise, or there is a new one the account is in."""
    channel = as_object(event["channel"])
    if "name" in channel and _is_known(channel["id"], known):
        name = str(place_of(channel, known.handle)["name"])
        yield ChatSeen(channel["id"], "group", name, "platform")


def _is_known(channel: str, known: Known) -> bool:
    return bool(known.names.get("places", {}).get(channel, {}).get("here"))


def _joined(event: Json, known: Known) -> Iterator[Happening]:
    """The account came into a channel: it is a chat from now on."""
    if event.get("user") == known.me:
        yield chat_of(event["channel"], "channel", known)


def _person_changed(event: Json, _known: Known) -> Iterator[Happening]:
    user = event["user"]
    person = name_of_person(user)
    if is_person(user["id"]):
        yield ContactSeen(
            user["id"], person["name"], username=person["handle"], is_bot=person["bot"]
        )


_READERS: Mapping[str, Callable[[Any, Known], Iterator[Happening]]] = {
    "message": _message,
    "app_mention": _message,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "block_actions": _pressed,
    COMMAND: _command,
    MET: _met,
    "channel_rename": _place,
    "group_rename": _place,
    "member_joined_channel": _joined,
    "user_change": _person_changed,
}
