"""How a phone links a device: by the QR code it saw or the code its owner typed."""

import base64
import hashlib
import hmac
import secrets
import time

import anyio
from cryptography.exceptions import InvalidTag
from pyaileys.crypto.aes import aes_decrypt_ctr, aes_decrypt_gcm, aes_encrypt_ctr
from pyaileys.crypto.hkdf import hkdf_sha256

from tests.fakes.whatsapp_web import outgoing
from tests.fakes.whatsapp_web.authority import CURVE
from tests.fakes.whatsapp_web.devices import Account, Companion, SignedPreKey
from tests.fakes.whatsapp_web.nodes import SERVER, Node
from tests.fakes.whatsapp_web.wire import WA
from tests.fakes.whatsapp_web.world import Line, Offer, World

__all__ = ["enter_code", "scan_qr"]

_ROUNDS = 2 << 16
_ANSWER_S = 20
_SETTLE_S = 0.05


async def scan_qr(world: World, text: str, account: Account) -> Companion:
    """Takes the text with or without the link it may be part of."""
    ref, noise, identity, secret = text.rpartition("#")[2].split(",")[:4]
    line = world.refs.get(ref)
    if line is None:
        raise LookupError("this QR code is not on show any more")
    if base64.b64decode(noise) != line.client_static:
        raise ValueError("the code's Noise key is not the connection's")
    if base64.b64decode(identity) != bytes(line.pairing.eIdent):
        raise ValueError("the code's identity is not the one that asked")
    return await _link(world, line, account, base64.b64decode(identity), base64.b64decode(secret))


async def enter_code(world: World, code: str, account: Account) -> Companion:
    offer = world.offers.get(account.phone)
    if offer is None:
        raise LookupError(f"no device waits for a code of {account.phone}")
    identity, secret = await _agree(world, offer, code.replace("-", ""), account)
    del world.offers[account.phone]
    return await _link(world, offer.line, account, identity, secret)


async def _agree(world: World, offer: Offer, code: str, account: Account) -> tuple[bytes, bytes]:
    """The device's identity and the secret both sides derive from the code."""
    wrapped, phone_key = offer.wrapped_key, account.creds.signed_identity_key
    device_key = aes_decrypt_ctr(
        wrapped[48:80], key=_stretch(code, wrapped[:32]), iv=wrapped[32:48]
    )
    own = CURVE.generate_keypair()
    salt, iv = secrets.token_bytes(32), secrets.token_bytes(16)
    sealed = salt + iv + aes_encrypt_ctr(own.public, key=_stretch(code, salt), iv=iv)
    hello = Node(
        "link_code_companion_reg",
        {"stage": "primary_hello"},
        [
            Node("link_code_pairing_wrapped_primary_ephemeral_pub", None, sealed),
            Node("primary_identity_pub", None, phone_key.public),
            Node("link_code_pairing_ref", None, offer.ref),
        ],
    )
    attrs = {
        "from": SERVER,
        "type": "link_code_companion_reg",
        "id": world.stanza_id(),
        "t": int(time.time()),
    }
    await offer.line.send(Node("notification", attrs, [hello]))
    with anyio.fail_after(_ANSWER_S):
        await offer.finished.wait()
    shared, bundle = CURVE.shared_key(own.private, device_key), offer.bundle
    key = hkdf_sha256(
        ikm=shared,
        length=32,
        salt=bundle[:32],
        info=b"link_code_pairing_key_bundle_encryption_key",
    )
    try:
        plain = aes_decrypt_gcm(bundle[44:], key=key, iv=bundle[32:44], aad=b"")
    except InvalidTag as error:
        raise ValueError("this is not the code the device shows") from error
    if plain[:32] != offer.identity or plain[32:64] != phone_key.public:
        raise ValueError("the device sealed other keys than it shows")
    own_secret = CURVE.shared_key(phone_key.private, offer.identity)
    secret = hkdf_sha256(
        ikm=shared + own_secret + plain[64:96], length=32, salt=b"", info=b"adv_secret"
    )
    return offer.identity, secret


def _stretch(code: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", code.encode(), salt, _ROUNDS, 32)


async def _link(
    world: World, line: Line, account: Account, identity: bytes, secret: bytes
) -> Companion:
    """Certifies the device, checks that it certifies itself, and sends it to log in."""
    number, phone_key = account.next_device(), account.creds.signed_identity_key
    details = WA.ADVDeviceIdentity(
        rawId=account.raw_id, timestamp=int(time.time()), keyIndex=number
    ).SerializeToString()
    signature = CURVE.sign(phone_key.private, b"\x06\x00" + details + identity)
    certificate = WA.ADVSignedDeviceIdentity(
        details=details, accountSignatureKey=phone_key.public, accountSignature=signature
    ).SerializeToString()
    sealed = WA.ADVSignedDeviceIdentityHMAC(
        details=certificate, hmac=hmac.digest(secret, certificate, "sha256")
    )
    device = line.pairing
    companion = Companion(
        account,
        number,
        identity,
        registration_id=int.from_bytes(device.eRegid, "big"),
        signed_prekey=SignedPreKey(
            int.from_bytes(device.eSkeyId, "big"), bytes(device.eSkeyVal), bytes(device.eSkeySig)
        ),
        certificate=b"",
    )
    attrs = {"from": SERVER, "type": "set", "id": world.stanza_id(), "xmlns": "md"}
    success = [
        Node("device-identity", None, sealed.SerializeToString()),
        *([Node("biz", {"name": account.name})] if account.business else []),
        Node("device", {"jid": companion.jid, "lid": companion.lid}),
        Node("platform", {"name": "smba" if account.business else "android"}),
    ]
    reply = await line.ask(
        Node("iq", {**attrs, "t": int(time.time())}, [Node("pair-success", None, success)])
    )
    if reply["type"] != "result":
        raise RuntimeError(f"the engine refused to be linked: {reply}")
    signed = reply.child("pair-device-sign", "device-identity").raw
    own_signature = bytes(WA.ADVSignedDeviceIdentity.FromString(signed).deviceSignature)
    proven = b"\x06\x01" + details + identity + phone_key.public
    if not CURVE.verify(identity, proven, own_signature):
        raise ValueError("the device's signature is wrong")
    companion.certificate = signed
    await outgoing.tell_devices(world, account)
    account.companions[number] = companion
    await line.send(Node("stream:error", {"code": 515}))
    await anyio.sleep(_SETTLE_S)
    await line.close()
    return companion
