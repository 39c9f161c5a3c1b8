"""Stanzas engines send: messages for phones, receipts, presence; queries go to `queries`."""

import time
from collections.abc import Iterator

import anyio
from pyaileys.signal.repository import PreKeyBundle, PreKeyBundleKey, SignalError
from pyaileys.signal.util import signal_pubkey

from tests.fakes.whatsapp_web import outgoing, queries
from tests.fakes.whatsapp_web.devices import Companion, Message, Peer
from tests.fakes.whatsapp_web.nodes import Node, bare, device_of, server_of
from tests.fakes.whatsapp_web.wire import WA, Proto
from tests.fakes.whatsapp_web.world import Line, Receipt, Typing, World, confirmation

__all__ = ["take"]


async def take(world: World, line: Line, companion: Companion | None, node: Node) -> None:
    match node.tag:
        case "iq":
            await line.send(await queries.answer(world, line, companion, node))
        case _ if companion is None:
            world.records.unhandled.append(node)
        case "message":
            await _message(world, line, companion, node)
        case "receipt":
            await _receipt(world, line, companion, node)
        case "ack":
            companion.unconfirmed.pop(confirmation(node.get("class"), node), None)
        case "presence":
            _presence(companion, node)
        case "chatstate":
            _typing(world, companion, node)
        case "ib":
            pass  # telemetry
        case _:
            world.records.unhandled.append(node)


def _presence(companion: Companion, node: Node) -> None:
    if node.get("type") == "subscribe":
        companion.subscriptions.add(node["to"])
    else:
        companion.presences.append(node.get("type"))


def _typing(world: World, companion: Companion, node: Node) -> None:
    state = node.first or Node("paused")
    name = "recording" if state.get("media") == "audio" else state.tag
    world.records.typing.append(Typing(companion, node["to"], name))


async def _message(world: World, line: Line, companion: Companion, node: Node) -> None:
    faults = world.faults
    world.records.counts["messages"] += 1
    attrs = {"class": "message", "id": node["id"], "from": node["to"], "t": int(time.time())}
    if faults.message_refusal:
        await line.send(Node("ack", {**attrs, "error": faults.message_refusal}))
        return
    for jid, enc in _copies(node):
        await _hand_on(world, companion, jid, node, enc)
    await _hand_on_to_group(world, companion, node)
    if faults.acks_to_lose:
        faults.acks_to_lose -= 1
    elif faults.ack_delay_s:
        world.tasks.start_soon(_send_later, line, Node("ack", attrs), faults.ack_delay_s)
    else:
        await line.send(Node("ack", attrs))


async def _send_later(line: Line, node: Node, delay_s: float) -> None:
    await anyio.sleep(delay_s)
    await line.send(node)


def _copies(node: Node) -> Iterator[tuple[str, Node]]:
    """The encrypted copies, each with the device it is for."""
    for to in (node.find("participants") or node).all("to"):
        for enc in to.all("enc"):
            yield to["jid"], enc
    for enc in node.all("enc"):
        if enc["type"] != "skmsg":
            yield node.get("participant") or node["to"], enc


async def _hand_on(world: World, sender: Companion, jid: str, node: Node, enc: Node) -> None:
    peer = world.person(jid)
    if peer is None:
        return
    if device_of(jid):
        if other := world.companion(jid):
            await world.deliver(other, _forwarded(sender, other, node, jid, [enc]))
        return
    try:
        plain = await peer.decrypt(sender, enc["type"], enc.raw)
    except SignalError:
        await _could_not_read(world, peer, sender, node)
        return
    await _read(peer, sender, node, WA.Message.FromString(plain), is_resend="count" in enc.attrs)


async def _read(
    peer: Peer, sender: Companion, node: Node, message: Proto, *, is_resend: bool
) -> None:
    if message.HasField("senderKeyDistributionMessage"):
        key = message.senderKeyDistributionMessage
        await peer.take_group_key(
            key.groupId, sender, bytes(key.axolotlSenderKeyDistributionMessage)
        )
        message.ClearField("senderKeyDistributionMessage")
        if {field.name for field, _ in message.ListFields()} <= {"messageContextInfo"}:
            return
    peer.take(Message(node["id"], sender.account.lid, node["to"], message, sender, node, is_resend))


async def _hand_on_to_group(world: World, sender: Companion, node: Node) -> None:
    enc = next((each for each in node.all("enc") if each["type"] == "skmsg"), None)
    if enc is None:
        return
    group = node["to"]
    readers = world.groups[group].members if group in world.groups else world.everyone()
    for peer in readers:
        for other in world.linked([peer]):
            if other is not sender:
                await world.deliver(other, _forwarded(sender, other, node, group, [enc]))
        if peer is sender.account:
            continue
        try:
            plain = await peer.decrypt_group(group, sender, enc.raw)
        except SignalError:
            await _could_not_read(world, peer, sender, node)
            continue
        await _read(peer, sender, node, WA.Message.FromString(plain), is_resend=False)


async def _could_not_read(world: World, peer: Peer, sender: Companion, node: Node) -> None:
    """What a real phone does then."""
    world.records.counts["unreadable"] += 1
    group = node["to"] if server_of(node["to"]) == "g.us" else None
    await outgoing.ask_again(world, peer, sender, node["id"], group=group)


def _forwarded(
    sender: Companion, reader: Companion, node: Node, jid: str, encs: list[Node]
) -> Node:
    """One engine's message as another engine receives it."""
    to, account = node["to"], sender.account
    attrs: dict[str, str | int | None] = {
        "id": node["id"],
        "t": int(time.time()),
        "type": node.get("type", "text"),
        "edit": node.attrs.get("edit"),
        "notify": account.name,
    }
    if server_of(to) == "g.us":
        attrs |= {"from": to, "participant": sender.lid, "participant_pn": sender.jid}
        attrs |= {"addressing_mode": "lid"}
    elif server_of(jid) == "lid":
        attrs |= {"from": sender.lid, "sender_pn": sender.jid, "addressing_mode": "lid"}
    else:
        attrs |= {"from": sender.jid, "sender_lid": sender.lid}
    if reader.account is account and server_of(to) != "g.us":
        attrs["recipient"] = bare(to)
    identity = node.find("device-identity")
    return Node("message", attrs, [*encs, *([identity] if identity else [])])


async def _receipt(world: World, line: Line, companion: Companion, node: Node) -> None:
    ids = [node["id"], *(item["id"] for item in (node.find("list") or node).all("item"))]
    kind = node.get("type") or "delivered"
    world.records.receipts.append(
        Receipt(companion, node.get("to"), tuple(ids), kind, node.get("participant"))
    )
    for each in ids:
        companion.unconfirmed.pop(("message", each), None)
    await line.send(
        Node(
            "ack",
            {
                "class": "receipt",
                "id": node["id"],
                "from": node.get("to"),
                "type": node.attrs.get("type"),
                "participant": node.attrs.get("participant"),
            },
        )
    )
    if kind == "retry" and world.faults.resend:
        await _resend(world, companion, node)


async def _resend(world: World, companion: Companion, receipt: Node) -> None:
    """The engine could not read what a phone sent: once more, in a new session."""
    sent = world.sent.get(receipt["id"])
    if sent is None:
        return
    keys = receipt.find("keys")
    bundle = _bundle(receipt, keys) if keys else companion.take_bundle()
    await sent.sender.begin_session(companion, bundle)
    count = int(receipt.child("retry")["count"])
    await outgoing.transmit(world, companion, receipt["id"], sent, resend=count)


def _bundle(receipt: Node, keys: Node) -> PreKeyBundle:
    one_time, signed = keys.child("key"), keys.child("skey")
    return PreKeyBundle(
        registration_id=receipt.child("registration").number,
        identity_key=signal_pubkey(keys.child("identity").raw),
        signed_pre_key=PreKeyBundleKey(
            signed.child("id").number,
            signal_pubkey(signed.child("value").raw),
            signed.child("signature").raw,
        ),
        pre_key=PreKeyBundleKey(
            one_time.child("id").number, signal_pubkey(one_time.child("value").raw)
        ),
    )
