"""How many messages a second arrive durably: deduplicated, summarised, searchable.

Timed from the first event to the last message that stands in its transcript. The baseline is what
one writes first: a session and a commit for each message.
"""

import time
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
from sqlalchemy import Engine, create_engine, func, select, text, update
from sqlalchemy.orm import Session

from benchmarks.corpus import Corpus
from benchmarks.figures import Figure, Sizes, median, percentile, progress
from messengers.core.callers import OWNER
from messengers.core.core import Core, open_core
from messengers.providers.webchat import incoming
from messengers.settings import Settings
from messengers.store import search, sqlite
from messengers.store.tables import ChatRow, EventRow, InstanceRow, MessageRow, metadata, table

__all__ = ["measure"]

_PRODUCERS = 100
_DEADLINE_S = 300
_messages = table(MessageRow)
_newest = select(func.max(_messages.c.id).label("count"))


async def measure(sizes: Sizes) -> list[Figure]:
    """Ours, then the baseline on fewer messages: it is slow."""
    count, fewer = sizes.of(30_000, 500), sizes.of(1_000, 100)
    with TemporaryDirectory(prefix="messengers-bench-") as home:
        progress(f"ingesting {count:,} messages from {_PRODUCERS} producers")
        async with open_core(Settings(home=Path(home), timezone="UTC", port=0)) as core:
            rate, acks = await _ours(core, count)
    with TemporaryDirectory(prefix="messengers-bench-") as home:
        progress(f"ingesting {fewer:,} messages naively")
        naive = _naive(Path(home), fewer)
    return [
        Figure(
            f"durable ingest, {_PRODUCERS} producers",
            rate,
            "messages/s",
            "an ORM session and a commit for each message",
            naive,
            target=5_000,
            sense="at least",
        ),
        Figure("acknowledged after, median", median(acks), "ms"),
        Figure("acknowledged after, p95", percentile(acks, 95), "ms"),
    ]


async def _ours(core: Core, count: int) -> tuple[float, list[float]]:
    """Messages a second, and how long each producer waited for its acknowledgement."""
    made = await core.instances.create(OWNER, "webchat", "shop", {})
    each, acks = count // _PRODUCERS, list[float]()
    texts = Corpus().texts()
    arriving = [_events(core, number, islice(texts, each)) for number in range(_PRODUCERS)]

    async def produce(events: Sequence[tuple[str, str, bytes]]) -> None:
        for key, visitor, payload in events:
            began = time.perf_counter()
            await core.inbox.ingest(made.id, key, visitor, "said", payload)
            acks.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    async with anyio.create_task_group() as tasks:
        for events in arriving:
            tasks.start_soon(produce, events)

    async def ready() -> bool | None:
        return await _stored(core) >= each * _PRODUCERS or None

    if not await core.events.wait(ready, _DEADLINE_S):
        raise RuntimeError("the messages did not arrive")
    return each * _PRODUCERS / (time.perf_counter() - began), acks


def _events(core: Core, number: int, texts: Iterable[str]) -> list[tuple[str, str, bytes]]:
    """What one visitor's page sends: key, visitor and payload of each event."""
    visitor = f"v{number:024x}"
    said = [
        incoming.said(visitor, f"{index:08}", text, (), "", core.clock.now())
        for index, text in enumerate(texts)
    ]
    return [
        (incoming.event_key(event), visitor, event.model_dump_json().encode()) for event in said
    ]


async def _stored(core: Core) -> int:
    row = await core.store.row(_newest)
    return int(row["count"] or 0) if row else 0


def _naive(home: Path, count: int) -> float:
    engine = create_engine(f"sqlite:///{home / 'naive.db'}")
    metadata.create_all(engine)
    with engine.begin() as conn:
        conn.execute(text(sqlite.SEARCH_DDL))
        conn.execute(text(sqlite.PASSAGE_DDL))
    texts = Corpus().texts()
    with Session(engine) as session:
        instance = InstanceRow(
            id="i", name="shop", provider="webchat", kind="bot", wanted="connected", created_at=0
        )
        session.add(instance)
        session.flush()
        for number in range(_PRODUCERS):
            chat = ChatRow(instance_id="i", native_id=f"v{number}", kind="dm", created_at=0)
            session.add(chat)
        session.commit()
    began = time.perf_counter()
    for number, said in enumerate(islice(texts, count)):
        _one(engine, number, said)
    rate = count / (time.perf_counter() - began)
    engine.dispose()
    return rate


def _one(engine: Engine, number: int, said: str) -> None:
    """Look for a duplicate, insert, index, summarise, log, commit."""
    chat, at = 1 + number % _PRODUCERS, 1_700_000_000_000 + number
    with Session(engine) as session:
        known = select(MessageRow).where(_messages.c.native_id == f"n{number}")
        if session.execute(known.where(_messages.c.chat_id == chat)).first() is not None:
            return
        row = MessageRow(
            instance_id="i",
            chat_id=chat,
            native_id=f"n{number}",
            direction="in",
            origin="realtime",
            sender_id=f"v{chat}",
            sent_at=at,
            received_at=at,
            text=said,
            search_rowid=at << 20,
        )
        session.add(row)
        session.flush()
        search.index(session.connection(), at << 20, said, "i", chat)
        chats = table(ChatRow)
        stmt = update(chats).where(chats.c.id == chat)
        summary = {"last_id": row.id, "last_at": at, "last_text": said[:160]}
        session.execute(stmt.values(summary | {"unread": chats.c.unread + 1}))
        session.add(EventRow(at=at, kind="message.received", chat_id=chat, message_id=row.id))
        session.commit()
