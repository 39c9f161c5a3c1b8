"""How a message is made from what a bot or a webhook sends."""

import re
from typing import Unpack, cast

from tests.fakes.discord.access import known_channel
from tests.fakes.discord.bodies import ids, part, parts
from tests.fakes.discord.channels import Channel
from tests.fakes.discord.components import numbered
from tests.fakes.discord.embeds import kept_embeds
from tests.fakes.discord.files import Attachment, kind_of
from tests.fakes.discord.mentions import notified
from tests.fakes.discord.messages import Flag, Message, MessageKind
from tests.fakes.discord.people import Json, User
from tests.fakes.discord.permissions import Permission
from tests.fakes.discord.polls import Poll
from tests.fakes.discord.posts import Details
from tests.fakes.discord.refusal import InvalidForm, Refused
from tests.fakes.discord.requests import Upload
from tests.fakes.discord.world import World

__all__ = ["attached", "made"]

Files = dict[str, Upload]
_FILES_MAX = 10
_SETTABLE = (
    Flag.SUPPRESS_EMBEDS
    | Flag.SUPPRESS_NOTIFICATIONS
    | Flag.IS_VOICE_MESSAGE
    | Flag.IS_COMPONENTS_V2
)


def made(
    world: World,
    author: User,
    channel: Channel,
    body: Json,
    files: Files,
    **details: Unpack[Details],
) -> Message:
    """From a form that was checked; nobody is told yet."""
    reference = _reference(world, author, channel, body)
    is_forward = _is_forward(body)
    flags = Flag(body.get("flags") or 0) & _SETTABLE
    if details.get("for_user"):
        flags |= Flag.EPHEMERAL
    found: Details = {
        "nonce": body.get("nonce"),
        "tts": bool(body.get("tts")),
        "flags": flags | Flag.HAS_SNAPSHOT if is_forward else flags,
        "reference": reference,
        "is_forward": is_forward,
        "kind": MessageKind.REPLY if reference and not is_forward else MessageKind.DEFAULT,
        "attachments": attached(world, channel, body, files),
        "components": numbered(parts(body, "components")),
        "stickers": _stickers(world, author, body),
        "poll": _poll(world, part(body, "poll")),
    }
    found["embeds"] = kept_embeds(parts(body, "embeds"), found["attachments"], world.library)
    content = cast("str", body.get("content") or "").strip()
    given = [content, *(found[name] for name in ("attachments", "embeds", "components"))]
    if not any([*given, found["stickers"], found["poll"], is_forward]):
        raise Refused(50006)
    _check_voice(found, content)
    if Flag.IS_COMPONENTS_V2 in flags and any([content, found["embeds"], found["poll"]]):
        words = "The 'content' field cannot be used when using MessageFlags.IS_COMPONENTS_V2"
        code = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
        raise InvalidForm(("content", code, words))
    answered = reference.author if reference and not is_forward else None
    heard = notified(world, channel, author, content, body.get("allowed_mentions"), answered)
    found["mentions"] = heard.users
    found["mentioned_roles"] = heard.roles
    found["mentions_everyone"] = heard.everyone
    found.update(details)
    return world.post(channel, author, content, **found)


def _is_forward(body: Json) -> bool:
    return part(body, "message_reference").get("type") == 1


def _reference(world: World, author: User, channel: Channel, body: Json) -> Message | None:
    given = part(body, "message_reference")
    if not given:
        return None
    source = channel
    if _is_forward(body):
        source = known_channel(world, int(given.get("channel_id") or channel.id))
        if not world.sees(author, source):
            raise Refused(160014)
    elif Permission.READ_MESSAGE_HISTORY not in world.may(author, channel):
        raise Refused(160002)
    message = source.messages.get(int(given["message_id"]))
    if message is None or message.deleted:
        if not given.get("fail_if_not_exists", True):
            return None
        raise InvalidForm(("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message"))
    if not message.is_of_people:
        code = "REPLIES_CANNOT_REPLY_TO_SYSTEM_MESSAGE"
        raise InvalidForm(("message_reference", code, "Cannot reply to a system message"))
    return message


def attached(world: World, channel: Channel, body: Json, files: Files) -> list[Attachment]:
    """The files of the request, with what its `attachments` say of them."""
    if len(files) > _FILES_MAX:
        raise Refused(30015)
    limit = channel.guild.file_max_bytes if channel.guild else 10 << 20
    if any(len(file.data) > limit for file in files.values()):
        raise Refused(40005)
    about = {str(each["id"]): each for each in parts(body, "attachments")}
    found: list[Attachment] = []
    for id, file in files.items():
        said = about.get(id, {})
        name = str(said.get("filename") or file.name)
        made = Attachment(world.clock.new_id(), channel.id, _safe(name), file.data, kind_of(name))
        made.description = said.get("description")
        made.duration_s, made.waveform = said.get("duration_secs"), said.get("waveform")
        if made.filename != name:
            made.title = name.rpartition(".")[0] or name
        found.append(world.library.add(made))
    return found


def _safe(name: str) -> str:
    """Spaces and what has a meaning in paths do not stay in a file's name."""
    return re.sub(r"[^\w.\-]+", "_", name)


def _stickers(world: World, author: User, body: Json) -> list[Json]:
    known = {id: name for guild in world.guilds_of(author) for id, name in guild.stickers.items()}
    found: list[Json] = []
    for id in ids(body, "sticker_ids"):
        if id not in known:
            raise Refused(50081)
        found.append({"id": str(id), "name": known[id], "format_type": 1})
    return found


def _poll(world: World, asked: Json) -> Poll | None:
    if not asked:
        return None
    return Poll(
        asked["question"]["text"],
        [each["poll_media"]["text"] for each in asked["answers"]],
        world.now() + (asked.get("duration") or 24) * 3600,
        multiple=bool(asked.get("allow_multiselect")),
    )


def _check_voice(found: Details, content: str) -> None:
    if Flag.IS_VOICE_MESSAGE not in found.get("flags", Flag(0)):
        return
    files = found.get("attachments", [])
    if content or found.get("embeds"):
        raise Refused(50159)
    if len(files) != 1 or not (files[0].mime or "").startswith("audio/"):
        raise Refused(50160)
    if files[0].duration_s is None or files[0].waveform is None:
        raise Refused(50161)
