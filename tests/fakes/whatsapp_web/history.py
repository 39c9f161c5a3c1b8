"""What a phone gives a device it has just linked: keys, and the messages of the past."""

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tests.fakes.whatsapp_web import outgoing
from tests.fakes.whatsapp_web.devices import Companion
from tests.fakes.whatsapp_web.media import Cdn
from tests.fakes.whatsapp_web.wire import WA, Proto
from tests.fakes.whatsapp_web.world import World

__all__ = ["Conversation", "HistoryKind", "Past", "greet", "notifications"]

HistoryKind = Literal["INITIAL_BOOTSTRAP", "RECENT", "FULL", "PUSH_NAME", "ON_DEMAND"]
_CHUNK_MESSAGES = 5_000
# proto3 leaves a zero out, and the engine's proto2 requires this field: so it is written by hand.
_SYNC_TYPE_FIELD = 0x08


@dataclass(frozen=True)
class Past:
    """A message of the past. `sender` is a jid, "" for the account itself."""

    id: str
    text: str
    at: int
    sender: str = ""
    message: Proto = None  # in place of the text
    status: int | None = None


@dataclass
class Conversation:
    """A chat of the past; `fields` go to its protobuf, as `unreadCount=2, archived=True`."""

    jid: str
    messages: list[Past]
    name: str = ""
    fields: dict[str, Proto] = field(default_factory=dict[str, Proto])


def notifications(
    cdn: Cdn,
    conversations: Iterable[Conversation],
    *,
    kind: HistoryKind = "INITIAL_BOOTSTRAP",
    names: Mapping[str, str] | None = None,
    lids: Mapping[str, str] | None = None,
    progress: int = 100,
    inline: bool = False,
    chunk_messages: int = _CHUNK_MESSAGES,
) -> Iterator[Proto]:
    """One message for each chunk; its file lies on the CDN, or in the message if `inline`.

    `names` are push names by jid, `lids` lids by jid of the phone number.
    """
    chunks = list(_chunks(conversations, chunk_messages)) or [[]]
    for order, chunk in enumerate(chunks, 1):
        sync = WA.HistorySync(chunkOrder=order, progress=progress * order // len(chunks))
        for conversation in chunk:
            _write(sync.conversations.add(), conversation)
        if order == 1:
            for jid, name in (names or {}).items():
                sync.pushnames.add(id=jid, pushname=name)
            for pn, lid in (lids or {}).items():
                sync.phoneNumberToLidMappings.add(pnJid=pn, lidJid=lid)
        yield _notification(cdn, sync, kind, inline=inline)


def _chunks(conversations: Iterable[Conversation], limit: int) -> Iterator[list[Conversation]]:
    """A long conversation is continued in the next chunk."""
    chunk: list[Conversation] = []
    room = limit
    for conversation in conversations:
        messages = conversation.messages
        while len(messages) > room:
            part = Conversation(
                conversation.jid, messages[:room], conversation.name, conversation.fields
            )
            yield [*chunk, part]
            messages, chunk, room = messages[room:], [], limit
        chunk.append(
            Conversation(conversation.jid, messages, conversation.name, conversation.fields)
        )
        room -= len(messages)
    if chunk:
        yield chunk


def _write(target: Proto, conversation: Conversation) -> None:
    target.id = conversation.jid
    if conversation.name:
        target.name = conversation.name
    for name, value in conversation.fields.items():
        setattr(target, name, value)
    if conversation.messages:
        latest = max(past.at for past in conversation.messages)
        target.conversationTimestamp = target.lastMsgTimestamp = latest
    group = conversation.jid.endswith("@g.us")
    for past in conversation.messages:
        info = target.messages.add().message
        key = info.key
        key.remoteJid, key.id, key.fromMe = conversation.jid, past.id, not past.sender
        if group and past.sender:
            key.participant = info.participant = past.sender
        info.messageTimestamp = past.at
        if past.status is not None:
            info.status = past.status
        if past.message is None:
            info.message.conversation = past.text
        else:
            info.message.CopyFrom(past.message)


def _notification(cdn: Cdn, sync: Proto, kind: HistoryKind, *, inline: bool) -> Proto:
    number = WA.Message.HistorySyncType.Value(kind)
    data = zlib.compress(bytes((_SYNC_TYPE_FIELD, number)) + sync.SerializeToString(), 1)
    message = WA.Message()
    message.protocolMessage.type = WA.Message.ProtocolMessage.HISTORY_SYNC_NOTIFICATION
    notice = message.protocolMessage.historySyncNotification
    notice.syncType = number
    notice.chunkOrder, notice.progress = sync.chunkOrder, sync.progress
    if inline:
        notice.initialHistBootstrapInlinePayload = data
    else:
        cdn.seal("History", data).describe(notice)
    return message


async def greet(world: World, companion: Companion) -> None:
    """The first thing after a device was linked: the key of the app state, then the past."""
    with world.watched():
        account = companion.account
        await outgoing.notify_phone(world, companion, account.app_state.key_share())
        for notice in world.histories.get(account.phone, []):
            await outgoing.notify_phone(world, companion, notice)
