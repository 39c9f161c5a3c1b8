"""A store in a directory of its own, and the rows that others refer to."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, insert

from messengers.clock import SystemClock
from messengers.store import Store
from messengers.store.tables import ChatRow, InstanceRow, MessageRow, table

INSTANCE = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
async def store(home: Path) -> AsyncIterator[Store]:
    opened = await Store.open(home, SystemClock())
    yield opened
    await opened.aclose()


def add_chat(conn: Connection, native_id: str = "chat") -> int:
    """A chat of the one instance; both with nothing in them."""
    instances = table(InstanceRow)
    values = {"name": "mine", "provider": "webchat", "kind": "bot", "wanted": "on"}
    stmt = insert(instances).prefix_with("OR IGNORE")
    conn.execute(stmt.values(_blank(InstanceRow) | values | {"id": INSTANCE}))
    values = {"instance_id": INSTANCE, "native_id": native_id}
    made = conn.execute(insert(table(ChatRow)).values(_blank(ChatRow) | values))
    return int(made.lastrowid)


def add_message(conn: Connection, chat_id: int, text: str, sent_at: int, rowid: int) -> int:
    """A stored message, its search row not yet made."""
    place = {"instance_id": INSTANCE, "chat_id": chat_id}
    values = place | {"text": text, "sent_at": sent_at, "search_rowid": rowid}
    made = conn.execute(insert(table(MessageRow)).values(_blank(MessageRow) | values))
    return int(made.lastrowid)


def _blank(row: type[InstanceRow] | type[ChatRow] | type[MessageRow]) -> dict[str, object]:
    columns = [each for each in table(row).c if not each.nullable and not each.primary_key]
    return {each.name: 0 if each.type.python_type is int else "" for each in columns}
