"""A large store to read from: as many messages as asked for, with summaries and search rows."""

import random
from itertools import islice

from sqlalchemy import Connection, insert, update

from benchmarks.corpus import Corpus
from messengers.core.callers import OWNER
from messengers.core.core import Core
from messengers.core.names import fold_name
from messengers.store import search
from messengers.store.tables import ChatRow, MessageRow, table

__all__ = ["FIRST_MS", "INSTANCE", "build"]

INSTANCE = "shop"
FIRST_MS = 1_700_000_000_000
STEP_MS = 60_000
_UNIT = 5_000
_BIG_SHARE = 0.1
"""The first chat has a tenth of everything, so that there is a far end to read at."""

_chats, _messages = table(ChatRow), table(MessageRow)


async def build(core: Core, messages: int, chats: int) -> None:
    """Make the instance, its chats and messages; a minute passes between two messages."""
    made = await core.instances.create(OWNER, "webchat", INSTANCE, {})
    instance = made.id
    await core.store.write(lambda conn: _add_chats(conn, instance, chats))
    chance = random.Random(2)  # noqa: S311 - a distribution, not a secret
    texts = Corpus().texts()
    last: dict[int, dict[str, object]] = {}
    for start in range(0, messages, _UNIT):
        count = min(_UNIT, messages - start)
        rows = [
            _row(instance, start + number, _chat(chance, chats), text)
            for number, text in enumerate(islice(texts, count))
        ]
        last |= {int(str(row["chat_id"])): row for row in rows}
        await core.store.write(lambda conn, rows=rows: _add(conn, rows))
    await core.store.write(lambda conn: _summarize(conn, last))


def _chat(chance: random.Random, chats: int) -> int:
    if chance.random() < _BIG_SHARE:
        return 1
    return 1 + int(chats * chance.random() ** 2)


def _add_chats(conn: Connection, instance: str, count: int) -> None:
    names = islice(Corpus(3).texts(), count)
    rows = [
        {
            "id": key,
            "instance_id": instance,
            "native_id": f"v{key:08x}",
            "kind": "dm",
            "name": f"{name[:30]} {key}",
            "name_source": "stranger",
            "name_folded": fold_name(f"{name[:30]} {key}"),
            "created_at": FIRST_MS,
        }
        for key, name in enumerate(names, 1)
    ]
    conn.execute(insert(_chats), rows)


def _row(instance: str, number: int, chat: int, text: str) -> dict[str, object]:
    sent_at = FIRST_MS + number * STEP_MS
    ours = number % 3 == 0
    return {
        "instance_id": instance,
        "chat_id": chat,
        "native_id": f"n{number}",
        "direction": "out" if ours else "in",
        "origin": "history",
        "sender_id": "" if ours else f"v{chat:08x}",
        "sender_name": "" if ours else f"Visitor {chat}",
        "is_me": int(ours),
        "sent_at": sent_at,
        "received_at": sent_at,
        "text": text,
        "delivery": "read" if ours else "",
        "search_rowid": search.rowid_bound(sent_at),
    }


def _add(conn: Connection, rows: list[dict[str, object]]) -> None:
    conn.execute(insert(_messages), rows)
    for row in rows:
        key, text = int(str(row["search_rowid"])), str(row["text"])
        search.index(conn, key, text, str(row["instance_id"]), int(str(row["chat_id"])))


def _summarize(conn: Connection, last: dict[int, dict[str, object]]) -> None:
    for chat, row in last.items():
        values = {
            "last_at": row["sent_at"],
            "last_id": 1,
            "last_text": str(row["text"])[:160],
            "last_sender": row["sender_name"],
            "last_direction": row["direction"],
            "waiting": int(row["direction"] == "in"),
            "peer_wrote_at": row["sent_at"],
        }
        conn.execute(update(_chats).where(_chats.c.id == chat).values(values))
