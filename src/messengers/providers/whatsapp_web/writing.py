"""What is to be sent, as the engine's messages. Part of the worker: it imports the engine.

Files come as bytes only: whatever the engine gets as a string it would open as a path or fetch as
a URL. What needs ffmpeg says so where it is missing.
"""
# The engine has no types:
# pyright: standard, reportTypedDictNotRequiredAccess=false, reportAttributeAccessIssue=false

import base64
import io
import mimetypes
import re
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from neonize.proto.Neonize_pb2 import UploadResponse
from neonize.proto.waCommon.WACommon_pb2 import MessageKey
from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    AudioMessage,
    ContactMessage,
    ContextInfo,
    DocumentMessage,
    ExtendedTextMessage,
    FutureProofMessage,
    ImageMessage,
    LocationMessage,
    Message,
    PollCreationMessage,
    ProtocolMessage,
    StickerMessage,
    VideoMessage,
)
from neonize.utils.enum import MediaType
from PIL import Image

from messengers.providers.stickers import STICKER_PX, sticker
from messengers.providers.whatsapp_web.protocol import Refusal

__all__ = ["Uploads", "edit_of", "written"]

_MENTION = re.compile(r"@\+?(\d{7,15})\b")
_THUMBNAIL_PX = 96
_FFMPEG_S = 40.0
_OPUS_PER_S = 48_000


class Uploads(Protocol):
    """What is needed of the engine's client."""

    def upload(self, binary: bytes, media_type: MediaType | None = None) -> UploadResponse: ...


def written(client: Uploads, part: Mapping[str, Any], expires_s: int) -> Message:
    """The message of one `send` call: text, a file, a location, a contact or a poll.

    Raises Refusal, or what the upload raises: in both cases nothing was sent.
    """
    context = _context(part, expires_s)
    if part.get("file"):
        return _with_file(client, part["file"], part.get("text", ""), context)
    if location := part.get("location"):
        place = LocationMessage(
            degreesLatitude=location["latitude_deg"],
            degreesLongitude=location["longitude_deg"],
            name=location.get("title") or None,
            contextInfo=context,
        )
        return Message(locationMessage=place)
    if card := part.get("contact"):
        vcard = _vcard(card["name"], card["phone"])
        contact = ContactMessage(displayName=card["name"], vcard=vcard, contextInfo=context)
        return Message(contactMessage=contact)
    if poll := part.get("poll"):
        return _poll(poll, context)
    text = str(part["text"])
    if context is None:
        return Message(conversation=text)
    return Message(extendedTextMessage=ExtendedTextMessage(text=text, contextInfo=context))


def edit_of(chat: str, native_id: str, text: str) -> Message:
    """The message that gives one of ours another text."""
    change = ProtocolMessage(
        key=MessageKey(fromMe=True, ID=native_id, remoteJID=chat),
        type=ProtocolMessage.MESSAGE_EDIT,
        editedMessage=Message(conversation=text),
        timestampMS=int(time.time() * 1000),
    )
    inner = Message(protocolMessage=change)
    return Message(editedMessage=FutureProofMessage(message=inner))


def _context(part: Mapping[str, Any], expires_s: int) -> ContextInfo | None:
    """Quote, mentions and the time after which the chat's messages disappear."""
    context = ContextInfo()
    quoted = part.get("reply_to")
    if quoted:
        context.stanzaID = quoted["native_id"]
        context.participant = quoted["sender"]
        context.quotedMessage.conversation = quoted["text"]
    numbers = list(dict.fromkeys(_MENTION.findall(str(part.get("text", "")))))
    context.mentionedJID.extend(f"{number}@s.whatsapp.net" for number in numbers)
    if expires_s:
        context.expiration = expires_s
    return context if context.ListFields() else None


def _vcard(name: str, phone: str) -> str:
    digits = re.sub(r"\D", "", phone)
    plain = re.sub(r"[\r\n]+", " ", name).replace("\\", "\\\\")
    plain = plain.replace(";", "\\;").replace(",", "\\,")
    return (
        f"BEGIN:VCARD\nVERSION:3.0\nFN:{plain}\n"
        f"TEL;type=CELL;type=VOICE;waid={digits}:+{digits}\nEND:VCARD"
    )


def _poll(poll: Mapping[str, Any], context: ContextInfo | None) -> Message:
    options = [PollCreationMessage.Option(optionName=name) for name in poll["options"]]
    inner = PollCreationMessage(
        name=poll["question"],
        options=options,
        selectableOptionsCount=0 if poll.get("multiple") else 1,
        contextInfo=context,
    )
    if poll.get("multiple"):
        return Message(pollCreationMessage=inner)
    return Message(pollCreationMessageV3=inner)


def _with_file(
    client: Uploads, file: Mapping[str, Any], caption: str, context: ContextInfo | None
) -> Message:
    data = base64.b64decode(file["data"])
    match file["kind"]:
        case "image":
            data, mime = _picture(data, file["mime"])
            fields = _uploaded(client, data, MediaType.MediaImage) | _looks(data)
            inner = ImageMessage(mimetype=mime, caption=caption, contextInfo=context, **fields)
            return Message(imageMessage=inner)
        case "video":
            fields = _uploaded(client, data, MediaType.MediaVideo) | _first_frame(data)
            inner = VideoMessage(
                mimetype=file["mime"], caption=caption, contextInfo=context, **fields
            )
            return Message(videoMessage=inner)
        case "audio" | "voice":
            return _audio(client, data, file["mime"], context)
        case "sticker":
            data = sticker(data)
            fields = _uploaded(client, data, MediaType.MediaImage)
            fields |= {"width": STICKER_PX, "height": STICKER_PX, "mimetype": "image/webp"}
            return Message(stickerMessage=StickerMessage(contextInfo=context, **fields))
        case _:
            return _document(client, data, file, caption, context)


def _document(
    client: Uploads,
    data: bytes,
    file: Mapping[str, Any],
    caption: str,
    context: ContextInfo | None,
) -> Message:
    name = file["name"] or "file"
    mime = mimetypes.guess_type(name)[0] or file["mime"]
    fields = _uploaded(client, data, MediaType.MediaDocument)
    inner = DocumentMessage(
        mimetype=mime, fileName=name, title=name, contextInfo=context, caption=caption, **fields
    )
    if caption:
        inner_message = Message(documentMessage=inner)
        wrapped = FutureProofMessage(message=inner_message)
        return Message(documentWithCaptionMessage=wrapped)
    return Message(documentMessage=inner)


def _uploaded(client: Uploads, data: bytes, kind: MediaType) -> dict[str, Any]:
    sent = client.upload(data, kind)
    return {
        "URL": sent.url,
        "directPath": sent.DirectPath,
        "mediaKey": sent.MediaKey,
        "fileEncSHA256": sent.FileEncSHA256,
        "fileSHA256": sent.FileSHA256,
        "fileLength": len(data),
        "mediaKeyTimestamp": int(time.time()),
    }


def _picture(data: bytes, mime: str) -> tuple[bytes, str]:
    """JPEG and PNG as they are; of anything else a JPEG."""
    if mime in ("image/jpeg", "image/png"):
        return data, mime
    return _jpeg(data), "image/jpeg"


def _jpeg(data: bytes, longest_px: int = 0) -> bytes:
    with Image.open(io.BytesIO(data)) as picture:
        flat = picture.convert("RGB")
        if longest_px:
            flat.thumbnail((longest_px, longest_px))
        out = io.BytesIO()
        flat.save(out, "JPEG", quality=85)
    return out.getvalue()


def _looks(data: bytes) -> dict[str, Any]:
    with Image.open(io.BytesIO(data)) as picture:
        width, height = picture.size
    return {"width": width, "height": height, "JPEGThumbnail": _jpeg(data, _THUMBNAIL_PX)}


def _audio(client: Uploads, data: bytes, mime: str, context: ContextInfo | None) -> Message:
    """Ogg is a voice note; MP3 and MP4 play as they are; the rest becomes a voice note."""
    voice = mime not in ("audio/mpeg", "audio/mp4")
    if voice and not _is_opus(data):
        arguments = ("-vn", "-ac", "1", "-c:a", "libopus", "-b:a", "32k", "-f", "ogg", "pipe:1")
        data = _ffmpeg(data, arguments, f"A voice note of {mime}")
    fields = _uploaded(client, data, MediaType.MediaAudio)
    inner = AudioMessage(
        mimetype="audio/ogg; codecs=opus" if voice else mime,
        PTT=voice,
        seconds=_opus_seconds(data) if voice else 0,
        contextInfo=context,
        **fields,
    )
    return Message(audioMessage=inner)


def _is_opus(data: bytes) -> bool:
    return data[:4] == b"OggS" and b"OpusHead" in data[:128]


def _opus_seconds(data: bytes) -> int:
    """Of the last page's granule position (RFC 7845): samples at 48 kHz."""
    last = data.rfind(b"OggS")
    granule = int.from_bytes(data[last + 6 : last + 14], "little", signed=True)
    return max(1, round(granule / _OPUS_PER_S))


def _first_frame(data: bytes) -> dict[str, Any]:
    """A thumbnail of a video, where ffmpeg is there to make one."""
    if shutil.which("ffmpeg") is None:
        return {}
    try:
        arguments = ("-frames:v", "1", "-f", "image2pipe", "-c:v", "mjpeg", "pipe:1")
        frame = _ffmpeg(data, arguments, "A thumbnail")
        return _looks(frame) if frame else {}
    except (Refusal, OSError):
        return {}


def _ffmpeg(data: bytes, arguments: Sequence[str], what: str) -> bytes:
    program = shutil.which("ffmpeg")
    if program is None:
        raise Refusal(
            f"{what} needs ffmpeg, which is not installed; `messengers doctor` says how to get it"
        )
    command = [program, "-nostdin", "-hide_banner", "-loglevel", "error", "-i", "pipe:0"]
    try:
        done = subprocess.run(  # noqa: S603 - our own arguments, bytes by pipe
            [*command, *arguments], input=data, capture_output=True, timeout=_FFMPEG_S, check=False
        )
    except subprocess.TimeoutExpired:
        raise Refusal(f"{what} took ffmpeg too long") from None
    if done.returncode or not done.stdout:
        raise Refusal(f"{what}: ffmpeg cannot read the file")
    return done.stdout
