"""Search, the chat list and transcripts on a large store, through the tools as a model calls them.

The baselines are what one writes first: LIKE over all messages, GROUP BY for the chat list, OFFSET
for the far end.
"""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from mcp import Client
from mcp.types import TextContent
from sqlalchemy import Select, bindparam, func, select

from benchmarks import archive
from benchmarks.corpus import LANGUAGES, Corpus
from benchmarks.figures import Figure, Sizes, median, percentile, progress
from messengers.core.callers import OWNER, Caller
from messengers.core.core import Core, open_core
from messengers.mcp_server.server import build_server
from messengers.models import Chat, IdKind, encode_id
from messengers.settings import Settings
from messengers.store.tables import MessageRow, table

__all__ = ["measure"]

_messages = table(MessageRow)
_ROUNDS = 30
_PAGE = 30


async def measure(sizes: Sizes) -> list[Figure]:
    """Build the store, then read it."""
    count, chats = sizes.of(1_000_000, 5_000), sizes.of(2_000, 50)
    with TemporaryDirectory(prefix="messengers-bench-") as home:
        async with open_core(Settings(home=Path(home), timezone="UTC", port=0)) as core:
            progress(f"building {count:,} messages in {chats:,} chats")
            began = time.perf_counter()
            await archive.build(core, count, chats)
            built_s = time.perf_counter() - began
            async with Client(build_server(core)) as client:
                return [
                    Figure(f"history import, {count:,} messages", count / built_s, "messages/s"),
                    *await _search(core, client, sizes),
                    *await _lists(core, client),
                    *await _transcripts(core, client),
                    *await _leaks(core, sizes),
                ]


async def _search(core: Core, client: Client, sizes: Sizes) -> list[Figure]:
    """p95 over queries in each script, everywhere and inside one chat."""
    corpus, each = Corpus(5), sizes.of(100, 10)
    queries = {language: corpus.queries(language, each) for language in LANGUAGES}
    first = encode_id(IdKind.CHAT, 1)
    figures: list[Figure] = []
    for place, chat in (("everywhere", ""), ("inside one chat", first)):
        progress(f"searching {place}")
        for language, asked in queries.items():
            few = asked[: 8 if each > 8 else each]
            times = [await _timed(partial(_search_tool, client, query, chat)) for query in asked]
            scans = [await _timed(partial(_like, core, query, bool(chat))) for query in few]
            figures.append(
                Figure(
                    f"search_messages {place}, {language}, p95",
                    percentile(times, 95),
                    "ms",
                    "LIKE over all messages",
                    percentile(scans, 95),
                    target=50,
                )
            )
    return figures


async def _leaks(core: Core, sizes: Sizes) -> list[Figure]:
    """The cross-chat guard before a send: texts that nobody wrote, and one that is a quotation."""
    progress("guarding")
    stranger = await core.chats.get(OWNER, encode_id(IdKind.CHAT, 2))
    agent = Caller("bench")
    texts = Corpus(8).texts()
    figures: list[Figure] = []
    for length in (0, 300, 1_000):
        times: list[float] = []
        for _ in range(sizes.of(100, 5)):
            said = next(texts)
            while len(said) < length:
                said += f" {next(texts)}"
            times.append(await _timed(partial(core.leaks.of_texts, agent, stranger, said)))
        what = f"{length:,} characters" if length else "a message like those stored"
        target = 0 if length else 20
        told = f"cross-chat guard, {what}, p95"
        figures.append(Figure(told, percentile(times, 95), "ms", target=target))
    return figures


async def _search_tool(client: Client, query: str, chat: str) -> None:
    await _call(client, "search_messages", query=query, chat=chat)


async def _like(core: Core, query: str, in_chat: bool) -> None:
    given = {"chat": 1} if in_chat else {}
    stmt = _scan(chat=in_chat)
    await core.store.rows(stmt, part=f"%{query.rstrip('*')}%", limit=20, **given)


def _scan(*, chat: bool) -> Select[tuple[object, ...]]:
    stmt = select(_messages).where(_messages.c.text.like(bindparam("part")))
    if chat:
        stmt = stmt.where(_messages.c.chat_id == bindparam("chat"))
    return stmt.order_by(_messages.c.sent_at.desc()).limit(bindparam("limit"))


async def _lists(core: Core, client: Client) -> list[Figure]:
    progress("listing chats")
    grouped = (
        select(_messages.c.chat_id, func.max(_messages.c.sent_at).label("last"))
        .group_by(_messages.c.chat_id)
        .order_by(func.max(_messages.c.sent_at).desc())
        .limit(20)
    )
    ours = [await _timed(lambda: _call(client, "list_chats")) for _ in range(_ROUNDS)]
    base = [await _timed(lambda: core.store.rows(grouped)) for _ in range(3)]
    recent = [
        await _timed(lambda: _call(client, "list_recent_messages", since="2023-01-01"))
        for _ in range(_ROUNDS)
    ]
    return [
        Figure("list_chats", median(ours), "ms", "GROUP BY over messages", median(base), target=10),
        Figure("list_recent_messages, 60 messages", median(recent), "ms"),
    ]


async def _transcripts(core: Core, client: Client) -> list[Figure]:
    """A page at the near end and at the far end of the largest chat."""
    progress("reading transcripts")
    chat = await core.chats.get(OWNER, encode_id(IdKind.CHAT, 1))
    depth, cursor = await _far_end(core, chat)
    near = await _rounds(lambda: core.history.read(OWNER, chat, _PAGE))
    far = await _rounds(lambda: core.history.read(OWNER, chat, _PAGE, cursor=cursor))
    stmt = (
        select(_messages)
        .where(_messages.c.chat_id == bindparam("chat"))
        .order_by(_messages.c.sent_at.desc(), _messages.c.id.desc())
        .limit(_PAGE)
        .offset(bindparam("skip"))
    )
    skipped = await _rounds(lambda: core.store.rows(stmt, chat=1, skip=depth))
    tool = await _rounds(lambda: _call(client, "read_messages", chat=chat.id))
    whole = f"a page of {_PAGE}"
    return [
        Figure(f"read_messages, {whole}, near end", tool, "ms"),
        Figure(
            f"history.read, {whole}, {depth:,} messages back",
            far,
            "ms",
            "the near end",
            near,
            target=3,
            of="ratio",
        ),
        Figure(f"the same page by OFFSET {depth:,}", skipped, "ms", "the near end", near),
    ]


async def _far_end(core: Core, chat: Chat) -> tuple[int, str]:
    """How many messages lie before the last full page, and the cursor that leads there."""
    depth, cursor, trail = 0, "", [""]
    while True:
        page = await core.history.read(OWNER, chat, 200, cursor=cursor)
        depth += len(page.items)
        cursor = page.cursor
        if not cursor:
            break
        trail.append(cursor)
    assert all(one != two for one, two in pairwise(trail))
    return depth - 200, trail[-2] if len(trail) > 2 else trail[-1]


async def _rounds(call: Callable[[], Awaitable[object]]) -> float:
    return median([await _timed(call) for _ in range(_ROUNDS)])


async def _timed(call: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    await call()
    return (time.perf_counter() - began) * 1000


async def _call(client: Client, tool: str, **arguments: object) -> Sequence[object]:
    given = {name: value for name, value in arguments.items() if value != ""}
    result = await client.call_tool(tool, given)
    if result.is_error:
        block = result.content[0]
        raise RuntimeError(block.text if isinstance(block, TextContent) else json.dumps(given))
    return result.content
