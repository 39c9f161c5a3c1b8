"""Keyset cursors: opaque, signed, good for exactly one question."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

import orjson

from messengers.errors import InvalidInput

__all__ = ["Cursors"]

_MAC_BYTES = 12
_MAX_CHARS = 1_000


class Cursors:
    """Makes and reads cursors under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def encode(self, scope: str, position: Sequence[int | str]) -> str:
        """Where to go on, for the question that `scope` names in full."""
        body = orjson.dumps(list(position))
        return base64.urlsafe_b64encode(self._mac(scope, body) + body).rstrip(b"=").decode()

    def decode(self, scope: str, text: str) -> list[int | str]:
        """The position. Raises InvalidInput for garbage and for another question's cursor."""
        raw = _bytes(text)
        mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(scope, body)):
            raise InvalidInput(
                "cursor does not belong to this question.",
                "Repeat the call that gave it with the same arguments, or leave cursor out.",
            )
        return orjson.loads(body)

    def _mac(self, scope: str, body: bytes) -> bytes:
        # The scope has a length of its own, so that no part of it can pass for the position.
        named = scope.encode("utf-8", "surrogatepass")
        signed = len(named).to_bytes(4, "big") + named + body
        return hmac.digest(self._key, signed, hashlib.sha256)[:_MAC_BYTES]


def _bytes(text: str) -> bytes:
    """What the text encodes; nothing for what nobody here wrote."""
    if len(text) > _MAX_CHARS:
        return b""
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (ValueError, binascii.Error):
        return b""
