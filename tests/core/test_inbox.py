"""What arrives is stored once, understood in order, and never lost."""

import logging
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from functools import partial

import anyio
import anyio.lowlevel
import pytest
from sqlalchemy import Connection, select

from messengers.core.callers import OWNER
from messengers.errors import StorageUnavailable
from messengers.models import Chat
from messengers.store import inbound, sqlite
from messengers.store.tables import InboundRow, table
from tests.core.conftest import AGENT, House, OpenHouse

_STORED = select(table(InboundRow).c.event_key, table(InboundRow).c.state)


async def _texts(house: House, chat: Chat) -> list[str]:
    return [m.text for m in (await house.core.history.read(OWNER, chat, limit=200)).items]


async def test_the_same_event_twice_is_one_message(house: House) -> None:
    assert await house.personal.say("hello", id_="n1")
    assert not await house.personal.say("hello", id_="n1")
    message = await house.told("hello")

    chat = await house.chat_of(message)
    assert await _texts(house, chat) == ["hello"]
    assert chat.unread == 1


async def test_the_same_message_under_two_event_keys_is_one_message(house: House) -> None:
    await house.personal.deliver("message", key="k1", id="n1", text="hello", name="Ann")
    await house.personal.deliver("message", key="k2", id="n1", text="hello", name="Ann")
    await house.personal.say("marker")

    chat = await house.chat_of(await house.told("marker"))
    assert await _texts(house, chat) == ["hello", "marker"]
    assert chat.unread == 2


async def test_a_hundred_at_once_from_five_people_keep_each_ones_order(house: House) -> None:
    async with anyio.create_task_group() as tasks:

        async def person(name: str) -> None:
            for number in range(20):
                await house.personal.say(f"{number}", chat=name, id_=f"{number}", minute=0)

        for name in "abcde":
            tasks.start_soon(person, name)
    for name in "abcde":
        await house.personal.say(f"end {name}", chat=name)
        chat = await house.chat_of(await house.told(f"end {name}"))
        assert await _texts(house, chat) == [*(str(n) for n in range(20)), f"end {name}"]


async def test_what_cannot_be_understood_is_kept_and_blocks_nobody(house: House) -> None:
    await house.personal.deliver("nonsense", chat="zed", key="bad")
    await house.personal.say("others go on")
    await house.told("others go on")
    await house.personal.say("after the bad one", chat="zed")

    await house.told("after the bad one")

    def dead(conn: object) -> object:
        return conn.exec_driver_sql(  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType, reportUnknownVariableType] - a raw look
            "SELECT state, length(payload), attempts FROM inbound WHERE event_key = 'bad'"
        ).one()

    assert tuple(await house.core.store.write(dead)) == ("dead", 14, 4)  # pyright: ignore[reportArgumentType] - a raw look


async def test_a_broken_event_among_many_costs_its_own_chat_no_other_message(house: House) -> None:
    async with anyio.create_task_group() as tasks:
        for number in range(30):
            if number == 15:
                tasks.start_soon(partial(house.personal.deliver, "nonsense", chat="zed", key="bad"))
            name = "zed" if number % 3 == 0 else f"friend{number % 4}"
            say = partial(house.personal.say, f"text {number}", chat=name, id_=f"n{number}")
            tasks.start_soon(say)
    await house.personal.say("the end", chat="zed")

    chat = await house.chat_of(await house.told("the end"))
    assert await _texts(house, chat) == [*(f"text {n}" for n in range(0, 30, 3)), "the end"]
    for number in (1, 14, 16, 29):
        assert (await house.told(f"text {number}")).direction == "in"


async def test_who_is_cancelled_while_it_is_stored_has_it_understood(house: House) -> None:
    for number in range(20):
        with anyio.CancelScope() as scope:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(partial(house.personal.say, f"text {number}", id_=f"n{number}"))
                for _ in range(number):
                    await anyio.lowlevel.checkpoint()
                scope.cancel()

    await house.core.store.write(lambda _: None)  # behind all that still waited
    stored = await house.core.store.rows(_STORED)
    for row in stored:
        await house.told(f"text {row['event_key'].removeprefix('message-ann-n')}")
    assert stored


async def test_what_was_stored_before_a_crash_is_understood_after_it(
    open_house: OpenHouse,
) -> None:
    async with open_house() as house:
        instance = (await house.core.instances.get(OWNER, "me")).instance.id
    async with open_house() as house:
        values: dict[str, object] = {
            "instance_id": instance,
            "event_key": "left",
            "chat_key": "ann",
            "kind": "message",
            "payload": b'{"chat":"ann","id":"n1","text":"left over","name":"Ann"}',
            "received_at": 1,
        }
        await house.core.store.write(lambda conn: inbound.add(conn, values))
    async with open_house() as house:
        assert (await house.told("left over")).text == "left over"


async def test_history_wakes_nobody_and_counts_as_the_owners(house: House) -> None:
    start = await house.core.history.wait(AGENT, timeout_s=0)
    await house.personal.say("years ago", **{"from": "me", "origin": "history"})
    await house.personal.say("their answer", origin="history")
    message = await house.told("their answer")

    chat = await house.chat_of(message)
    assert chat.unread == 0
    assert chat.owner_wrote_at is not None
    waited = await house.core.history.wait(AGENT, timeout_s=0, cursor=start.cursor)
    assert waited.items == ()


async def test_receipts_only_ever_advance(house: House) -> None:
    await house.personal.say("hi", **{"from": "me"})
    chat = (await house.told("hi")).chat
    answer = await house.send(chat, "did you see?")
    native = f"s-{house.personal.accepted[0][2]}"

    await house.personal.deliver("receipt", key="1", id=native, delivery="read")
    await house.personal.deliver("receipt", key="2", id=native, delivery="delivered")
    await house.personal.deliver("receipt", key="3", id="unknown", delivery="read")
    await house.personal.say("marker")
    await house.told("marker")

    detail = await house.core.history.get(OWNER, answer.message)
    assert detail.message.delivery == "read"
    assert [e.kind for e in detail.history][-1] == "message.read"


async def test_reading_on_the_phone_clears_unread(house: House) -> None:
    await house.personal.say("hello")
    chat = await house.chat_of(await house.told("hello"))
    await house.personal.deliver("read", key="r")
    await house.personal.say("marker")
    await house.told("marker")

    assert chat.unread == 1
    assert (await house.core.chats.get(OWNER, chat.id)).unread == 1


async def test_an_echo_before_the_answer_leaves_one_message(house: House) -> None:
    await house.personal.say("hi", **{"from": "me"})
    chat = await house.chat_of(await house.told("hi"))
    house.personal.hang = anyio.Event()
    answer = await house.send(chat.id, "mine", wait_s=0.1)
    native = f"s-{house.personal.accepted[0][2]}"
    await house.personal.say("mine", id_=native, **{"from": "me"})
    await house.told("mine")
    house.personal.hang.set()

    async def settled() -> bool | None:
        detail = await house.core.history.get(OWNER, answer.message)
        return True if detail.message.delivery == "sent" else None

    assert await house.core.events.wait(settled, 5)
    assert sorted(await _texts(house, chat)) == ["hi", "mine"]
    hits = await house.core.search.messages(AGENT, "mine")
    assert [hit.message.id for hit in hits.items] == [answer.message]


@pytest.mark.parametrize("text", ["", "🔥", "a" * 5000])
async def test_odd_texts_are_listed_as_they_are(house: House, text: str) -> None:
    await house.personal.say(text, id_="odd")
    await house.personal.say("marker")
    chat = await house.chat_of(await house.told("marker"))

    assert await _texts(house, chat) == [text, "marker"]


async def tried_again(unit: Callable[[], Awaitable[None]]) -> None:
    """Until it is not in one transaction with what the full disk refuses."""
    while True:
        with suppress(StorageUnavailable):
            return await unit()


async def test_what_a_full_disk_kept_from_being_understood_is_understood_after_it(
    house: House,
) -> None:
    def pages(conn: Connection) -> int:
        return int(sqlite.raw(conn).execute("PRAGMA page_count").fetchone()[0])

    def limit(conn: Connection, most: int) -> None:
        sqlite.raw(conn).execute(f"PRAGMA max_page_count={most}")

    write = house.core.store.write
    await house.personal.say("before")
    await house.told("before")
    # Room for the event as it came, but not for all that is made of it.
    most = await write(pages) + 60
    await write(partial(limit, most=most))
    stored = list[bool]()

    async def write_on() -> None:
        while True:
            stored.append(await house.personal.say("long " * 4_000, id_=f"n{len(stored)}"))

    with pytest.raises(StorageUnavailable):
        await write_on()
    await tried_again(lambda: write(partial(limit, most=1_000_000)))
    await house.personal.say("after")

    chat = await house.chat_of(await house.told("after"))
    listed = await _texts(house, chat)
    assert listed == ["before", *["long " * 4_000] * len(stored), "after"]
    assert stored
    assert {row["state"] for row in await house.core.store.rows(_STORED)} == {"done"}


@pytest.mark.timeout(60)
async def test_a_chat_in_trouble_keeps_its_order_over_a_fault_of_the_disk(
    house: House,
) -> None:
    rests = anyio.Event()

    def noticed(record: logging.LogRecord) -> bool:
        if "rests" in record.msg:
            rests.set()
        return True

    async def done() -> bool | None:
        rows = await house.core.store.rows(_STORED)
        return "new" not in {row["state"] for row in rows} or None

    await house.personal.deliver("nonsense", chat="zed", key="bad")
    with closing(sqlite3.connect(house.core.store.home / sqlite.DATABASE)) as other:
        other.execute("BEGIN IMMEDIATE")
        logging.getLogger("messengers.core.inbox").addFilter(noticed)
        with anyio.fail_after(20):
            await rests.wait()
        logging.getLogger("messengers.core.inbox").removeFilter(noticed)
    await house.personal.say("others go on")
    await house.personal.say("after the bad one", chat="zed")

    await house.told("others go on")
    states = {row["event_key"]: row["state"] for row in await house.core.store.rows(_STORED)}
    assert states["bad"] == "new"
    assert states["message-zed-nafter the bad one"] == "new", "it overtook what came before it"
    assert await house.core.events.wait(done, 30)
    assert (await house.told("after the bad one")).chat
