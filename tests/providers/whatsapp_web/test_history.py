"""What a phone hands over of the past, and several accounts side by side."""

from pathlib import Path

import anyio
import pytest
from sqlalchemy import func, select

from messengers.core.callers import OWNER
from messengers.core.chats import ChatFilter
from messengers.core.core import Core
from messengers.store.tables import MessageRow, table
from tests.fakes.whatsapp_web import Conversation, FakeWhatsApp, Past
from tests.fakes.whatsapp_web.devices import Account, Peer
from tests.providers.whatsapp_web.conftest import (
    Linked,
    OpenCore,
    link,
    next_of,
    until,
    workers,
)

pytestmark = pytest.mark.timeout(60)
NOON_S = 1_760_000_000
COUNT = select(func.count().label("count")).select_from(table(MessageRow))


@pytest.fixture
def me(wa: FakeWhatsApp) -> Account:
    return wa.add_account("15550001111", "Me Myself")


@pytest.fixture
def bob(wa: FakeWhatsApp) -> Peer:
    return wa.add_contact("15550002222", "Bob")


def talk(bob: Peer, count: int, first: int = 0) -> list[Past]:
    """A message each minute, every third one of the account's own."""
    return [
        Past(f"PAST{n:05}", f"past {n}", NOON_S + n * 60, "" if n % 3 == 0 else bob.lid)
        for n in range(first, first + count)
    ]


async def stored(account: Linked, chat: str, count: int) -> list[str]:
    """The texts of a chat, oldest first, once there are so many messages in all."""
    await until(lambda: _stored(account.core, count))
    return [each.text for each in await account.messages(chat)]


async def _stored(core: Core, count: int) -> bool | None:
    (found,) = await core.store.rows(COUNT)
    return found["count"] >= count or None


async def test_what_a_phone_hands_over_stands_in_its_chats_and_wakes_nobody(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore
) -> None:
    carol = wa.add_contact("15550003333", "Carol")
    group = wa.add_group("Team", carol, [me, bob])
    said = [
        Past("G1", "who comes?", NOON_S + 5, group.jid_of(carol)),
        Past("G2", "me", NOON_S + 9, group.jid_of(bob)),
        Past("G3", "me too", NOON_S + 12, "", status=4),
    ]
    wa.give_history(
        me,
        [
            Conversation(bob.lid, talk(bob, 9), "Bobby", {"unreadCount": 2}),
            Conversation(group.jid, said, "Team"),
        ],
        names={carol.lid: "Carol", bob.lid: "Bob"},
        lids={bob.pn: bob.lid, carol.pn: carol.lid},
    )
    async with reopen() as core:
        account = await link(core, wa, me)
        texts = await stored(account, bob.pn, 12)
        chat, team = await account.chat(bob.pn), await account.chat(group.jid)
        first, second, third = await account.messages(group.jid)
        received = await account.events("message.received")

    assert texts == [f"past {n}" for n in range(9)]
    assert (chat.phone, chat.unread, chat.last_text) == (f"+{bob.phone}", 2, "past 8")
    assert (team.name, team.kind) == ("Team", "group")
    assert [each.sender.native_id for each in (first, second)] == [carol.pn, bob.pn]
    assert first.sender.display_name == "Carol"
    assert (third.sender.is_me, third.origin, third.delivery) == (True, "history", "read")
    assert received == []


async def test_the_past_that_comes_after_the_present_is_put_before_it_and_is_read(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore
) -> None:
    async with reopen() as core:
        account = await link(core, wa, me)
        id = await wa.send_text(bob, account.companion, "new")
        await account.message(id, bob)
        await wa.push_history(
            account.companion, [Conversation(bob.lid, talk(bob, 300))], kind="RECENT"
        )
        texts = await stored(account, bob.pn, 301)
        before = await account.chat(bob.pn)

        after = await core.receipts.up_to(OWNER, before)
        await wa.until(lambda: [each for each in wa.receipts if each.kind == "read"])

    assert texts == [*(f"past {n}" for n in range(101, 300)), "new"]
    assert (before.unread, before.last_text, after.unread) == (1, "new", 0)
    assert [each.ids for each in wa.receipts if each.kind == "read"] == [(id,)]


async def test_the_past_that_comes_twice_is_stored_once(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore
) -> None:
    lids = {bob.pn: bob.lid}
    wa.give_history(me, [Conversation(bob.lid, talk(bob, 20, first=10))], lids=lids, progress=10)
    wa.give_history(me, [Conversation(bob.lid, talk(bob, 30))], kind="RECENT")
    async with reopen() as core:
        texts = await stored(await link(core, wa, me), bob.pn, 30)

    assert texts == [f"past {n}" for n in range(30)]


async def test_while_a_large_past_comes_in_chats_are_listed_and_messages_are_sent(
    wa: FakeWhatsApp, me: Account, bob: Peer, reopen: OpenCore
) -> None:
    """Far slower than it is, so that a busy machine does not matter: benchmarks tell the speed."""
    people = [wa.add_contact(f"1555100{n:04}", f"Person {n}") for n in range(40)]
    wa.give_history(me, [Conversation(each.lid, talk(each, 250), each.name) for each in people])
    async with reopen() as core:
        account = await link(core, wa, me)
        await account.send(bob, "meanwhile")
        arrived = await next_of(bob)
        before = await core.chats.list(OWNER, ChatFilter(), 100)
        await until(lambda: _stored(core, 10_000), within_s=30)
        after = await core.chats.list(OWNER, ChatFilter(), 100)

    assert arrived.text == "meanwhile"
    assert before.items
    assert len(after.items) == 41


async def test_six_accounts_at_once_each_show_a_code_and_hear_their_own_people_only(
    wa: FakeWhatsApp, reopen: OpenCore, folder: Path
) -> None:
    linked: dict[str, Linked] = {}
    async with reopen() as core:

        async def one(number: int) -> None:
            name, owner = f"phone{number}", wa.add_account(f"1555000{number:04}", f"Me {number}")
            linked[name] = await link(core, wa, owner, name)

        with anyio.fail_after(30):
            async with anyio.create_task_group() as tasks:
                for number in range(6):
                    tasks.start_soon(one, number)
        heard: list[list[str]] = []
        for name, account in linked.items():
            bob = account.somebody("Bob")
            id = await wa.send_text(bob, account.companion, f"to {name}")
            await account.message(id, bob)
            heard.append([each.text for each in await account.messages(bob.pn)])

        assert heard == [[f"to {name}"] for name in linked]
        assert len(workers(folder)) == 6
        assert (await core.store.rows(COUNT))[0]["count"] == 6
