"""The master key, what is derived from it, and the seal on what the database holds.

The key lives in `secret.key` or in the keyring of the system, never in the database or a backup.
It is made only for a store that holds nothing sealed yet; a known row proves it at every start.
"""

import base64
import binascii
import os
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection, bindparam, exists, insert, select

from messengers.errors import StorageUnavailable
from messengers.store.keyring import Keyring
from messengers.store.rows import first_row, one_row, run
from messengers.store.tables import (
    ApiKeyRow,
    ApprovalRow,
    CredentialRow,
    SettingRow,
    WebhookEndpointRow,
    table,
)

__all__ = [
    "KEY_BYTES",
    "KEY_FILE",
    "OLD_KEY_FILE",
    "PEPPER",
    "RECORDS",
    "Cipher",
    "derive",
    "keep_old",
    "kept_key",
    "pepper_of",
    "promote",
    "put_pending",
    "settle_key",
]

KEY_FILE = "secret.key"
PENDING_KEY_FILE = "secret.key.new"
"""The key that is about to be the key: made durable before anything is sealed by it."""
OLD_KEY_FILE = "secret.key.old"
PEPPER = "pepper"
"""The row of what API keys and visitors are hashed with, once a key was replaced: it stays."""
RECORDS = "records"
"""The purpose of the key that seals fields of rows."""
KEY_BYTES = 32
_NONCE_BYTES = 12
_FORM = b"\x01"
"""The first byte of what is sealed: AES-256-GCM, nonce first."""
_PROOF = "key_proof"
_PROVEN = b"messengers"
_REMEDY = "Put the right key back; if it is lost, move messengers.db away and set up anew."
_settings = table(SettingRow)
_get = select(_settings.c.value).where(_settings.c.name == bindparam("setting"))
_put_proof = insert(_settings)
_holding = [
    select(exists(select(table(row))).label("any"))
    for row in (CredentialRow, ApiKeyRow, ApprovalRow, WebhookEndpointRow)
]
"""Whether a table has anything that only the store's key opens or verifies."""


class Cipher:
    """AES-GCM bound to the place where the ciphertext stands: it opens nowhere else."""

    def __init__(self, key: bytes) -> None:
        self._aead = AESGCM(key)

    def seal(self, table: str, row: str, field: str, plain: bytes) -> bytes:
        """The ciphertext of one field of one row."""
        nonce = os.urandom(_NONCE_BYTES)
        return _FORM + nonce + self._aead.encrypt(nonce, plain, _place(table, row, field))

    def open(self, table: str, row: str, field: str, blob: bytes) -> bytes:
        """The plain bytes. Raises StorageUnavailable under a wrong key or in a wrong place."""
        form, nonce, body = blob[:1], blob[1 : 1 + _NONCE_BYTES], blob[1 + _NONCE_BYTES :]
        try:
            if form != _FORM:
                raise InvalidTag  # noqa: TRY301 - the same answer as for any other damage
            return self._aead.decrypt(nonce, body, _place(table, row, field))
        except (InvalidTag, ValueError) as exc:
            raise StorageUnavailable(
                "A stored secret does not open: it has another key, or another row.",
                _REMEDY,
            ) from exc


def derive(master: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose; knowing them tells nothing about the others."""
    info = f"messengers/1/{purpose}".encode()
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=info).derive(master)


def settle_key(conn: Connection, home: Path, keyring: Keyring | None) -> bytes:
    """The master key: found and proven, or made where nothing needs one yet.

    With a keyring, a key that lies in the file is copied there; the file is left for the owner to
    remove.

    Raises:
        StorageUnavailable: missing, unreadable, damaged, or not the key of this store. Nothing was
            overwritten.
    """
    key = _found(home, keyring)
    if key is None:
        if _proof(conn) is not None or _holds_secrets(conn):
            place = "the keyring and the data directory" if keyring else "the data directory"
            hint = "" if keyring else " If the system's keyring holds it, set MESSENGERS_KEYRING=1."
            cause = f"The key of this store, secret.key, is missing from {place}."
            raise StorageUnavailable(cause, _REMEDY + hint)
        key = _made(home, keyring)
    try:
        _prove(conn, Cipher(derive(key, RECORDS)))
    except StorageUnavailable:
        # A replacement was cut between its transaction and its last step.
        pending = _pending(home, keyring)
        if pending is None:
            raise
        _prove(conn, Cipher(derive(pending, RECORDS)))
        promote(home, keyring, pending)
        return pending
    if keyring and keyring.read() is None:
        keyring.write(_encode(key))
    return key


def pepper_of(conn: Connection, key: bytes) -> bytes:
    """What API keys and visitors are hashed with: the first key's, whatever the key is by now."""
    row = first_row(conn, _get, setting=PEPPER)
    if row is None:
        return derive(key, "api keys")
    sealed = base64.b64decode(row["value"])
    return Cipher(derive(key, RECORDS)).open("setting", PEPPER, "value", sealed)


def put_pending(home: Path, keyring: Keyring | None, key: bytes) -> None:
    """Keep a key durably that is about to be the key."""
    if keyring:
        keyring.write(_encode(key), pending=True)
    else:
        _create(home / PENDING_KEY_FILE, _encode(key))


def keep_old(home: Path, key: bytes) -> None:
    """Keep a key for the backups that need it."""
    _create(home / OLD_KEY_FILE, _encode(key))


def kept_key(home: Path) -> bytes | None:
    """The old key that was kept, if one was."""
    text = _read(home / OLD_KEY_FILE)
    return None if text is None else _decode(text)


def promote(home: Path, keyring: Keyring | None, key: bytes) -> None:
    """The pending key is the key from now on; the one that was is gone."""
    if keyring:
        keyring.write(_encode(key))
        keyring.forget_pending()
        (home / KEY_FILE).unlink(missing_ok=True)
    else:
        os.replace(home / PENDING_KEY_FILE, home / KEY_FILE)
    _sync_directory(home)


def _pending(home: Path, keyring: Keyring | None) -> bytes | None:
    text = keyring.read(pending=True) if keyring else _read(home / PENDING_KEY_FILE)
    return None if text is None else _decode(text)


def _found(home: Path, keyring: Keyring | None) -> bytes | None:
    text = keyring.read() if keyring else None
    if text is None:
        text = _read(home / KEY_FILE)
    return None if text is None else _decode(text)


def _made(home: Path, keyring: Keyring | None) -> bytes:
    key = os.urandom(KEY_BYTES)
    if keyring:
        keyring.write(_encode(key))
    else:
        _create(home / KEY_FILE, _encode(key))
    return key


def _proof(conn: Connection) -> str | None:
    row = first_row(conn, _get, setting=_PROOF)
    return row["value"] if row else None


def _holds_secrets(conn: Connection) -> bool:
    return any(one_row(conn, stmt)["any"] for stmt in _holding)


def _prove(conn: Connection, cipher: Cipher) -> None:
    """Open the known row, or write it at the first start."""
    proof = _proof(conn)
    if proof is None and not _holds_secrets(conn):
        value = base64.b64encode(cipher.seal("setting", _PROOF, "value", _PROVEN)).decode()
        run(conn, _put_proof, {"name": _PROOF, "value": value})
        return
    try:
        cipher.open("setting", _PROOF, "value", base64.b64decode(proof or ""))
    except (StorageUnavailable, binascii.Error) as exc:
        cause = "The key at hand, secret.key, is not the key of this store."
        raise StorageUnavailable(cause, _REMEDY) from exc


def _place(table: str, row: str, field: str) -> bytes:
    """Unambiguous: each part has its own length."""
    parts = (part.encode() for part in (table, row, field))
    return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


def _read(path: Path) -> str | None:
    try:
        if os.name != "nt" and path.stat().st_mode & 0o077:
            path.chmod(0o600)
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return None
    except UnicodeDecodeError:
        return ""
    except OSError as exc:
        raise StorageUnavailable(
            "secret.key cannot be read.", "Make it belong to this user."
        ) from exc


def _encode(key: bytes) -> str:
    return base64.b64encode(key).decode()


def _decode(text: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if len(key) != KEY_BYTES:
        raise StorageUnavailable("secret.key is damaged: it holds no key.", _REMEDY)
    return key


def _create(path: Path, text: str) -> None:
    """All or nothing: a file cut short by a full disk would look like a damaged key."""
    part = path.with_name(path.name + ".part")
    try:
        part.unlink(missing_ok=True)
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        _sync_directory(path.parent)
    except OSError as exc:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise StorageUnavailable(
            "secret.key cannot be written into the data directory.",
            "Free some space, or make the directory writable for this user.",
        ) from exc


def _sync_directory(path: Path) -> None:
    if os.name == "nt":
        return  # pragma: no cover - directories have no fsync there
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
