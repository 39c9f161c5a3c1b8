"""Another master key, and everything sealed under it, while no daemon runs.

All or nothing, whenever it is cut: the new key is durable beside the old one before the transaction
that seals by it, and takes the old one's place after. Between the two the store opens by the new
one, as `settle_key` finds it. What API keys and visitors are known by stays: it is sealed, too.
"""

import base64
import os
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, bindparam, delete, insert

from messengers.errors import Conflict
from messengers.store import audit
from messengers.store.keyring import Keyring
from messengers.store.offline import alone
from messengers.store.rows import run
from messengers.store.sealed import reseal
from messengers.store.secrets import (
    KEY_BYTES,
    OLD_KEY_FILE,
    PEPPER,
    RECORDS,
    Cipher,
    derive,
    keep_old,
    kept_key,
    pepper_of,
    promote,
    put_pending,
    settle_key,
)
from messengers.store.tables import SettingRow, table

__all__ = ["rotate"]

_settings = table(SettingRow)
_drop = delete(_settings).where(_settings.c.name == bindparam("setting"))
_put = insert(_settings)


def rotate(home: Path, at_ms: int, *, keyring: bool = False, keeps_old: bool = False) -> int:
    """Make a new key and seal everything by it; returns how many values that were.

    The caller holds the lock of the data directory.

    Raises:
        Conflict: the old key is to be kept where one lies already.
        StorageUnavailable: the key at hand is not this store's, or the disk refused. Then the key
            that was goes on.
    """
    ring = Keyring(home) if keyring else None
    old = alone(home, partial(settle_key, home=home, keyring=ring))
    if keeps_old and kept_key(home) not in (None, old):
        raise Conflict(f"There is a {OLD_KEY_FILE} already.", "Move it to where your backups are.")
    new = os.urandom(KEY_BYTES)
    put_pending(home, ring, new)
    if keeps_old:
        keep_old(home, old)
    count = alone(home, partial(_rotated, old=old, new=new, at_ms=at_ms))
    promote(home, ring, new)
    return count


def _rotated(conn: Connection, old: bytes, new: bytes, at_ms: int) -> int:
    pepper = pepper_of(conn, old)
    ciphers = Cipher(derive(old, RECORDS)), Cipher(derive(new, RECORDS))
    sealed = base64.b64encode(ciphers[0].seal("setting", PEPPER, "value", pepper)).decode()
    run(conn, _drop, {"setting": PEPPER})
    run(conn, _put, {"name": PEPPER, "value": sealed})
    count = reseal(conn, *ciphers)
    audit.add(conn, at=at_ms, actor="owner", action="rotate_key")
    return count
