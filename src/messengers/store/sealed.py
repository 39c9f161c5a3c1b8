"""Every field that is sealed under the store's key: what a new key has to seal anew.

A test holds the list to the tables and to every place that seals.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, Table, bindparam, select, update

from messengers.store.rows import Row, all_rows, run
from messengers.store.secrets import Cipher
from messengers.store.tables import (
    ApprovalRow,
    CredentialRow,
    SettingRow,
    WebhookEndpointRow,
    table,
)

__all__ = ["SEALED", "SealedField", "reseal"]


@dataclass(frozen=True, slots=True)
class SealedField:
    """One column, and the place that its values are bound to."""

    table: Table
    column: str
    row: Callable[[Row], str]
    """What names the row in the seal."""
    field: Callable[[Row], str] | None = None
    """What names the field there; None: the column."""
    where: tuple[str, ...] = ()
    """Only rows whose primary key is one of these; none: all."""
    as_text: bool = False
    """Base64 in a column of text."""

    def place(self, row: Row) -> tuple[str, str, str]:
        """Table, row and field, as the seal has them."""
        return self.table.name, self.row(row), self.field(row) if self.field else self.column


def _of_endpoint(column: str) -> SealedField:
    return SealedField(table(WebhookEndpointRow), column, lambda row: str(row["id"]))


SEALED = (
    SealedField(
        table(CredentialRow), "ciphertext", lambda row: row["instance_id"], lambda row: row["field"]
    ),
    SealedField(table(ApprovalRow), "payload", lambda row: row["hash"]),
    _of_endpoint("url"),
    _of_endpoint("secret"),
    _of_endpoint("old_secret"),
    SealedField(
        table(SettingRow),
        "value",
        lambda row: row["name"],
        where=("key_proof", "pepper"),
        as_text=True,
    ),
)


def reseal(conn: Connection, old: Cipher, new: Cipher) -> int:
    """Within a unit: open every sealed value and seal it under another key; returns how many.

    Raises StorageUnavailable when one does not open: then nothing is to be changed.
    """
    return sum(_reseal(conn, each, old, new) for each in SEALED)


def _reseal(conn: Connection, sealed: SealedField, old: Cipher, new: Cipher) -> int:
    keys = [column.name for column in sealed.table.primary_key]
    stmt = update(sealed.table).values({sealed.column: bindparam("new_value")})
    for key in keys:
        stmt = stmt.where(sealed.table.c[key] == bindparam(f"old_{key}"))
    count = 0
    for row in all_rows(conn, select(sealed.table)):
        value = row[sealed.column]
        if not value or (sealed.where and row[keys[0]] not in sealed.where):
            continue
        place = sealed.place(row)
        blob = base64.b64decode(value) if sealed.as_text else bytes(value)
        again = new.seal(*place, old.open(*place, blob))
        stored = base64.b64encode(again).decode() if sealed.as_text else again
        run(conn, stmt, _named(keys, row) | {"new_value": stored})
        count += 1
    return count


def _named(keys: list[str], row: Mapping[str, object]) -> dict[str, object]:
    return {f"old_{key}": row[key] for key in keys}
