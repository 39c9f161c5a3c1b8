"""The fake CDN: files are encrypted at the ends, so all it keeps is bytes by their path."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Literal

from pyaileys.crypto.aes import aes_decrypt_cbc_pkcs7, aes_encrypt_cbc_pkcs7
from pyaileys.crypto.hkdf import hkdf_sha256
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.fakes.whatsapp_web.wire import Proto

__all__ = ["Cdn", "MediaKind", "Sealed"]

MediaKind = Literal["Image", "Video", "Audio", "Document", "History"]
_HOST = "https://mmg.whatsapp.net"
_PICTURE_HOST = "https://pps.whatsapp.net"
# The engine appends "&hash=…", so a path must have a query already.
_QUERY = "?ccb=11-4&oh=fake"
_MAC_BYTES = 10


def _keys(kind: MediaKind, key: bytes) -> tuple[bytes, bytes, bytes]:
    keys = hkdf_sha256(ikm=key, length=112, salt=b"", info=f"WhatsApp {kind} Keys".encode())
    return keys[:16], keys[16:48], keys[48:80]


@dataclass(frozen=True)
class Sealed:
    """What a message says of its file."""

    key: bytes
    path: str
    digest: bytes
    sealed_digest: bytes
    length: int

    def describe(self, part: Proto) -> None:
        """Into any message part or notification that names a file."""
        part.mediaKey = self.key
        part.directPath = self.path
        part.fileSha256 = self.digest
        part.fileEncSha256 = self.sealed_digest
        part.fileLength = self.length
        if "url" in part.DESCRIPTOR.fields_by_name:
            part.url = _HOST + self.path


class Cdn:
    """`blobs` by path; `uploads_to_fail` are refused first."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}
        self.uploads = self.downloads = self.deletions = 0
        self.uploads_to_fail = 0
        self.routes = [
            Route("/{prefix}/{kind}/{token}", self._upload, methods=["POST"]),
            Route("/{prefix}/{kind}/{token}", self._delete, methods=["DELETE"]),
            Route("/v/{name}", self._download),
        ]

    def put(self, data: bytes, suffix: str = "enc") -> str:
        """The direct path."""
        path = f"/v/{hashlib.sha256(data).hexdigest()}.{suffix}"
        self.blobs[path] = data
        return path + _QUERY

    def picture_url(self, path: str) -> str:
        return _PICTURE_HOST + path

    def seal(self, kind: MediaKind, data: bytes) -> Sealed:
        """Encrypts as a phone does and puts it here."""
        key = secrets.token_bytes(32)
        iv, cipher, mac_key = _keys(kind, key)
        sealed = aes_encrypt_cbc_pkcs7(data, key=cipher, iv=iv)
        sealed += hmac.digest(mac_key, iv + sealed, "sha256")[:_MAC_BYTES]
        digests = hashlib.sha256(data).digest(), hashlib.sha256(sealed).digest()
        return Sealed(key, self.put(sealed), *digests, len(data))

    def open(self, kind: MediaKind, part: Proto) -> bytes:
        """What a phone shows of a file an engine sent; raises if it would refuse it."""
        sealed = self.blobs[part.directPath.split("?")[0]]
        iv, cipher, mac_key = _keys(kind, bytes(part.mediaKey))
        body, mac = sealed[:-_MAC_BYTES], sealed[-_MAC_BYTES:]
        data = aes_decrypt_cbc_pkcs7(body, key=cipher, iv=iv)
        if (
            hmac.digest(mac_key, iv + body, "sha256")[:_MAC_BYTES] != mac
            or hashlib.sha256(data).digest() != part.fileSha256
            or hashlib.sha256(sealed).digest() != part.fileEncSha256
        ):
            raise ValueError("the file is not what its message says")
        return data

    async def _upload(self, request: Request) -> Response:
        data = await request.body()
        if self.uploads_to_fail:
            self.uploads_to_fail -= 1
            return Response(status_code=500)
        self.uploads += 1
        path = self.put(data)
        handle = request.path_params["token"]
        return JSONResponse({"url": _HOST + path, "direct_path": path, "handle": handle})

    async def _delete(self, request: Request) -> Response:
        self.deletions += 1
        return Response()

    async def _download(self, request: Request) -> Response:
        self.downloads += 1
        data = self.blobs.get(request.url.path)
        return Response(status_code=404) if data is None else Response(data)
