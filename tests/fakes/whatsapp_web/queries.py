"""What the server answers to an engine's queries; what it does not know is 501 and recorded."""

import base64
import hashlib
import secrets
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.fakes.whatsapp_web import groupqueries, history
from tests.fakes.whatsapp_web.devices import Account, Companion, Peer, SignedPreKey
from tests.fakes.whatsapp_web.nodes import SERVER, Node, device_of, user_of
from tests.fakes.whatsapp_web.refusal import Refused
from tests.fakes.whatsapp_web.wire import WA
from tests.fakes.whatsapp_web.world import Line, Offer, World

if TYPE_CHECKING:
    from tests.fakes.whatsapp_web.membership import Group

__all__ = ["answer"]


@dataclass(frozen=True)
class Query:
    """`body` is the first child; the device is None while it is not linked yet."""

    world: World
    line: Line
    asker: Companion | None
    node: Node

    @property
    def kind(self) -> str:
        return self.node["type"]

    @property
    def body(self) -> Node:
        return self.node.first or Node("")

    @property
    def companion(self) -> Companion:
        if self.asker is None:
            raise Refused(401, "not-authorized")
        return self.asker


Answer = list[Node] | None


async def answer(world: World, line: Line, asker: Companion | None, node: Node) -> Node:
    """The stanza that answers, an error if need be."""
    attrs = {"id": node["id"], "from": node.get("to") or SERVER}
    known = _ANSWERS.get(node.get("xmlns"), _unknown)
    try:
        content = await known(Query(world, line, asker, node))
    except NotImplementedError:
        world.records.unhandled.append(node)
        refusal = Refused(501, "feature-not-implemented")
    except Refused as refused:
        refusal = refused
    else:
        return Node("iq", {**attrs, "type": "result"}, content)
    error = Node("error", {"code": refusal.code, "text": refusal.text})
    return Node("iq", {**attrs, "type": "error"}, [error])


async def _unknown(query: Query) -> Answer:
    raise NotImplementedError


async def _nothing(query: Query) -> Answer:
    return None


async def _properties(query: Query) -> Answer:
    attrs = {"protocol": 1, "hash": "x", "refresh": 86_400, "refresh_id": 1, "ab_key": "x"}
    return [Node("props", attrs, [])]


async def _passive(query: Query) -> Answer:
    companion = query.companion
    if query.body.tag == "active" and not companion.greeted:
        companion.greeted = True
        query.world.tasks.start_soon(history.greet, query.world, companion)
    return None


async def _mex(query: Query) -> Answer:
    return [Node("result", None, b'{"data":{}}')]


async def _privacy(query: Query) -> Answer:
    settings = query.companion.account.privacy
    if query.body.tag == "tokens":
        return None
    if query.kind == "set":
        settings.update({each["name"]: each["value"] for each in query.body.all("category")})
    categories = [
        Node("category", {"name": name, "value": value}) for name, value in settings.items()
    ]
    return [Node("privacy", None, categories)]


async def _blocklist(query: Query) -> Answer:
    blocked = query.companion.account.blocked
    if query.kind == "set":
        jid = query.body["jid"]
        if query.body["action"] == "block" and jid not in blocked:
            blocked.append(jid)
        elif query.body["action"] == "unblock" and jid in blocked:
            blocked.remove(jid)
    digest = hashlib.sha256("".join(blocked).encode()).hexdigest()
    return [Node("list", {"dhash": digest}, [Node("item", {"jid": jid}) for jid in blocked])]


async def _picture(query: Query) -> Answer:
    world = query.world
    target = query.node.get("target") or query.companion.account.jid
    owner: Group | Peer | None = world.groups.get(target) or world.person(target)
    if owner is None:
        raise Refused(404, "item-not-found")
    if query.kind == "set":
        owner.picture = query.body.raw or None
    if owner.picture is None:
        if query.kind == "set":
            return None
        raise Refused(404, "item-not-found")
    digest = hashlib.sha256(owner.picture).digest()
    number = int.from_bytes(digest[:4], "big")
    if query.kind == "set":
        return [Node("picture", {"id": number})]
    if query.body.get("id") == str(number):
        return None
    path = world.cdn.put(owner.picture, "jpg")
    attrs = {
        "id": number,
        "type": query.body.get("type", "image"),
        "url": world.cdn.picture_url(path),
        "direct_path": path,
        "hash": base64.b64encode(digest).decode(),
    }
    return [Node("picture", attrs)]


async def _app_state(query: Query) -> Answer:
    account, collections = query.companion.account, list[Node]()
    for asked in query.body.all("collection"):
        name, have = asked["name"], int(asked.get("version") or 0)
        state = account.app_state.collection(name)
        pushed = asked.find("patch")
        attrs = {"name": name, "version": state.version, "type": "result"}
        if pushed is not None and have != state.version:
            conflict = Node("error", {"code": 409, "text": "conflict"})
            collections.append(Node("collection", {**attrs, "type": "error"}, [conflict]))
            continue
        if pushed is not None:
            written = account.app_state.take(name, WA.SyncdPatch.FromString(pushed.raw))
            query.world.records.app_state_writes += written
            collections.append(Node("collection", {**attrs, "version": state.version}))
            continue
        patches = [Node("patch", None, patch) for patch in state.patches[have:]]
        content = [Node("patches", None, patches)] if patches else None
        collections.append(Node("collection", attrs, content))
    return [Node("sync", None, collections)]


async def _media(query: Query) -> Answer:
    attrs = {"auth": "AUTH", "ttl": 300, "auth_ttl": 300, "max_buckets": 12, "id": 1}
    return [Node("media_conn", attrs, [Node("host", {"hostname": "mmg.whatsapp.net"})])]


async def _linking(query: Query) -> Answer:
    world, body = query.world, query.body
    match body.tag, body.get("stage"):
        case "link_code_companion_reg", "companion_hello":
            ref = secrets.token_hex(8).encode()
            key = body.child("link_code_pairing_wrapped_companion_ephemeral_pub").raw
            world.offers[user_of(body["jid"])] = Offer(query.line, ref, key)
            shown = Node("link_code_pairing_ref", None, ref)
            return [Node("link_code_companion_reg", {"stage": "companion_hello"}, [shown])]
        case "link_code_companion_reg", "companion_finish":
            bundle = body.child("link_code_pairing_wrapped_key_bundle").raw
            identity = body.child("companion_identity_public").raw
            offer = next(each for each in world.offers.values() if each.line is query.line)
            offer.finish(bundle, identity)
            return None
        case "remove-companion-device", _:
            if companion := world.companion(body["jid"]):
                del companion.account.companions[companion.number]
                companion.linked = False
            return None
        case _:
            raise NotImplementedError


async def _encryption(query: Query) -> Answer:
    match query.kind, query.body.tag:
        case "get", "count":
            return [Node("count", {"value": len(query.companion.prekeys)})]
        case "get", "key":
            users = [_bundle(query.world, user["jid"]) for user in query.body.children]
            return [Node("list", None, users)]
        case "get", "digest":
            return [_digest(query.companion)]
        case "set", _ if query.node.find("list"):
            _take_keys(query.companion, query.node)
            query.world.records.counts["prekeys"] += len(query.companion.prekeys)
            return None
        case _:
            raise NotImplementedError


def _bundle(world: World, jid: str) -> Node:
    owner = world.companion(jid) if device_of(jid) else world.person(jid)
    if owner is None:
        error = Node("error", {"code": 406, "text": "not-acceptable"})
        return Node("user", {"jid": jid}, [error])
    return owner.bundle_node(jid)


def _take_keys(companion: Companion, node: Node) -> None:
    companion.identity = node.child("identity").raw
    companion.registration_id = node.child("registration").number
    companion.prekeys = deque(
        (key.child("id").number, key.child("value").raw) for key in node.child("list").children
    )
    signed = node.child("skey")
    companion.signed_prekey = SignedPreKey(
        signed.child("id").number, signed.child("value").raw, signed.child("signature").raw
    )


def _digest(companion: Companion) -> Node:
    keys, signed = sorted(companion.prekeys), companion.signed_prekey
    digest = hashlib.sha1(  # noqa: S324 — the protocol's choice
        companion.identity + signed.public + signed.signature + b"".join(key for _, key in keys)
    ).digest()
    return Node(
        "digest",
        None,
        [
            Node("registration", None, companion.registration_id.to_bytes(4, "big")),
            Node("type", None, b"\x05"),
            Node("identity", None, companion.identity),
            signed.node(),
            Node("list", None, [Node("id", None, number.to_bytes(3, "big")) for number, _ in keys]),
            Node("hash", None, digest),
        ],
    )


async def _users(query: Query) -> Answer:
    asked = query.body
    wanted = {each.tag: each for each in asked.child("query").children}
    users = [_user(query.world, wanted, user) for user in asked.child("list").children]
    attrs = {"sid": asked.get("sid"), "index": 0, "last": "true", "mode": asked.get("mode")}
    result = Node("result", None, [Node(tag) for tag in wanted])
    return [Node("usync", attrs, [result, Node("list", None, users)])]


def _user(world: World, wanted: dict[str, Node], user: Node) -> Node:
    contact = user.find("contact")
    asked = contact.raw.decode() if contact is not None else user.get("jid")
    phone = user_of(asked).removeprefix("+")
    peer = world.people.get(phone)
    facts: list[Node] = []
    if "contact" in wanted:
        known = "in" if peer else "out"
        facts.append(Node("contact", {"type": known}, contact.raw if contact else None))
    if peer is not None:
        facts += [_FACTS[tag](peer) for tag in wanted if tag in _FACTS]
    if contact is None:
        return Node("user", {"jid": user["jid"]}, facts)
    pn = f"{phone}@{SERVER}"
    if peer is None or wanted["contact"].get("addressing_mode") != "lid":
        return Node("user", {"jid": pn}, facts)
    return Node("user", {"jid": peer.lid, "pn_jid": peer.pn}, facts)


def _devices(peer: Peer) -> Node:
    numbers = [0, *(peer.companions if isinstance(peer, Account) else ())]
    devices = [Node("device", {"id": number, "key-index": number or None}) for number in numbers]
    index = Node("key-index-list", {"ts": int(time.time())})
    return Node("devices", None, [Node("device-list", None, devices), index])


def _picture_id(peer: Peer) -> Node:
    picture = peer.picture
    number = int.from_bytes(hashlib.sha256(picture).digest()[:4], "big") if picture else None
    return Node("picture", {"id": number})


_FACTS: dict[str, Callable[[Peer], Node]] = {
    "lid": lambda peer: Node("lid", {"val": peer.lid}),
    "devices": _devices,
    "status": lambda peer: Node("status", {"t": int(time.time())}, peer.about),
    "picture": _picture_id,
}


async def _groups(query: Query) -> Answer:
    return await groupqueries.answer(query.world, query.companion, query.node)


_ANSWERS: dict[str, Callable[[Query], Awaitable[Answer]]] = {
    "w:p": _nothing,
    "w:stats": _nothing,
    "urn:xmpp:whatsapp:push": _nothing,
    "urn:xmpp:whatsapp:dirty": _nothing,
    "status": _nothing,
    "disappearing_mode": _nothing,
    "tos": _nothing,
    "passive": _passive,
    "abt": _properties,
    "w": _properties,
    "w:mex": _mex,
    "privacy": _privacy,
    "blocklist": _blocklist,
    "w:profile:picture": _picture,
    "w:sync:app:state": _app_state,
    "w:m": _media,
    "md": _linking,
    "encrypt": _encryption,
    "usync": _users,
    "w:g2": _groups,
}
