"""The engine's messages in the protocol's words. Part of the worker: it imports the engine.

Every kind of message becomes a text, files or both; a kind that this version does not know is
named, never empty. The message types are those of the engine's own WAE2E definitions.
"""
# The engine has no types:
# pyright: standard, reportTypedDictNotRequiredAccess=false, reportAttributeAccessIssue=false, reportArgumentType=false

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from neonize.proto.waE2E.WAWebProtobufsE2E_pb2 import (
    ContactMessage,
    ContextInfo,
    LiveLocationMessage,
    LocationMessage,
    Message,
    PollCreationMessage,
    ProtocolMessage,
)

from messengers.providers.whatsapp_web.protocol import File, WireMessage

__all__ = ["Body", "change_of", "context_of", "read", "unwrapped"]

_WRAPPERS = frozenset(
    {
        "ephemeralMessage",
        "viewOnceMessage",
        "viewOnceMessageV2",
        "viewOnceMessageV2Extension",
        "documentWithCaptionMessage",
        "editedMessage",
        "groupMentionedMessage",
        "botInvokeMessage",
        "associatedChildMessage",
        "lottieStickerMessage",
        "pollCreationMessageV4",
        "groupStatusMessageV2",
        "botForwardedMessage",
        "spoilerMessage",
    }
)
_VIEW_ONCE = frozenset({"viewOnceMessage", "viewOnceMessageV2", "viewOnceMessageV2Extension"})
_SILENT = frozenset(
    {
        "messageContextInfo",
        "senderKeyDistributionMessage",
        "fastRatchetKeySenderKeyDistributionMessage",
        "protocolMessage",
        "keepInChatMessage",
        "pinInChatMessage",
        "stickerSyncRmrMessage",
        "albumMessage",
        "encReactionMessage",
        "messageHistoryBundle",
        "messageHistoryNotice",
        "groupRootKeyShare",
    }
)
"""What the app itself shows nothing of."""
_FILES = {
    "imageMessage": "image",
    "videoMessage": "video",
    "ptvMessage": "video",
    "audioMessage": "audio",
    "documentMessage": "document",
    "stickerMessage": "sticker",
}
_POLLS = (
    "pollCreationMessage",
    "pollCreationMessageV2",
    "pollCreationMessageV3",
    "pollCreationMessageV5",
    "pollCreationMessageV6",
)
_TEL = re.compile(r"^TEL[^:\r\n]*?(?:waid=(\d+))?[^:\r\n]*:([^\r\n]+)", re.MULTILINE)
_ONCE: tuple[Literal["imageMessage", "videoMessage", "audioMessage"], ...] = (
    "imageMessage",
    "videoMessage",
    "audioMessage",
)
_KIND = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass
class Body:
    """What a message says, in the protocol's fields, and whom it names."""

    fields: WireMessage = field(default_factory=lambda: WireMessage())
    mentioned: list[str] = field(default_factory=list[str])

    @property
    def empty(self) -> bool:
        """Whether the app would show nothing."""
        return not (self.fields.get("text") or self.fields.get("files"))


def unwrapped(message: Message) -> tuple[Message, set[str]]:
    """The inner message and the names of what it was wrapped in."""
    names: set[str] = set()
    while True:
        for field_, value in message.ListFields():
            if field_.name in _WRAPPERS and value.message.ListFields():
                break
        else:
            return message, names
        inner = value.message
        names.add(field_.name)
        if message.HasField("messageContextInfo") and not inner.HasField("messageContextInfo"):
            inner.messageContextInfo.CopyFrom(message.messageContextInfo)
        message = inner


def context_of(message: Message) -> ContextInfo | None:
    """The context (quote, mentions, forwarding, expiry) of whichever message it is, or None."""
    for descriptor, value in message.ListFields():
        if descriptor.type == descriptor.TYPE_MESSAGE and not descriptor.is_repeated:
            inner = value
            if "contextInfo" in inner.DESCRIPTOR.fields_by_name and inner.HasField("contextInfo"):
                return inner.contextInfo
    return None


def read(message: Message) -> Body:
    """What a message says; `Body.empty` when the app shows nothing of it."""
    message, wrappers = unwrapped(message)
    body = Body()
    fields = body.fields
    marks = ["view_once"] if wrappers & _VIEW_ONCE or _is_view_once(message) else []
    context = context_of(message)
    if context is not None:
        if context.stanzaID:
            fields["reply_to"] = context.stanzaID
        if context.isForwarded:
            marks.append("forwarded")
        if context.expiration:
            fields["expires_s"] = context.expiration
        body.mentioned.extend(context.mentionedJID)
    if marks:
        fields["marks"] = marks
    parent = message.messageContextInfo.messageAssociation.parentMessageKey.ID
    if parent:
        fields["album"] = parent
    _fill(message, fields)
    return body


def _is_view_once(message: Message) -> bool:
    return any(message.HasField(name) and getattr(message, name).viewOnce for name in _ONCE)


def _fill(message: Message, fields: WireMessage) -> None:
    if message.conversation:
        fields["text"] = message.conversation
    elif message.HasField("extendedTextMessage"):
        fields["text"] = message.extendedTextMessage.text
    elif name := next((each for each in _FILES if message.HasField(each)), None):
        _file(message, name, fields)
    elif message.HasField("locationMessage"):
        _location(message.locationMessage, fields)
    elif message.HasField("liveLocationMessage"):
        _live_location(message.liveLocationMessage, fields)
    elif message.HasField("contactMessage"):
        _contact(message.contactMessage, fields)
    elif message.HasField("contactsArrayMessage"):
        cards = [_card(each) for each in message.contactsArrayMessage.contacts]
        fields["text"] = "\n".join(_card_words(card) for card in cards)
    elif name := next((each for each in _POLLS if message.HasField(each)), None):
        _poll(getattr(message, name), fields)
    else:
        _other(message, fields)


def _other(message: Message, fields: WireMessage) -> None:
    """Messages of businesses and of newer apps: their words, else what kind they are."""
    said = list(dict.fromkeys(_words(message)))
    if said:
        fields["text"] = "\n".join(said)
    buttons = list(dict.fromkeys(_buttons(message)))
    if buttons:
        fields["buttons"] = buttons
    shown = [each.name for each, _ in message.ListFields() if each.name not in _SILENT]
    if shown and not said:
        kind = _KIND.sub(" ", shown[0].removesuffix("Message")).lower()
        fields["text"] = f"({kind}: shown in WhatsApp only)"


def _words(message: Message) -> Iterator[str]:
    for path in (
        "buttonsMessage.contentText",
        "buttonsMessage.footerText",
        "buttonsResponseMessage.selectedDisplayText",
        "listMessage.title",
        "listMessage.description",
        "listResponseMessage.title",
        "templateMessage.hydratedTemplate.hydratedContentText",
        "templateMessage.hydratedTemplate.hydratedFooterText",
        "templateButtonReplyMessage.selectedDisplayText",
        "interactiveMessage.header.title",
        "interactiveMessage.body.text",
        "interactiveMessage.footer.text",
        "interactiveResponseMessage.body.text",
        "highlyStructuredMessage.hydratedHsm.hydratedTemplate.hydratedContentText",
        "groupInviteMessage.caption",
        "groupInviteMessage.groupName",
        "eventMessage.name",
        "eventMessage.description",
        "productMessage.product.title",
        "productMessage.product.description",
        "orderMessage.orderTitle",
        "orderMessage.message",
    ):
        value = _at(message, path)
        if isinstance(value, str) and value:
            yield value
    for part in message.richResponseMessage.submessages:
        if part.messageText:
            yield part.messageText


def _buttons(message: Message) -> Iterator[str]:
    for button in message.buttonsMessage.buttons:
        yield button.buttonText.displayText
    for section in message.listMessage.sections:
        for row in section.rows:
            yield row.title
    for button in message.templateMessage.hydratedTemplate.hydratedButtons:
        for kind in ("quickReplyButton", "urlButton", "callButton"):
            if button.HasField(kind):
                yield getattr(button, kind).displayText


def _at(message: object, path: str) -> object:
    for name in path.split("."):
        if not hasattr(message, name):
            return None
        message = getattr(message, name)
    return message


def _file(message: Message, name: str, fields: WireMessage) -> None:
    inner = getattr(message, name)
    kind = _FILES[name]
    if kind == "audio" and inner.PTT:
        kind = "voice"
    elif kind == "video" and getattr(inner, "gifPlayback", False):
        kind = "gif"
    file = File(kind=kind, ref=_ref(name, inner), mime=inner.mimetype, size=inner.fileLength)
    for ours, theirs in (("seconds", "seconds"), ("width", "width"), ("height", "height")):
        value = getattr(inner, theirs, 0)
        if value:
            file[ours] = value
    title = getattr(inner, "fileName", "") or getattr(inner, "title", "")
    if title:
        file["name"] = title
    fields["files"] = [file]
    caption = getattr(inner, "caption", "")
    if caption and caption != title:
        fields["text"] = caption


def _ref(name: str, inner: Any) -> str:  # noqa: ANN401 - any of the media messages
    """The smallest message from which the engine can fetch the file."""
    bare = Message()
    target = getattr(bare, name)
    for each in ("URL", "directPath", "mediaKey", "fileSHA256", "fileEncSHA256", "fileLength"):
        value = getattr(inner, each)
        if value:
            setattr(target, each, value)
    target.mimetype = inner.mimetype
    return base64.b64encode(bare.SerializeToString()).decode()


def _location(inner: LocationMessage, fields: WireMessage) -> None:
    title = " · ".join(each for each in (inner.name, inner.address) if each)
    latitude, longitude = inner.degreesLatitude, inner.degreesLongitude
    fields["location"] = {"latitude": latitude, "longitude": longitude, "title": title}
    place = f"{latitude:.6f}, {longitude:.6f}"
    fields["text"] = f"Location: {title} ({place})" if title else f"Location: {place}"


def _live_location(inner: LiveLocationMessage, fields: WireMessage) -> None:
    latitude, longitude = inner.degreesLatitude, inner.degreesLongitude
    fields["location"] = {"latitude": latitude, "longitude": longitude, "title": inner.caption}
    said = f": {inner.caption}" if inner.caption else ""
    fields["text"] = f"Live location{said} ({latitude:.6f}, {longitude:.6f})"


def _contact(inner: ContactMessage, fields: WireMessage) -> None:
    card = _card(inner)
    fields["contact"] = card
    fields["text"] = _card_words(card)


def _card(inner: ContactMessage) -> dict[str, str]:
    found = _TEL.search(inner.vcard)
    phone = ""
    if found:
        phone = f"+{found[1]}" if found[1] else found[2].strip()
    return {"name": inner.displayName, "phone": phone}


def _card_words(card: dict[str, str]) -> str:
    return "Contact: " + ", ".join(value for value in card.values() if value)


def _poll(inner: PollCreationMessage, fields: WireMessage) -> None:
    options = [option.optionName for option in inner.options]
    multiple = inner.selectableOptionsCount != 1
    fields["poll"] = {"question": inner.name, "options": options, "multiple": multiple}
    lines = [f"Poll: {inner.name}", *(f"- {option}" for option in options)]
    fields["text"] = "\n".join(lines)


def change_of(message: Message) -> tuple[str, dict[str, Any]] | None:
    """What a message changes of another one: (event, its fields), None when it is a message itself.

    Events: edit (id, text), delete (id), reaction (id, emoji), vote (id), timer (expires_s).
    """
    inner, _ = unwrapped(message)
    if inner.HasField("reactionMessage"):
        reaction = inner.reactionMessage
        return "reaction", {"id": reaction.key.ID, "emoji": reaction.text}
    if inner.HasField("pollUpdateMessage"):
        return "vote", {"id": inner.pollUpdateMessage.pollCreationMessageKey.ID}
    if not inner.HasField("protocolMessage"):
        return None
    protocol = inner.protocolMessage
    if protocol.type == ProtocolMessage.REVOKE and protocol.key.ID:
        return "delete", {"id": protocol.key.ID}
    if protocol.type == ProtocolMessage.MESSAGE_EDIT:
        edited = read(protocol.editedMessage).fields
        return "edit", {"id": protocol.key.ID, "text": edited.get("text", "")}
    if protocol.type == ProtocolMessage.EPHEMERAL_SETTING:
        return "timer", {"expires_s": protocol.ephemeralExpiration}
    return "", {}
