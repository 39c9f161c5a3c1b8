"""The messages people write, as the official apps put them on the wire."""

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass

from pyaileys.crypto.aes import aes_decrypt_gcm, aes_encrypt_gcm
from pyaileys.crypto.hkdf import hkdf_sha256

from tests.fakes.whatsapp_web.media import Sealed
from tests.fakes.whatsapp_web.wire import WA, Proto

__all__ = [
    "Reference",
    "album",
    "audio",
    "contact",
    "disappearing",
    "document",
    "edit",
    "expiring",
    "image",
    "in_album",
    "location",
    "poll",
    "reaction",
    "revoke",
    "sticker",
    "text",
    "video",
    "view_once",
    "vote",
    "votes",
]


@dataclass(frozen=True)
class Reference:
    """A message another one speaks of, as its writer sees it."""

    id: str
    chat: str  # a jid: of the group, or of the other side
    sender: str = ""  # a jid; "" for the writer himself
    text: str = ""  # quoted

    def key(self) -> Proto:
        key = WA.MessageKey(remoteJid=self.chat, id=self.id, fromMe=not self.sender)
        if self.sender and self.chat.endswith("@g.us"):
            key.participant = self.sender
        return key


def text(
    body: str,
    *,
    reply_to: Reference | None = None,
    mentions: Sequence[str] = (),
    expiration_s: int = 0,
) -> Proto:
    """Plain where it can be, as the apps do. `mentions` are jids, named as @user in the text."""
    if not (reply_to or mentions or expiration_s):
        return WA.Message(conversation=body)
    message = WA.Message()
    message.extendedTextMessage.text = body
    _context(message.extendedTextMessage.contextInfo, reply_to, mentions, expiration_s)
    return message


def _context(
    context: Proto, reply_to: Reference | None, mentions: Sequence[str], expiration_s: int
) -> None:
    if reply_to:
        context.stanzaId, context.participant = reply_to.id, reply_to.sender
        context.quotedMessage.conversation = reply_to.text
    context.mentionedJid.extend(mentions)
    if expiration_s:
        context.expiration = expiration_s


def image(file: Sealed, *, mimetype: str = "image/png", caption: str = "") -> Proto:
    return _file("imageMessage", file, mimetype, caption=caption)


def video(
    file: Sealed, *, mimetype: str = "video/mp4", caption: str = "", seconds: int = 1
) -> Proto:
    return _file("videoMessage", file, mimetype, caption=caption, seconds=seconds)


def audio(
    file: Sealed,
    *,
    mimetype: str = "audio/ogg; codecs=opus",
    voice: bool = False,
    seconds: int = 1,
) -> Proto:
    return _file("audioMessage", file, mimetype, ptt=voice, seconds=seconds)


def document(
    file: Sealed, *, name: str, mimetype: str = "application/octet-stream", caption: str = ""
) -> Proto:
    plain = _file("documentMessage", file, mimetype, fileName=name, title=name)
    if not caption:
        return plain
    plain.documentMessage.caption = caption
    message = WA.Message()
    message.documentWithCaptionMessage.message.CopyFrom(plain)
    return message


def sticker(file: Sealed, *, mimetype: str = "image/webp", animated: bool = False) -> Proto:
    return _file("stickerMessage", file, mimetype, isAnimated=animated)


def _file(part: str, file: Sealed, mimetype: str, **fields: str | int | bool) -> Proto:
    message = WA.Message()
    target = getattr(message, part)
    file.describe(target)
    target.mimetype = mimetype
    for name, value in fields.items():
        if value:
            setattr(target, name, value)
    return message


def view_once(media: Proto) -> Proto:
    for field, part in media.ListFields():
        if "viewOnce" in part.DESCRIPTOR.fields_by_name:
            getattr(media, field.name).viewOnce = True
    message = WA.Message()
    message.viewOnceMessageV2.message.CopyFrom(media)
    return message


def expiring(message: Proto, seconds: int) -> Proto:
    """Disappears: in a chat whose timer is set, each message says so."""
    for field, part in message.ListFields():
        if field.message_type and "contextInfo" in part.DESCRIPTOR.fields_by_name:
            getattr(message, field.name).contextInfo.expiration = seconds
    return message


def location(latitude: float, longitude: float, *, name: str = "", address: str = "") -> Proto:
    message = WA.Message()
    place = message.locationMessage
    place.degreesLatitude, place.degreesLongitude = latitude, longitude
    if name:
        place.name, place.address = name, address
    return message


def contact(name: str, phone: str) -> Proto:
    message = WA.Message()
    card = f"TEL;type=CELL;waid={phone}:+{phone}"
    message.contactMessage.displayName = name
    message.contactMessage.vcard = f"BEGIN:VCARD\nVERSION:3.0\nFN:{name}\n{card}\nEND:VCARD"
    return message


def reaction(to: Reference, emoji: str) -> Proto:
    """An empty emoji takes the reaction back."""
    message = WA.Message()
    message.reactionMessage.key.CopyFrom(to.key())
    message.reactionMessage.text = emoji
    message.reactionMessage.senderTimestampMs = _now_ms()
    return message


def edit(of: Reference, body: str) -> Proto:
    """Send it with edit="1"."""
    message = WA.Message()
    change = message.editedMessage.message.protocolMessage
    change.type = WA.Message.ProtocolMessage.MESSAGE_EDIT
    change.key.CopyFrom(of.key())
    change.editedMessage.conversation = body
    change.timestampMs = _now_ms()
    return message


def revoke(of: Reference) -> Proto:
    """Send it with edit="7", or "8" for an admin who deletes another's."""
    message = WA.Message()
    message.protocolMessage.type = WA.Message.ProtocolMessage.REVOKE
    message.protocolMessage.key.CopyFrom(of.key())
    return message


def disappearing(seconds: int) -> Proto:
    """Sets the timer of a direct chat; 0 ends it."""
    message = WA.Message()
    message.protocolMessage.type = WA.Message.ProtocolMessage.EPHEMERAL_SETTING
    message.protocolMessage.ephemeralExpiration = seconds
    message.protocolMessage.ephemeralSettingTimestamp = int(time.time())
    return message


def album(images: int, videos: int = 0) -> Proto:
    """Announces the pictures that follow, each marked with `in_album`."""
    message = WA.Message()
    message.albumMessage.expectedImageCount = images
    message.albumMessage.expectedVideoCount = videos
    return message


def in_album(media: Proto, of: Reference) -> Proto:
    association = media.messageContextInfo.messageAssociation
    association.associationType = WA.MessageAssociation.MEDIA_ALBUM
    association.parentMessageKey.CopyFrom(of.key())
    return media


def poll(question: str, options: Sequence[str], *, choices: int = 1) -> Proto:
    """`choices` is how many one may pick, 0 any number."""
    message = WA.Message()
    creation = message.pollCreationMessageV3
    creation.name, creation.selectableOptionsCount = question, choices
    for option in options:
        creation.options.add(optionName=option)
    message.messageContextInfo.messageSecret = secrets.token_bytes(32)
    return message


def _vote_key(secret: bytes, poll: Reference, author: str, voter: str) -> tuple[bytes, bytes]:
    info = f"{poll.id}{author}{voter}Poll Vote".encode()
    key = hkdf_sha256(ikm=secret, length=32, salt=b"", info=info)
    return key, f"{poll.id}\0{voter}".encode()


def vote(
    options: Sequence[str], *, poll: Reference, secret: bytes, author: str, voter: str
) -> Proto:
    """`secret` came with the poll; `author` and `voter` are lids without a device."""
    key, bound = _vote_key(secret, poll, author, voter)
    choice = WA.Message.PollVoteMessage()
    choice.selectedOptions.extend(hashlib.sha256(each.encode()).digest() for each in options)
    iv = secrets.token_bytes(12)
    message = WA.Message()
    update = message.pollUpdateMessage
    update.pollCreationMessageKey.CopyFrom(poll.key())
    update.vote.encIv = iv
    update.vote.encPayload = aes_encrypt_gcm(choice.SerializeToString(), key=key, iv=iv, aad=bound)
    update.senderTimestampMs = _now_ms()
    return message


def votes(
    message: Proto,
    options: Sequence[str],
    *,
    poll: Reference,
    secret: bytes,
    author: str,
    voter: str,
) -> list[str]:
    """What somebody voted for; raises if the vote is not bound to this poll and voter."""
    key, bound = _vote_key(secret, poll, author, voter)
    sealed = message.pollUpdateMessage.vote
    plain = aes_decrypt_gcm(bytes(sealed.encPayload), key=key, iv=bytes(sealed.encIv), aad=bound)
    chosen = set(WA.Message.PollVoteMessage.FromString(plain).selectedOptions)
    return [each for each in options if hashlib.sha256(each.encode()).digest() in chosen]


def _now_ms() -> int:
    return int(time.time() * 1000)
