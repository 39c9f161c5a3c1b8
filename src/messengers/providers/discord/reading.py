"""What a message says: its text, files and the rest, so that nothing the app shows is left out.

The fields are those of https://docs.discord.com/developers/resources/message.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from messengers.models import Attachment, MediaKind, Poll
from messengers.providers.discord.announcements import service_words
from messengers.providers.discord.components import labels, written_in
from messengers.providers.discord.embeds import embed_words
from messengers.providers.discord.fields import Json, part, parts
from messengers.providers.discord.people import name_of

__all__ = ["Body", "option_texts", "poll_of", "read"]

_ORDINARY = frozenset({0, 19, 20, 23})
"""Types of messages that somebody wrote: text, answers, and those of commands."""
_VOICE = 1 << 13
_MENTION = re.compile(r"<@!?(\d{15,20})>")
_CHANNEL = re.compile(r"<#(\d{15,20})>")
_ROLE = re.compile(r"<@&(\d{15,20})>")
_EMOJI = re.compile(r"<a?(:\w{1,64}:)\d{15,20}>")
_COMMAND = re.compile(r"<(/[^:<>]{1,100}):\d{15,20}>")
_TIME = re.compile(r"<t:(-?\d{1,12})(?::[tTdDfFR])?>")
_STICKERS = {1: ("png", "image/png"), 2: ("png", "image/png"), 4: ("gif", "image/gif")}
_LOTTIE = ("json", "application/json")


@dataclass(frozen=True, slots=True)
class Body:
    """A message in the words of the contract."""

    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    poll: Poll | None = None
    buttons: tuple[str, ...] = ()
    is_service: bool = False
    """The app shows it between the messages."""
    is_forwarded: bool = False


def read(message: Json, names: Mapping[str, str]) -> Body:
    """What a message says. Never empty. `names` are those of channels and roles by id."""
    if int(message.get("type", 0)) not in _ORDINARY:
        return Body(text=f"({service_words(message)})", is_service=True)
    body = _content(message, message, names)
    if message.get("poll"):
        poll = poll_of(message["poll"])
        lines = (f"Poll: {poll.question}", *(f"- {option}" for option in poll.options))
        body = replace(body, text="\n".join(filter(None, (body.text, *lines))), poll=poll)
    for snapshot in parts(message, "message_snapshots"):
        inner = _content(snapshot["message"], message, names)
        text = "\n".join(filter(None, (body.text, "(forwarded)", inner.text)))
        files = (*body.attachments, *inner.attachments)
        body = replace(body, text=text, attachments=files, is_forwarded=True)
    if not (body.text or body.attachments or body.buttons):
        # Without its intent a bot gets everything of a message but what it says.
        body = replace(body, text="(Discord does not show this bot what the message says)")
    return body


def _content(part: Json, message: Json, names: Mapping[str, str]) -> Body:
    """Of a message, or of one that it forwards."""
    components = parts(part, "components")
    lines = [_named(str(part.get("content") or ""), message, names)]
    lines += written_in(components)
    lines += embed_words(parts(part, "embeds"))
    stickers = parts(part, "sticker_items")
    lines += [f"(sticker: {each['name']})" for each in stickers]
    return Body(
        text="\n".join(filter(None, lines)),
        attachments=(*_files(part, message), *map(_sticker, stickers)),
        buttons=tuple(labels(components)),
    )


def _named(text: str, message: Json, names: Mapping[str, str]) -> str:
    """The text with names where Discord has ids."""
    people = {str(each["id"]): name_of(each) for each in parts(message, "mentions")}
    text = _MENTION.sub(lambda found: f"@{people.get(found[1], found[1])}", text)
    text = _ROLE.sub(lambda found: f"@{names.get(found[1], 'a role')}", text)
    text = _CHANNEL.sub(lambda found: f"#{names.get(found[1], found[1])}", text)
    text = _COMMAND.sub(r"\1", _EMOJI.sub(r"\1", text))
    return _TIME.sub(_moment, text)


def _moment(found: re.Match[str]) -> str:
    try:
        return datetime.fromtimestamp(int(found[1]), UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return found[0]


def _files(part: Json, message: Json) -> Iterator[Attachment]:
    is_voice = bool(int(part.get("flags") or 0) & _VOICE)
    for file in parts(part, "attachments"):
        mime = str(file.get("content_type") or "").partition(";")[0]
        yield Attachment(
            kind="voice" if is_voice else _kind(mime),
            native_ref=f"{message['channel_id']}/{message['id']}/{file['id']}",
            mime=mime,
            name=str(file.get("title") or file.get("filename") or ""),
            size_bytes=file.get("size"),
            duration_s=file.get("duration_secs"),
            width=file.get("width"),
            height=file.get("height"),
        )


def _kind(mime: str) -> MediaKind:
    if mime == "image/gif":
        return "gif"
    kinds: dict[str, MediaKind] = {"image": "image", "video": "video", "audio": "audio"}
    return kinds.get(mime.partition("/")[0], "document")


def _sticker(sticker: Json) -> Attachment:
    suffix, mime = _STICKERS.get(int(sticker["format_type"]), _LOTTIE)
    ref = f"sticker:{sticker['id']}.{suffix}"
    return Attachment(kind="sticker", native_ref=ref, mime=mime, name=str(sticker["name"]))


def option_texts(poll: Json) -> Sequence[str]:
    """The answers of a poll, in their order."""
    found: list[str] = []
    for each in poll["answers"]:
        media = each["poll_media"]
        emoji = part(media, "emoji").get("name")
        found.append(" ".join(filter(None, (emoji, media.get("text")))) or "?")
    return found


def poll_of(poll: Json) -> Poll:
    """With the votes as they stand, where Discord tells them."""
    counts = {
        each["id"]: int(each["count"]) for each in part(poll, "results").get("answer_counts", ())
    }
    return Poll(
        question=str(poll["question"].get("text") or "?"),
        options=tuple(option_texts(poll)),
        votes=tuple(counts.get(each["answer_id"], 0) for each in poll["answers"]),
        multiple=bool(poll.get("allow_multiselect")),
    )
