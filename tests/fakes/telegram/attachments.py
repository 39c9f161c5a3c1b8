"""Messages of bots with files: one each, or an album."""

from tests.fakes.telegram.media import CAPTIONED, Material, check_size, medium
from tests.fakes.telegram.methods import METHODS, method
from tests.fakes.telegram.people import Json, present
from tests.fakes.telegram.refusal import Refused
from tests.fakes.telegram.requests import Call, Upload
from tests.fakes.telegram.sending import captioned, place_of, put
from tests.fakes.telegram.world import World

__all__ = ["attached"]

_KINDS = {
    "sendPhoto": "photo",
    "sendVideo": "video",
    "sendAnimation": "animation",
    "sendAudio": "audio",
    "sendVoice": "voice",
    "sendVideoNote": "video_note",
    "sendDocument": "document",
    "sendSticker": "sticker",
}
_NUMBERS = ("duration", "width", "height", "length", "start_timestamp")
_TEXTS = ("performer", "title", "emoji")
_NEVER_MIXED = {"document", "audio"}
_TYPE_NAMES = {"voice": "VoiceNote", "video_note": "VideoNote"}


def attached(world: World, call: Call, kind: str, described: Json, source: Upload | str) -> Json:
    """Content and caption of an upload, a file id or a URL."""
    if isinstance(source, str):
        content = _known(world, call, kind, source)
    else:
        check_size(kind, len(source.data), local=world.library.local)
        content = medium(world.library, kind, _material(source, described))
    caption = captioned(world, call, described) if kind in CAPTIONED else {}
    return {**content, **caption}


def _material(source: Upload, described: Json) -> Material:
    numbers = {name: int(described[name]) for name in _NUMBERS if name in described}
    texts = {name: str(described[name]) for name in _TEXTS if name in described}
    return Material(source.data, source.name, source.mime, about={**numbers, **texts})


def _known(world: World, call: Call, kind: str, source: str) -> Json:
    if not source:
        raise Refused(400, f"there is no {kind.replace('_', ' ')} in the request")
    if source.startswith(("http://", "https://")):
        return _fetched(world, kind, source)
    file = world.library.of_bot(call.bot.id, source)
    if kind in file.content:
        return {kind: file.content[kind], **present(document=_twin(file.content, kind))}
    given, wanted = (_TYPE_NAMES.get(each, each.title()) for each in (file.kind, kind))
    raise Refused(400, f"can't use file of type {given} as {wanted}")


def _twin(content: Json, kind: str) -> Json | None:
    """An animation is told as a document too."""
    return content.get("document") if kind == "animation" else None


def _fetched(world: World, kind: str, url: str) -> Json:
    """The server fetches it; it knows only what a test put there."""
    if url not in world.hosted:
        raise Refused(400, "failed to get HTTP URL content")
    name = url.rpartition("/")[2]
    return medium(world.library, kind, Material(world.hosted[url], name))


def _send(kind: str) -> None:
    def send(world: World, call: Call) -> object:
        place = place_of(world, call, kind)
        content = attached(world, call, kind, call.params, call.upload(kind))
        return put(world, call, place, content).json(call.bot)

    for name, each in _KINDS.items():
        if each == kind:
            METHODS[name] = send


for _kind in _KINDS.values():
    _send(_kind)


@method("sendMediaGroup")
def send_media_group(world: World, call: Call) -> object:
    items = call.objects("media")
    kinds = {str(item["type"]) for item in items}
    for kind in kinds - {"photo", "video", "audio", "document", "live_photo"}:
        raise Refused(
            400, f"can't parse InputMedia: type \"{kind}\" can't be used in sendMediaGroup"
        )
    if not items:
        raise Refused(400, "there are no messages to send")
    if len(items) > 10:
        raise Refused(400, "too many messages to send as an album")
    if len(items) == 1:
        world.records.mistakes.append("sendMediaGroup: an album has 2-10 items")
    if kinds & _NEVER_MIXED and len(kinds) > 1:
        raise Refused(400, "can't use the media of the specified type in the album")
    place = place_of(world, call, str(items[0]["type"]))
    contents = [
        attached(world, call, str(item["type"]), item, call.attached(str(item["media"])))
        for item in items
    ]
    album = {"media_group_id": str(13_000_000_000_000_000 + world.number())}
    messages = [put(world, call, place, content, album) for content in contents]
    return [message.json(call.bot) for message in messages]
