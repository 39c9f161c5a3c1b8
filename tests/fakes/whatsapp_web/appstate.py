"""What an account's devices agree on: contact names, muted, pinned and archived chats.

Each collection is a chain of signed patches, encrypted with a key the phone shares.
"""

import hashlib
import hmac
import json
import secrets
import time
from dataclasses import dataclass, field

from pyaileys.appstate.keys import expand_app_state_keys
from pyaileys.appstate.lthash import WAPATCH_INTEGRITY
from pyaileys.crypto.aes import aes_decrypt_cbc_pkcs7, aes_encrypt_cbc_pkcs7

from tests.fakes.whatsapp_web.wire import WA, Proto

__all__ = ["AppState", "Collection", "Written"]

_MAC_BYTES = 32


@dataclass(frozen=True)
class Written:
    """One thing a device wrote: `index` names it, as in ["mute", "…@lid"]."""

    collection: str
    index: list[str]
    value: Proto


@dataclass
class Collection:
    patches: list[bytes] = field(default_factory=list[bytes])
    hash: bytearray = field(default_factory=lambda: bytearray(128))
    macs: dict[bytes, bytes] = field(default_factory=dict[bytes, bytes])

    @property
    def version(self) -> int:
        return len(self.patches)

    def fold(self, index: bytes, mac: bytes) -> None:
        """Takes a value's MAC into the hash, in place of the one before it."""
        before = [self.macs[index]] if index in self.macs else []
        WAPATCH_INTEGRITY.subtract_then_add_in_place(self.hash, before, [mac])
        self.macs[index] = mac


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


class AppState:
    """One account's collections."""

    def __init__(self, raw_id: int) -> None:
        self._raw_id = raw_id
        self._key_id, key = b"\0\0\0\0\x0a\x01", secrets.token_bytes(32)
        self._key = key
        self._keys = expand_app_state_keys(key)
        self._collections: dict[str, Collection] = {}

    def collection(self, name: str) -> Collection:
        return self._collections.setdefault(name, Collection())

    def key_share(self) -> Proto:
        """The message by which the phone gives a companion the key."""
        message = WA.Message()
        message.protocolMessage.type = WA.Message.ProtocolMessage.APP_STATE_SYNC_KEY_SHARE
        key = message.protocolMessage.appStateSyncKeyShare.keys.add()
        key.keyId.keyId = self._key_id
        key.keyData.keyData = self._key
        key.keyData.timestamp = int(time.time() * 1000)
        key.keyData.fingerprint.rawId = self._raw_id
        key.keyData.fingerprint.currentIndex = 1
        return message

    def name_account(self, name: str) -> None:
        value = _value()
        value.pushNameSetting.name = name
        self.write("critical_block", ["setting_pushName"], value)

    def name_contact(self, jid: str, lid: str, full_name: str) -> None:
        value = _value()
        value.contactAction.fullName = full_name
        value.contactAction.firstName = full_name.split(" ")[0]
        value.contactAction.lidJid = lid
        self.write("critical_unblock_low", ["contact", jid], value)

    def archive(self, jid: str, *, archived: bool) -> None:
        value = _value()
        value.archiveChatAction.archived = archived
        self.write("regular_low", ["archive", jid], value)

    def mute(self, jid: str, *, until_ms: int | None) -> None:
        """Until then, or no more."""
        value = _value()
        value.muteAction.muted = until_ms is not None
        value.muteAction.muteEndTimestamp = until_ms or 0
        self.write("regular_high", ["mute", jid], value)

    def pin(self, jid: str, *, pinned: bool) -> None:
        value = _value()
        value.pinAction.pinned = pinned
        self.write("regular_low", ["pin_v1", jid], value)

    def write(self, name: str, index: list[str], value: Proto) -> None:
        """One mutation as a signed patch."""
        collection, keys = self.collection(name), self._keys
        path = json.dumps(index, separators=(",", ":")).encode()
        data = WA.SyncActionData(index=path, value=value, padding=b"", version=2)
        iv = secrets.token_bytes(16)
        sealed = iv + aes_encrypt_cbc_pkcs7(
            data.SerializeToString(), key=keys.value_encryption, iv=iv
        )
        length = (len(self._key_id) + 1).to_bytes(8, "big")
        mac = hmac.new(
            keys.value_mac, b"\x01" + self._key_id + sealed + length, hashlib.sha512
        ).digest()[:_MAC_BYTES]
        index_mac = _hmac(keys.index, path)
        collection.fold(index_mac, mac)

        patch = WA.SyncdPatch()
        patch.version.version = collection.version + 1
        patch.keyId.id = self._key_id
        mutation = patch.mutations.add()
        mutation.operation = WA.SyncdMutation.SET
        mutation.record.index.blob = index_mac
        mutation.record.value.blob = sealed + mac
        mutation.record.keyId.id = self._key_id
        version = (collection.version + 1).to_bytes(8, "big") + name.encode()
        patch.snapshotMac = _hmac(keys.snapshot_mac, bytes(collection.hash) + version)
        patch.patchMac = _hmac(keys.patch_mac, patch.snapshotMac + mac + version)
        collection.patches.append(patch.SerializeToString())

    def take(self, name: str, patch: Proto) -> list[Written]:
        """Appends a companion's patch and reads what it wrote."""
        collection = self.collection(name)
        written: list[Written] = []
        for mutation in patch.mutations:
            blob = bytes(mutation.record.value.blob)
            sealed, mac = blob[:-_MAC_BYTES], blob[-_MAC_BYTES:]
            plain = aes_decrypt_cbc_pkcs7(
                sealed[16:], key=self._keys.value_encryption, iv=sealed[:16]
            )
            data = WA.SyncActionData.FromString(plain)
            written.append(Written(name, json.loads(bytes(data.index)), data.value))
            collection.fold(bytes(mutation.record.index.blob), mac)
        patch.version.version = collection.version + 1
        collection.patches.append(patch.SerializeToString())
        return written


def _value() -> Proto:
    return WA.SyncActionValue(timestamp=int(time.time() * 1000))
