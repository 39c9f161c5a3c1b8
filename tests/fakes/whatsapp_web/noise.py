"""The server's side of Noise_XX_25519_AESGCM_SHA256, as WhatsApp's sockets begin."""

from pyaileys.crypto.aes import aes_decrypt_gcm, aes_encrypt_gcm
from pyaileys.crypto.hkdf import hkdf_sha256, sha256

from tests.fakes.whatsapp_web.authority import CURVE, NoiseAuthority
from tests.fakes.whatsapp_web.wire import WA, Proto

__all__ = ["Noise"]

_PROTOCOL = b"Noise_XX_25519_AESGCM_SHA256\0\0\0\0"


def _nonce(count: int) -> bytes:
    return count.to_bytes(12, "big")


class Noise:
    """Greeting, the client's answer, then a cipher for each direction."""

    def __init__(self, authority: NoiseAuthority, prologue: bytes) -> None:
        self._authority = authority
        self._ephemeral = CURVE.generate_keypair()
        self._hash = self._salt = self._key = _PROTOCOL
        self._count = self._sent = self._received = 0
        self._mix_hash(prologue)
        self.client_static = b""

    def greet(self, hello: bytes) -> bytes:
        """Takes the client's hello; returns ours with the certificate chain."""
        theirs = bytes(WA.HandshakeMessage.FromString(hello).clientHello.ephemeral)
        static = self._authority.static
        answer = WA.HandshakeMessage()
        answer.serverHello.ephemeral = self._ephemeral.public
        self._mix_hash(theirs)
        self._mix_hash(self._ephemeral.public)
        self._mix_key(CURVE.shared_key(self._ephemeral.private, theirs))
        answer.serverHello.static = self._encrypt(static.public)
        self._mix_key(CURVE.shared_key(static.private, theirs))
        answer.serverHello.payload = self._encrypt(self._authority.chain)
        return answer.SerializeToString()

    def finish(self, frame: bytes) -> Proto:
        """Takes the client's last message; returns its ClientPayload and opens both ciphers."""
        finish = WA.HandshakeMessage.FromString(frame).clientFinish
        self.client_static = self._decrypt(bytes(finish.static))
        self._mix_key(CURVE.shared_key(self._ephemeral.private, self.client_static))
        payload = WA.ClientPayload.FromString(self._decrypt(bytes(finish.payload)))
        keys = hkdf_sha256(ikm=b"", length=64, salt=self._salt)
        self._receiving, self._sending = keys[:32], keys[32:]  # the client's own key comes first
        return payload

    def seal(self, data: bytes) -> bytes:
        self._sent += 1
        return aes_encrypt_gcm(data, key=self._sending, iv=_nonce(self._sent - 1), aad=b"")

    def open(self, data: bytes) -> bytes:
        self._received += 1
        return aes_decrypt_gcm(data, key=self._receiving, iv=_nonce(self._received - 1), aad=b"")

    def _mix_hash(self, data: bytes) -> None:
        self._hash = sha256(self._hash + data)

    def _mix_key(self, secret: bytes) -> None:
        keys = hkdf_sha256(ikm=secret, length=64, salt=self._salt)
        self._salt, self._key, self._count = keys[:32], keys[32:], 0

    def _encrypt(self, data: bytes) -> bytes:
        sealed = aes_encrypt_gcm(data, key=self._key, iv=_nonce(self._count), aad=self._hash)
        self._count += 1
        self._mix_hash(sealed)
        return sealed

    def _decrypt(self, data: bytes) -> bytes:
        opened = aes_decrypt_gcm(data, key=self._key, iv=_nonce(self._count), aad=self._hash)
        self._count += 1
        self._mix_hash(data)
        return opened
