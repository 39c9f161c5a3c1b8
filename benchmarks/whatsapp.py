"""WhatsApp accounts with the real engine, against the fake server of the tests.

How soon six accounts show their codes and what their workers weigh, beside one account and beside
the idle engine; and a large history that a phone hands over, beside the same number of messages
written straight into the store. Where the engine is not installed there are no figures.
"""

import random
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

import anyio
import orjson
from mcp import Client
from mcp.types import TextContent
from sqlalchemy import func, select

from benchmarks import archive
from benchmarks.corpus import Corpus
from benchmarks.figures import Figure, Sizes, median, percentile, progress, resident_mb
from messengers.core.callers import OWNER
from messengers.core.core import Core, open_core
from messengers.mcp_server.server import build_server
from messengers.providers.login import ShowQr
from messengers.providers.whatsapp_web import process
from messengers.settings import Settings
from messengers.store.tables import MessageRow, table
from tests.fakes.whatsapp_web import Conversation, FakeWhatsApp, Past
from tests.providers.whatsapp_web.conftest import MODULE, workers

__all__ = ["measure"]

_ACCOUNTS = 6
_SETTLE_S = 3.0
_GLANCE_S = 0.2
_PATIENCE_S = 180
_FIRST_S = 1_700_000_000
_RECENT = 20
"""Messages of each chat that a phone hands over before all others."""
_PAGE = 50
_count = select(func.count().label("count")).select_from(table(MessageRow))


async def measure(sizes: Sizes) -> list[Figure]:
    """Accounts, then a history."""
    if find_spec("neonize") is None:
        progress("the WhatsApp engine is not installed: no figures of it")
        return []
    return [*await _accounts(sizes), *await _history(sizes)]


@dataclass(frozen=True)
class _Desk:
    """A core beside a WhatsApp."""

    folder: Path
    wa: FakeWhatsApp
    core: Core

    async def code(self, name: str) -> str:
        """A new account up to the code for its phone."""
        endpoints = {"proxy": self.wa.proxy_url}
        await self.core.instances.create(
            OWNER, "whatsapp_web", name, endpoints=endpoints, confirm="never", wait_s=0
        )
        step = await self.core.login.step(OWNER, name)
        assert isinstance(step, ShowQr), step
        return step.text


@asynccontextmanager
async def _desk() -> AsyncGenerator[_Desk]:
    with TemporaryDirectory(prefix="messengers-bench-") as place:
        folder, usual = Path(place), process.COMMAND
        async with FakeWhatsApp(folder / "tls") as wa:
            process.COMMAND = wa.command(MODULE)
            try:
                async with open_core(Settings(home=folder / "home", timezone="UTC")) as core:
                    yield _Desk(folder, wa, core)
            finally:
                process.COMMAND = usual
            wa.check()


async def _accounts(sizes: Sizes) -> list[Figure]:
    count = sizes.of(_ACCOUNTS, 2)
    progress(f"showing the codes of {count} WhatsApp accounts")
    alone_s, _ = await _codes(1, 0)
    all_s, weights = await _codes(count, sizes.of(1, 0) * _SETTLE_S)
    return [
        Figure(
            f"{count} WhatsApp accounts at once, to the last one's code",
            all_s,
            "s",
            "one account",
            alone_s,
            target=5,
        ),
        Figure(
            "the largest of their workers, connected, resident",
            max(weights),
            "MB",
            "the engine, loaded and idle",
            await _library_mb(),
            target=90,
        ),
    ]


async def _codes(count: int, settle_s: float) -> tuple[float, list[float]]:
    """Seconds until all show their codes, and what their workers weigh once they are linked."""
    texts: dict[str, str] = {}
    async with _desk() as desk:

        async def one(name: str) -> None:
            texts[name] = await desk.code(name)

        began = time.perf_counter()
        async with anyio.create_task_group() as tasks:
            for number in range(count):
                tasks.start_soon(one, f"phone{number}")
        took_s = time.perf_counter() - began
        for number, text in enumerate(texts.values()):
            await desk.wa.scan_qr(text, desk.wa.add_account(f"1555000{number:04}", "Me"))
        await desk.wa.until(lambda: len(desk.wa.lines) == count)
        await anyio.sleep(settle_s)
        return took_s, [resident_mb(pid) for pid in workers(desk.folder)]


async def _library_mb() -> float:
    """A process that has loaded the engine and does nothing with it."""
    command = [sys.executable, "-c", "import neonize.client; print(flush=True); input()"]
    async with await anyio.open_process(command) as idle:
        assert idle.stdout is not None
        await idle.stdout.receive()
        found = resident_mb(idle.pid)
        idle.kill()
    return found


@dataclass
class _Watch:
    """What somebody who lists his chats meanwhile sees."""

    began: float = field(default_factory=time.perf_counter)
    calls_ms: list[float] = field(default_factory=list[float])
    page_s: float = 0.0
    """When the first whole page could be listed."""

    async def look(self, client: Client) -> None:
        asked = time.perf_counter()
        result = await client.call_tool("list_chats", {"limit": _PAGE, "format": "json"})
        self.calls_ms.append((time.perf_counter() - asked) * 1000)
        (block,) = result.content
        assert isinstance(block, TextContent)
        if not self.page_s and len(orjson.loads(block.text)["untrusted"]["chats"]) == _PAGE:
            self.page_s = time.perf_counter() - self.began


async def _history(sizes: Sizes) -> list[Figure]:
    count, chats = sizes.of(100_000, 2_000), sizes.of(400, 60)
    progress(f"handing over {count:,} messages of {chats} WhatsApp chats")
    straight_s = await _straight(count, chats)
    async with _desk() as desk, Client(build_server(desk.core)) as client:
        me = desk.wa.add_account("15550001111", "Me")
        past = list(_past(count, chats))
        first = [_cut(chat, slice(-_RECENT, None)) for chat in past]
        desk.wa.give_history(me, first, progress=10)
        rest = [_cut(chat, slice(None, -_RECENT)) for chat in past]
        desk.wa.give_history(me, rest, kind="RECENT")
        await desk.wa.scan_qr(await desk.code("phone"), me)
        watch = await _watched(desk.core, client, count)
        took_s = time.perf_counter() - watch.began
        calm = _Watch()
        for _ in watch.calls_ms[:30]:
            await calm.look(client)
    return [
        Figure(
            f"a WhatsApp history of {count:,} messages, from the scan to the last one",
            took_s,
            "s",
            "straight into the store",
            straight_s,
            target=20,
        ),
        Figure(f"{_PAGE} chats can be listed after the scan", watch.page_s, "s", target=10),
        Figure(
            "list_chats meanwhile, p95",
            percentile(watch.calls_ms, 95),
            "ms",
            "once it is over, the median",
            median(calm.calls_ms),
            target=50,
        ),
    ]


async def _watched(core: Core, client: Client, count: int) -> _Watch:
    """List the chats again and again until every message is there."""
    watch = _Watch()
    with anyio.fail_after(_PATIENCE_S):
        while (await core.store.rows(_count))[0]["count"] < count:
            await watch.look(client)
            await anyio.sleep(_GLANCE_S)
    return watch


async def _straight(count: int, chats: int) -> float:
    with TemporaryDirectory(prefix="messengers-bench-") as place:
        async with open_core(Settings(home=Path(place), timezone="UTC")) as core:
            began = time.perf_counter()
            await archive.build(core, count, chats)
            return time.perf_counter() - began


def _past(count: int, chats: int) -> Iterator[Conversation]:
    """Some chats have most of the messages, as in life; every fifth one is a group."""
    chance, texts = random.Random(7), Corpus().texts()  # noqa: S311 - a distribution, not a secret
    rank = [int(chats * chance.random() ** 2) for _ in range(count)]
    for number in range(chats):
        size = rank.count(number)
        person = f"9555{number:011}@lid"
        jid = f"1203630000{number:08}@g.us" if number % 5 == 0 else person
        messages = [
            Past(f"{number}-{each}", text, _FIRST_S + each * 60, "" if each % 3 == 0 else person)
            for each, text in enumerate(islice(texts, size))
        ]
        yield Conversation(jid, messages, f"Chat {number}")


def _cut(chat: Conversation, part: slice) -> Conversation:
    return Conversation(chat.jid, chat.messages[part], chat.name)
