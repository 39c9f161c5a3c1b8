"""Stanzas to engines: what simulated phones send."""

import secrets
import time

from tests.fakes.whatsapp_web.devices import Account, Companion, Peer
from tests.fakes.whatsapp_web.nodes import Node, server_of
from tests.fakes.whatsapp_web.wire import WA, Proto
from tests.fakes.whatsapp_web.world import Sent, World

__all__ = [
    "STATUS",
    "Attrs",
    "address",
    "ask_again",
    "is_group",
    "new_id",
    "notify",
    "notify_phone",
    "send",
    "tell_devices",
    "transmit",
]

Attrs = dict[str, str | int | None]
_MEDIA = ("imageMessage", "videoMessage", "audioMessage", "documentMessage", "stickerMessage")
_POLLS = ("pollCreationMessage", "pollCreationMessageV3", "pollUpdateMessage")
STATUS = "status@broadcast"


def new_id() -> str:
    return "3A" + secrets.token_hex(9).upper()


def _kind(message: Proto) -> str:
    names = {field.name for field, _ in message.ListFields()}
    if "reactionMessage" in names:
        return "reaction"
    if names.intersection(_POLLS):
        return "poll"
    return "media" if names.intersection(_MEDIA) else "text"


async def send(
    world: World,
    sender: Peer,
    companion: Companion,
    message: Proto,
    *,
    id: str | None = None,
    at: float | None = None,
    group: str | None = None,
    chat: str | None = None,
    **attrs: str | int | None,
) -> str:
    """Encrypts and delivers; returns the id.

    `group` is a group's jid or the status broadcast. `chat` is whom the owner wrote to on the
    phone: the sender is then the companion's own account.
    """
    id = id or new_id()
    common: Attrs = {
        "id": id,
        "t": int(time.time() if at is None else at),
        "type": _kind(message),
        "notify": sender.name,
    }
    common |= address(world, sender, companion, group)
    if chat is not None:
        message = _copy_of_own(message, chat)
        peer = world.person(chat)
        common |= {"recipient": chat, "peer_recipient_pn": peer.pn if peer else None}
    sent = world.sent[id] = Sent(sender, message, {**common, **attrs}, group)
    await transmit(world, companion, id, sent)
    return id


def address(world: World, sender: Peer, companion: Companion, group: str | None) -> Attrs:
    """Where a message comes from."""
    if group is not None:
        return _group_attrs(world, sender, group)
    return _chat_attrs(sender, own=sender is companion.account)


def _group_attrs(world: World, sender: Peer, jid: str) -> Attrs:
    group = world.groups.get(jid)
    if group is None or group.lid_addressing:
        named = {"participant": sender.lid, "participant_pn": sender.pn, "addressing_mode": "lid"}
    else:
        named = {"participant": sender.pn, "participant_lid": sender.lid, "addressing_mode": "pn"}
    return {"from": jid, **named}


def _chat_attrs(sender: Peer, *, own: bool) -> Attrs:
    if own:
        return {"from": sender.jid}
    if sender.lid_addressing:
        return {"from": sender.lid, "sender_pn": sender.pn, "addressing_mode": "lid"}
    return {"from": sender.pn}


def _copy_of_own(message: Proto, chat: str) -> Proto:
    copy = WA.Message()
    copy.deviceSentMessage.destinationJid = chat
    copy.deviceSentMessage.message.CopyFrom(message)
    if message.HasField("messageContextInfo"):
        copy.messageContextInfo.CopyFrom(message.messageContextInfo)
    return copy


async def transmit(
    world: World, companion: Companion, id: str, sent: Sent, *, resend: int | None = None
) -> None:
    """`resend` counts the retry receipt this answers."""
    if sent.group is None:
        encs = [await _enc(sent.sender, companion, sent.message, resend)]
    else:
        encs = await _group_encs(sent, sent.group, companion, resend)
    await world.deliver(companion, Node("message", sent.attrs, encs))


async def _enc(sender: Peer, companion: Companion, message: Proto, resend: int | None) -> Node:
    kind, ciphertext = await sender.encrypt(companion, message.SerializeToString())
    return Node("enc", {"v": 2, "type": kind, "count": resend}, ciphertext)


async def _group_encs(
    sent: Sent, group: str, companion: Companion, resend: int | None
) -> list[Node]:
    """The group's key goes to a device once, or with what it asked for again."""
    sender = sent.sender
    ciphertext, key = await sender.encrypt_group(group, sent.message.SerializeToString())
    sealed = Node("enc", {"v": 2, "type": "skmsg"}, ciphertext)
    if not resend and (group, companion) in sender.readers:
        return [sealed]
    sender.readers.add((group, companion))
    distribution = WA.Message()
    if resend:
        distribution.CopyFrom(sent.message)
    distribution.senderKeyDistributionMessage.groupId = group
    distribution.senderKeyDistributionMessage.axolotlSenderKeyDistributionMessage = key
    enc = await _enc(sender, companion, distribution, resend)
    return [enc] if resend else [enc, sealed]


async def ask_again(
    world: World,
    peer: Peer,
    companion: Companion,
    id: str,
    *,
    group: str | None = None,
    count: int = 1,
) -> None:
    """The peer's phone could not read a message; the engine must send it again."""
    number = peer.creds.registration_id
    content = [
        Node("retry", {"count": count, "id": id, "t": int(time.time()), "v": 1}),
        Node("registration", None, number.to_bytes(4, "big")),
    ]
    attrs: Attrs = {"id": id, "type": "retry", "t": int(time.time())}
    named: Attrs = {"from": peer.jid}
    if group is not None:
        named = {"from": group, "participant": peer.jid}
    await world.deliver(companion, Node("receipt", {**attrs, **named}, content))


async def notify(
    world: World, companion: Companion, kind: str, sender: str, content: list[Node], **attrs: str
) -> None:
    named: Attrs = {"type": kind, "from": sender, "id": world.stanza_id(), "t": int(time.time())}
    await world.deliver(companion, Node("notification", {**named, **attrs}, content))


async def tell_devices(world: World, account: Account) -> None:
    """Who may know the account's devices must ask for them again."""
    unknown = Node("devices", {"dhash": "changed"})
    for companion in world.linked([account]):
        await notify(world, companion, "account_sync", account.pn, [unknown])
    others = [person for person in world.everyone() if person is not account]
    for companion in world.linked(others):
        for jid in (account.pn, account.lid):
            await notify(world, companion, "devices", jid, [Node("update")])


async def notify_phone(world: World, companion: Companion, message: Proto) -> None:
    """A message from the owner's phone to its companion itself."""
    await send(world, companion.account, companion, message, category="peer")


def is_group(jid: str) -> bool:
    return server_of(jid) in {"g.us", "broadcast"}
